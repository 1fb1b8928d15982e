import { totalmem } from "node:os";
import { Pod } from "../../src/api/types/core-v1.ts";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";
import { measure } from "./measure.ts";
import { namespace, podName, podOf, statusOf } from "./pods.ts";

/** The processor time of operations, in microseconds, with so many pods in the cluster. */
export interface ScaleRow {
  readonly pods: number;
  readonly create: number;
  readonly get: number;
  readonly patchStatus: number;
  readonly pageOf500: number;
  readonly megabytes: number;
}

const sizes = [1_000, 5_000, 20_000, 50_000, 150_000];
/** What a pod takes at most; sizes for which the machine has no memory are left out. */
const bytesOfPod = 40_000;
const page = 500;
const pages = 40;

/** Whether what an operation costs grows with the number of pods. */
export async function measureScale(): Promise<readonly ScaleRow[]> {
  const cluster = await startCluster({ nodes: 0 });
  const rows: ScaleRow[] = [];
  let present = 0;
  for (const size of sizes) {
    if (size * bytesOfPod > totalmem() / 2) break;
    rows.push(await measureAt(cluster, { present, size }));
    present = size;
  }
  await cluster.stop();
  return rows;
}

async function measureAt(
  { client }: TestCluster,
  { present, size }: { readonly present: number; readonly size: number },
): Promise<ScaleRow> {
  const count = Math.min(size - present, 5_000);
  const create = (index: number) => client.create(Pod, podOf(index));
  await measure("fill", { count: size - present - count, action: (index) => create(present + index) });
  const cost = async (action: (index: number) => Promise<unknown>, times = count) =>
    (await measure("", { count: times, action })).cpuMicroseconds;
  // Spread over all of them, so that none is near the last one.
  const chosen = (index: number) => (index * 7_919) % size;
  let token = "";
  return {
    pods: size,
    create: await cost((index) => create(size - count + index)),
    get: await cost((index) => client.get(Pod, { namespace, name: podName(chosen(index)) })),
    patchStatus: await cost((index) =>
      client.patch(
        Pod,
        { namespace, name: podName(chosen(index)) },
        { type: "merge", body: statusOf(index) },
        { subresource: "status" },
      ),
    ),
    pageOf500: await cost(async () => {
      const { metadata } = await client.list(Pod, { namespace, limit: page, continue: token });
      token = metadata.continue ?? "";
    }, pages),
    megabytes: Math.round(process.memoryUsage.rss() / 1e6),
  };
}
