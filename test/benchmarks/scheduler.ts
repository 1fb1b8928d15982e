import type { New } from "../../src/apimachinery/index.ts";
import type { Client } from "../../src/api/index.ts";
import { Deployment } from "../../src/api/types/apps-v1.ts";
import { Node, Pod } from "../../src/api/types/core-v1.ts";
import { startCluster } from "../../src/testing/index.ts";

/** One measurement of the whole control plane at scheduling. */
export interface SchedulerRow {
  readonly what: string;
  readonly perSecond: number;
  /** Of the whole process, user and system: creation, scheduling, binding and the nodes' reports. */
  readonly cpuMicroseconds: number;
}

const creators = 32;

/** Pods to bind on many nodes, made one by one and by a Deployment. */
export async function measureScheduler(): Promise<readonly SchedulerRow[]> {
  return [await pods({ nodes: 1000, count: 2000 }), await deployment({ nodes: 100, replicas: 1000 })];
}

async function pods({ nodes, count }: { nodes: number; count: number }): Promise<SchedulerRow> {
  return measure(`${count} pods on ${nodes} nodes`, { nodes, count }, async (client) => {
    let next = 0;
    const create = async () => {
      while (next < count) await client.create(Pod, podOf(next++));
    };
    await Promise.all(Array.from({ length: creators }, create));
  });
}

async function deployment({ nodes, replicas }: { nodes: number; replicas: number }): Promise<SchedulerRow> {
  return measure(
    `a Deployment of ${replicas} on ${nodes} nodes`,
    { nodes, count: replicas },
    async (client) => {
      const labels = { app: "web" };
      const { spec } = podOf(0);
      await client.create(Deployment, {
        metadata: { name: "web", namespace: "default" },
        spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      });
    },
  );
}

async function measure(
  what: string,
  { nodes, count }: { nodes: number; count: number },
  make: (client: Client) => Promise<void>,
): Promise<SchedulerRow> {
  const cluster = await startCluster({ nodes });
  try {
    await schedulable(cluster.client, nodes);
    const before = process.cpuUsage();
    const start = performance.now();
    const bound = allBound(cluster.client, count);
    await make(cluster.client);
    await bound;
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    return {
      what,
      perSecond: Math.round(count / seconds),
      cpuMicroseconds: Math.round((user + system) / count),
    };
  } finally {
    await cluster.stop();
  }
}

/** Settles when all nodes are there and none keeps pods off any more. */
async function schedulable(client: Client, nodes: number): Promise<void> {
  for (;;) {
    const { items } = await client.list(Node);
    const ready = items.filter(({ spec }) => (spec.taints ?? []).length === 0);
    if (items.length === nodes && ready.length === nodes) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Settles when so many pods have got their node. */
async function allBound(client: Client, count: number): Promise<void> {
  const lifetime = new AbortController();
  const bound = new Set<string>();
  for await (const batch of client.watch(Pod, { signal: lifetime.signal })) {
    for (const event of batch) {
      if (event.type === "BOOKMARK" || !("spec" in event.object)) continue;
      const { metadata, spec } = event.object;
      if (spec.nodeName) bound.add(metadata.uid);
    }
    if (bound.size >= count) break;
  }
  lifetime.abort();
}

const podOf = (index: number): New<Pod> => ({
  metadata: { name: `pod-${index}`, namespace: "default" },
  spec: {
    containers: [{ name: "c", image: "i", resources: { requests: { cpu: "100m", memory: "64Mi" } } }],
  },
});
