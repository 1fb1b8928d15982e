import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { ClientHttp2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CustomResourceDefinition } from "../../src/api/types/apiextensions-v1.ts";
import { freePort, type ClusterRow } from "./cluster.ts";
import { measureCustomCost } from "./custom-cost.ts";
import { definitionOf, groupOf, isEstablished, nameOf } from "./custom-kinds.ts";
import { fetchText, openSession, send } from "./https.ts";

const root = new URL("../..", import.meta.url).pathname;
/** What is measured; another build than that of the repository, to compare two. */
const launcher = process.env["KUBETS_LAUNCHER"] ?? join(root, "dist/kubets.cjs");
const sizes = [1_000, 3_000];
const collection = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const atOnce = 4;
/** Definitions whose cost is averaged. */
const sample = 100;
const ticksOfSecond = 100;
/** How often the control plane is looked at until it is taken for idle. */
const mostRounds = 150;
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** What a thousand definitions and more cost: memory, start, one more of them, and each of their objects. */
export async function measureDefinitions(): Promise<readonly ClusterRow[]> {
  return [...(await measureCustomCost()), ...(await measureThousands())];
}

async function measureThousands(): Promise<ClusterRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "kubets-bench-"));
  const cluster = new MeasuredCluster(scratch, await freePort());
  const rows: ClusterRow[] = [];
  try {
    cluster.up();
    cluster.down();
    cluster.up();
    rows.push(...(await startRows(cluster, 0)));
    let present = 0;
    for (const size of sizes) {
      rows.push(...(await growthRows(cluster, { present, size })));
      present = size;
      cluster.down();
      cluster.up();
      rows.push(...(await startRows(cluster, size)));
    }
    return rows;
  } finally {
    cluster.remove();
    await rm(scratch, { recursive: true });
  }
}

/** What a start took, once nothing goes on any more. */
async function startRows(cluster: MeasuredCluster, size: number): Promise<ClusterRow[]> {
  await cluster.untilIdle();
  const { seconds, megabytes } = cluster.use();
  const what = `start with ${size} definitions`;
  return [
    { what: `${what}, until ready`, value: `${Math.round(cluster.lastStart)} ms` },
    { what: `${what}, processor time until idle`, value: `${Math.round(seconds * 1_000)} ms` },
    { what: `memory with ${size} definitions after the start`, value: `${megabytes} MiB` },
  ];
}

async function growthRows(
  cluster: MeasuredCluster,
  { present, size }: { readonly present: number; readonly size: number },
): Promise<ClusterRow[]> {
  const session = openSession(cluster.kubeconfig());
  const rows: ClusterRow[] = [];
  const cost = async (what: string, count: number, work: () => Promise<unknown>) => {
    const before = cluster.use().seconds;
    await work();
    await cluster.untilIdle();
    const each = ((cluster.use().seconds - before) / count) * 1_000;
    rows.push({ what, value: `${each.toFixed(1)} ms` });
  };
  const create = (from: number, to: number) => () => createAll(session, { from, to });
  await create(present, size - 2 * sample)();
  await cluster.untilIdle();
  await cost(`definition ${size - sample}, processor time`, sample, create(size - 2 * sample, size - sample));
  await cost(`definition ${size}, with discovery after each`, sample, async () => {
    for (let index = size - sample; index < size; index++) {
      await createAll(session, { from: index, to: index + 1 });
      await fetchText(session, { path: "/apis", accept: aggregated });
    }
  });
  for (const [what, path] of documents(size)) {
    await cost(`${what} with ${size} definitions, first`, 1, () => fetchText(session, { path }));
    await createAll(session, { from: 1_000_000 + size, to: 1_000_001 + size });
    await cluster.untilIdle();
    await cost(`${what}, after one more definition`, 1, () => fetchText(session, { path }));
    const name = nameOf(1_000_000 + size);
    await send(session, { method: "DELETE", path: `${collection}/${name}` });
  }
  session.destroy();
  return rows;
}

const documents = (size: number) =>
  [
    ["OpenAPI v3 index", "/openapi/v3"],
    ["OpenAPI v3 of one group", `/openapi/v3/apis/${groupOf(size - 1)}/v1`],
    ["OpenAPI v2", "/openapi/v2"],
  ] as const;

async function createAll(
  session: ClientHttp2Session,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  let next = from;
  const worker = async () => {
    while (next < to) {
      const index = next++;
      await send(session, { method: "POST", path: collection, body: JSON.stringify(definitionOf(index)) });
      await established(session, nameOf(index));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function established(session: ClientHttp2Session, name: string): Promise<void> {
  for (;;) {
    const text = await fetchText(session, { path: `${collection}/${name}` });
    if (isEstablished(JSON.parse(text) as CustomResourceDefinition)) return;
    await sleep(5);
  }
}

/** A cluster of the command, whose control plane's use of the machine is read from outside. */
class MeasuredCluster {
  lastStart = 0;
  readonly #directory: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #port: number;

  constructor(scratch: string, port: number) {
    this.#directory = join(scratch, "cluster");
    this.#env = { ...process.env, XDG_CACHE_HOME: join(scratch, "cache") };
    this.#port = port;
  }

  up(): void {
    const start = performance.now();
    this.#run("up", "--nodes", "0", "--port", String(this.#port));
    this.lastStart = performance.now() - start;
  }

  down(): void {
    this.#run("down");
  }

  remove(): void {
    this.#run("delete");
  }

  kubeconfig(): string {
    return readFileSync(join(this.#directory, "kubeconfig"), "utf8");
  }

  /** Processor time since the start, and memory. */
  use(): { readonly seconds: number; readonly megabytes: number } {
    const pid = /^control-plane (\d+)/m.exec(readFileSync(join(this.#directory, "pids"), "utf8"))?.[1];
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    const memory = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { seconds: ticks / ticksOfSecond, megabytes: Math.round(Number(memory) / 1_024) };
  }

  /** Settles when the control plane has next to nothing to do. */
  async untilIdle(): Promise<void> {
    for (let quiet = 0, round = 0; quiet < 3 && round < mostRounds; round++) {
      const before = this.use().seconds;
      await sleep(400);
      quiet = this.use().seconds - before <= 0.02 ? quiet + 1 : 0;
    }
  }

  #run(...args: string[]): void {
    const command = [launcher, ...args, "--dir", this.#directory];
    const { status, stderr } = spawnSync(process.execPath, command, { env: this.#env, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  }
}
