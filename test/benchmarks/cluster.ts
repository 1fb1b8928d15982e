import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pod } from "../../src/api/types/core-v1.ts";
import { startCluster } from "../../src/testing/index.ts";

/** One measurement of a whole cluster, with its unit. */
export interface ClusterRow {
  readonly what: string;
  readonly value: string;
}

const root = new URL("../..", import.meta.url).pathname;
const nodes = 100;
const pods = 1_000;
const repetitions = 5;
const median = (values: readonly number[]) =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
const milliseconds = (span: number) => `${Math.round(span)} ms`;

/** Start-up, memory, and how fast pods are scheduled and become ready on simulated nodes. */
export async function measureCluster(): Promise<readonly ClusterRow[]> {
  return [...(await commandRows()), ...(await testClusterRows()), ...(await schedulerRows())];
}

async function commandRows(): Promise<ClusterRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "kubets-bench-"));
  const directory = join(scratch, "cluster");
  const env = { ...process.env, XDG_CACHE_HOME: join(scratch, "cache") };
  const port = await freePort();
  const kubets = (...args: string[]) => {
    const start = performance.now();
    const command = [join(root, "dist/kubets.cjs"), ...args, "--dir", directory];
    const { status, stderr } = spawnSync(process.execPath, command, { env, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - start;
  };
  const up = () => kubets("up", "--nodes", "0", "--port", String(port));
  try {
    const first = up();
    kubets("down");
    const later: number[] = [];
    let memory = "";
    for (let run = 0; run < repetitions; run++) {
      later.push(up());
      const pid = /^control-plane (\d+)/m.exec(readFileSync(join(directory, "pids"), "utf8"))?.[1];
      memory = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
      kubets("down");
    }
    return [
      { what: "first up --nodes 0, new cluster, no compiled code", value: milliseconds(first) },
      { what: `later up --nodes 0, median of ${repetitions}`, value: milliseconds(median(later)) },
      { what: "control plane's memory after start", value: `${Math.round(Number(memory) / 1024)} MiB` },
    ];
  } finally {
    kubets("delete");
    await rm(scratch, { recursive: true });
  }
}

async function testClusterRows(): Promise<ClusterRow[]> {
  const spans: number[] = [];
  for (let run = 0; run < repetitions; run++) {
    const start = performance.now();
    const cluster = await startCluster();
    spans.push(performance.now() - start);
    await cluster.stop();
  }
  return [
    { what: "startCluster, first in a process", value: milliseconds(spans[0] ?? 0) },
    { what: `startCluster, median of ${repetitions}`, value: milliseconds(median(spans)) },
  ];
}

async function schedulerRows(): Promise<ClusterRow[]> {
  const names = Array.from({ length: nodes }, (_, index) => `node-${index + 1}`);
  const cluster = await startCluster({ nodes: { names } });
  const stop = new AbortController();
  const times = { scheduled: 0, running: 0 };
  const start = performance.now();
  const before = process.cpuUsage();
  const done = (async () => {
    const [bound, running] = [new Set<string>(), new Set<string>()];
    for await (const events of cluster.client.watch(Pod, { signal: stop.signal })) {
      for (const event of events) {
        if (event.type === "BOOKMARK") continue;
        const { metadata, spec, status } = event.object;
        if (spec.nodeName !== undefined) bound.add(metadata.name);
        if (status.phase === "Running") running.add(metadata.name);
      }
      if (times.scheduled === 0 && bound.size === pods) times.scheduled = performance.now() - start;
      if (running.size === pods) return void (times.running = performance.now() - start);
    }
  })();
  for (let index = 0; index < pods; index++) {
    await cluster.client.create(Pod, {
      metadata: { name: `pod-${index}`, namespace: "default" },
      spec: { containers: [{ name: "main", image: "image:1", resources: { requests: { cpu: "100m" } } }] },
    });
  }
  await done;
  const { user, system } = process.cpuUsage(before);
  stop.abort();
  await cluster.stop();
  const rate = (span: number) => `${Math.round(pods / (span / 1000))} a second`;
  return [
    { what: `${pods} pods scheduled on ${nodes} nodes`, value: rate(times.scheduled) },
    { what: `${pods} pods running on ${nodes} simulated nodes`, value: rate(times.running) },
    {
      what: "processor time a pod, all components",
      value: `${((user + system) / pods / 1000).toFixed(1)} ms`,
    },
    { what: "memory of that process", value: `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB` },
  ];
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
