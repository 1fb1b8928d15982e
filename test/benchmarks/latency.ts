import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./cluster.ts";
import { openSession, send } from "./https.ts";
import { measure } from "./measure.ts";
import { namespace, podName, podOf } from "./pods.ts";

/** How long gets take, in milliseconds, beside so many clients that list all pods all the time. */
export interface LatencyRow {
  readonly listers: number;
  readonly gets: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

const pods = 3_000;
const seconds = 10;
const listers = [0, 1, 4];
const collection = `/api/v1/namespaces/${namespace}/pods`;
const root = new URL("../..", import.meta.url).pathname;

/** Gets of single pods while others list some 12 MB at a time. */
export async function measureLatency(): Promise<readonly LatencyRow[]> {
  const scratch = await mkdtemp(join(tmpdir(), "kubets-bench-"));
  const directory = join(scratch, "cluster");
  const kubets = (...args: readonly string[]) => {
    const command = [join(root, "dist/kubets.cjs"), ...args, "--dir", directory];
    const { status, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  };
  kubets("up", "--nodes", "0", "--port", String(await freePort()));
  try {
    const kubeconfig = join(directory, "kubeconfig");
    const session = openSession(readFileSync(kubeconfig, "utf8"));
    const create = (index: number) => {
      const body = JSON.stringify({ apiVersion: "v1", kind: "Pod", ...podOf(index) });
      return send(session, { method: "POST", path: collection, body });
    };
    await measure("fill", { count: pods, action: create });
    const rows: LatencyRow[] = [];
    for (const count of listers) {
      const children = Array.from({ length: count }, () => fork(import.meta.filename, [kubeconfig]));
      await Promise.all(children.map(started));
      rows.push(rowOfTimes(count, await timesOfGets((path) => send(session, { path }))));
      await Promise.all(children.map(ended));
    }
    session.close();
    return rows;
  } finally {
    kubets("delete");
    await rm(scratch, { recursive: true });
  }
}

/** The times of one get after the other, at some distance. */
async function timesOfGets(get: (path: string) => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let index = 0; performance.now() < end; index++) {
    const start = performance.now();
    await get(`${collection}/${podName(index % pods)}`);
    times.push(performance.now() - start);
    await sleep(2);
  }
  return times;
}

function rowOfTimes(count: number, times: readonly number[]): LatencyRow {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1));
  const longest = Number((sorted.at(-1) ?? 0).toFixed(1));
  return { listers: count, gets: times.length, p50: at(0.5), p99: at(0.99), longest };
}

const started = (child: ChildProcess) => new Promise((resolve) => child.once("message", resolve));

function ended(child: ChildProcess): Promise<unknown> {
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  return exit;
}

/** The part of a lister, in a process of its own: the reading of lists must not hold up the gets. */
async function listForever(kubeconfig: string): Promise<never> {
  const session = openSession(readFileSync(kubeconfig, "utf8"));
  for (let lists = 0; ; lists++) {
    await send(session, { path: collection });
    if (lists === 0) process.send?.("started");
  }
}

const [, script, kubeconfigOfLister] = process.argv;
if (script === import.meta.filename && kubeconfigOfLister !== undefined)
  await listForever(kubeconfigOfLister);
