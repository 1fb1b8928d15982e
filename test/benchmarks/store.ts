import { closeSync, constants, fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createMemoryStore, type Revision, type Store } from "../../src/store/index.ts";
import { openLogStore } from "../../src/store/log/index.ts";

/** One measurement of the store. */
export interface StoreRow {
  readonly what: string;
  readonly perSecond: number;
  /** Of the whole process, user and system. */
  readonly cpuMicroseconds: number;
}

const valueBytes = 1_000;
const writerCounts = [1, 32, 256] as const;
const millisecondsPerRow = 1_500;
const reads = 300_000;
const recoveredRevisions = 110_000;

/** Commits, reads and recovery of the stores, beside a plain append and fdatasync as the limit of one writer. */
export async function measureStore(): Promise<readonly StoreRow[]> {
  const directory = await mkdtemp(join(process.env["BENCH_DIRECTORY"] ?? tmpdir(), "kubets-bench-"));
  try {
    const rows: StoreRow[] = [plainAppend(join(directory, "plain"))];
    const durable = await openLogStore({ directory: join(directory, "log") });
    for (const writers of writerCounts) rows.push(await commits("durable", durable, writers));
    rows.push(await gets("durable", durable), await pages("durable", durable));
    await durable.close();
    rows.push(await recovery(join(directory, "recovery")));
    const memory = createMemoryStore();
    for (const writers of writerCounts) rows.push(await commits("memory", memory, writers));
    await memory.close();
    return rows;
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function measure(what: string, action: () => Promise<number> | number): Promise<StoreRow> {
  const before = process.cpuUsage();
  const start = performance.now();
  const count = await action();
  return rowOf(what, { count, start, before });
}

function rowOf(what: string, measured: { count: number; start: number; before: NodeJS.CpuUsage }): StoreRow {
  const seconds = (performance.now() - measured.start) / 1000;
  const { user, system } = process.cpuUsage(measured.before);
  const perSecond = Math.round(measured.count / seconds);
  return { what, perSecond, cpuMicroseconds: Math.round(((user + system) / measured.count) * 10) / 10 };
}

function plainAppend(path: string): StoreRow {
  const file = openSync(path, constants.O_CREAT | constants.O_WRONLY, 0o600);
  const value = Buffer.alloc(valueBytes, 1);
  const before = process.cpuUsage();
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < millisecondsPerRow; count++) {
    writeSync(file, value);
    fdatasyncSync(file);
  }
  closeSync(file);
  return rowOf("plain append + fdatasync", { count, start, before });
}

/** Each writer creates a key and then updates it, compacting now and then as an API server does. */
function commits(name: string, store: Store, writers: number): Promise<StoreRow> {
  return measure(`${name} commit, ${writers} writers`, async () => {
    const end = performance.now() + millisecondsPerRow;
    let count = 0;
    const write = async (writer: number) => {
      const key = `/registry/pods/default/${writers}-${writer}`;
      let revision: Revision | undefined;
      for (; performance.now() < end; count++) {
        const value = new Uint8Array(valueBytes).fill(count);
        revision = await store.commit(
          revision === undefined
            ? { type: "create", key, value }
            : { type: "update", key, value, ifModified: revision },
        );
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
    await store.compact(store.revision);
    return count;
  });
}

function gets(name: string, store: Store): Promise<StoreRow> {
  return measure(`${name} get`, async () => {
    for (let at = 0; at < reads; at++) await store.get(`/registry/pods/default/256-${at % 256}`);
    return reads;
  });
}

function pages(name: string, store: Store): Promise<StoreRow> {
  return measure(`${name} list of 200`, async () => {
    const lists = reads / 100;
    for (let at = 0; at < lists; at++) await store.list("/registry/pods/", { limit: 200 });
    return lists;
  });
}

async function recovery(directory: string): Promise<StoreRow> {
  const store = await openLogStore({ directory });
  const keys = 1_000;
  for (let at = 0; at < recoveredRevisions; at += keys) {
    await Promise.all(
      Array.from({ length: keys }, (_, key) =>
        store.commit({
          type: "create",
          key: `/registry/pods/${at + key}`,
          value: new Uint8Array(valueBytes),
        }),
      ),
    );
  }
  await store.close();
  return measure("durable recovery, revisions", async () => {
    await (await openLogStore({ directory })).close();
    return recoveredRevisions;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) console.table(await measureStore());
