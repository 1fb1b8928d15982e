import { setMaxListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { ConfigMap } from "../../src/api/types/core-v1.ts";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";
import { openSession, send } from "./https.ts";
import { measure, rowOf, type Action, type CostRow } from "./measure.ts";

const objects = 1_000;
const watchers = 100;
const collection = "/api/v1/namespaces/default/configmaps";
const dataOf = (index: number) => ({ index: String(index), filler: "x".repeat(500) });
const nameOf = (index: number) => `object-${index}`;

/** Creates, gets, lists, patches and watches, once in the server's process and once over HTTP/2 with TLS. */
export async function measureApi(): Promise<readonly CostRow[]> {
  const rows: CostRow[] = [];
  for (const open of [inProcess, overHttps]) {
    const cluster = await startCluster({ nodes: 0 });
    const way = await open(cluster);
    for (const [what, { count, action }] of Object.entries(way.actions)) {
      rows.push(await measure(`${way.name} ${what}`, { count, action }));
    }
    rows.push(await measureWatch(cluster, way));
    way.close();
    await cluster.stop();
  }
  return rows;
}

interface Way {
  readonly name: string;
  readonly actions: Readonly<Record<string, { readonly count: number; readonly action: Action }>>;
  /** Calls back for each event that one watcher gets. */
  watch(onEvent: (count: number) => void, signal: AbortSignal): void;
  close(): void;
}

/** Patches while many watch; the row is of one event for one watcher. */
async function measureWatch({ client }: TestCluster, way: Way): Promise<CostRow> {
  const stop = new AbortController();
  setMaxListeners(watchers, stop.signal);
  const seen = { events: 0 };
  for (let watcher = 0; watcher < watchers; watcher++)
    way.watch((count) => (seen.events += count), stop.signal);
  const initial = watchers * objects;
  while (seen.events < initial) await turn();
  const changes = 200;
  const before = process.cpuUsage();
  const start = performance.now();
  for (let index = 0; index < changes; index++) {
    const key = { namespace: "default", name: nameOf(index) };
    await client.patch(ConfigMap, key, { type: "merge", body: { data: { changed: String(start) } } });
  }
  const count = changes * watchers;
  while (seen.events < initial + count) await turn();
  const row = rowOf(`${way.name} watch event, ${watchers} watchers`, { count, start, before });
  stop.abort();
  return row;
}

function inProcess({ client }: TestCluster): Way {
  const namespace = "default";
  const key = (index: number) => ({ namespace, name: nameOf(index % objects) });
  return {
    name: "in-process",
    actions: {
      create: {
        count: objects,
        action: (index) => client.create(ConfigMap, { metadata: key(index), data: dataOf(index) }),
      },
      get: { count: 10 * objects, action: (index) => client.get(ConfigMap, key(index)) },
      [`list of ${objects}`]: { count: 200, action: () => client.list(ConfigMap, { namespace }) },
      patch: {
        count: objects,
        action: (index) =>
          client.patch(ConfigMap, key(index), { type: "merge", body: { data: { n: String(index) } } }),
      },
    },
    watch(onEvent, signal) {
      const selection = { namespace, labelSelector: "", fieldSelector: "metadata.name!=kube-root-ca.crt" };
      void (async () => {
        for await (const batch of client.watch(ConfigMap, { ...selection, signal })) onEvent(batch.length);
      })();
    },
    close: () => undefined,
  };
}

async function overHttps(cluster: TestCluster): Promise<Way> {
  const session = openSession(await cluster.kubeconfig());
  const path = (index: number) => `${collection}/${nameOf(index % objects)}`;
  const body = (object: object) => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", ...object });
  return {
    name: "HTTPS",
    actions: {
      create: {
        count: objects,
        action: (index) =>
          send(session, {
            method: "POST",
            path: collection,
            body: body({ metadata: { name: nameOf(index) }, data: dataOf(index) }),
          }),
      },
      get: { count: 5 * objects, action: (index) => send(session, { path: path(index) }) },
      [`list of ${objects}`]: { count: 100, action: () => send(session, { path: collection }) },
      patch: {
        count: objects,
        action: (index) =>
          send(session, {
            method: "PATCH",
            path: path(index),
            type: "application/merge-patch+json",
            body: JSON.stringify({ data: { n: String(index) } }),
          }),
      },
    },
    watch(onEvent, signal) {
      const path = `${collection}?watch=1&fieldSelector=metadata.name!%3Dkube-root-ca.crt`;
      const stream = session.request({ ":path": path }, { signal });
      // Aborting is how a watch ends here.
      stream.on("error", () => undefined);
      stream.on("data", (chunk: Buffer) => onEvent(lines(chunk)));
    },
    close: () => session.destroy(),
  };
}

const newline = 10;

function lines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) count += 1;
  return count;
}
