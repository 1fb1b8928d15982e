import { setMaxListeners } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import { setImmediate as turn } from "node:timers/promises";
import { ConfigMap } from "../../src/api/types/core-v1.ts";
import { startCluster, type TestCluster } from "../../src/testing/index.ts";

/** One kind of request: how many a second, and the processor time of one, client's share included over HTTPS. */
export interface ApiRow {
  readonly what: string;
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

const objects = 1_000;
const concurrency = 32;
const watchers = 100;
const collection = "/api/v1/namespaces/default/configmaps";
const dataOf = (index: number) => ({ index: String(index), filler: "x".repeat(500) });
const nameOf = (index: number) => `object-${index}`;

/** A request for the object of an index. */
type Action = (index: number) => Promise<unknown>;

/** Creates, gets, lists, patches and watches, once in the server's process and once over HTTP/2 with TLS. */
export async function measureApi(): Promise<readonly ApiRow[]> {
  const rows: ApiRow[] = [];
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

async function measure(what: string, work: { count: number; action: Action }): Promise<ApiRow> {
  const { count, action } = work;
  const before = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return rowOf(what, { count, start, before });
}

function rowOf(what: string, measured: { count: number; start: number; before: NodeJS.CpuUsage }): ApiRow {
  const { count, start, before } = measured;
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    what,
    perSecond: Math.round(count / seconds),
    cpuMicroseconds: Math.round((user + system) / count),
  };
}

/** Patches while many watch; the row is of one event for one watcher. */
async function measureWatch({ client }: TestCluster, way: Way): Promise<ApiRow> {
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

function openSession(kubeconfig: string): ClientHttp2Session {
  const field = (name: string) => new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1] ?? "";
  const pem = (name: string) => Buffer.from(field(name), "base64");
  return connect(field("server"), {
    ca: pem("certificate-authority-data"),
    cert: pem("client-certificate-data"),
    key: pem("client-key-data"),
    maxSessionMemory: 256,
  });
}

function send(
  session: ClientHttp2Session,
  request: { method?: string; path: string; type?: string; body?: string },
): Promise<void> {
  const { method = "GET", path, type = "application/json", body } = request;
  const content = body === undefined ? {} : { "content-type": type };
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": method, ":path": path, ...content });
    stream.once("response", ({ ":status": status = 0 }) => {
      if (status >= 300) reject(new Error(`${method} ${path}: ${status}`));
    });
    stream.once("error", reject);
    stream.once("end", resolve);
    stream.resume();
    stream.end(body);
  });
}
