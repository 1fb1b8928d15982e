import { spawnSync } from "node:child_process";
import { setMaxListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { silentLogger, systemClock } from "../../src/base/index.ts";
import { createMemoryStore, type Mvcc, type Revision, type Store } from "../../src/store/index.ts";
import { openLogStore } from "../../src/store/log/index.ts";
import { connectEtcdStore } from "../../src/etcd/client/index.ts";
import { startMembers } from "../etcd/members.ts";
import { plainAppends } from "./plain-append.ts";

/** One measurement of the store. */
export interface StoreRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Of this process, user and system, for one of what is counted. */
  readonly cpuMicroseconds?: number;
}

const valueBytes = 1_000;
const writers = 32;
const writerCounts = [1, writers, 256] as const;
const millisecondsPerRow = 1_500;
/** Disks differ from second to second: what is compared is measured in turns. */
const turns = 10;
const millisecondsPerTurn = 500;
const reads = 300_000;
const objects = 150_000;
const watchers = 1_000;
const rounds = 100;
const forks = 9;

/** Commits, reads, watches, forks, disk use and recovery of the stores, beside plain appends and etcd where installed. */
export async function measureStore(): Promise<readonly StoreRow[]> {
  const directory = await mkdtemp(join(process.env["BENCH_DIRECTORY"] ?? tmpdir(), "kubets-bench-"));
  try {
    return [
      ...(await compared(directory)),
      ...(await ofLog(join(directory, "log"))),
      ...(await ofManyObjects(join(directory, "many"))),
      ...(await ofMemory()),
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Durable writes of many writers: plain appends that share a sync, the log store, and etcd. */
async function compared(directory: string): Promise<readonly StoreRow[]> {
  const log = await openLogStore({ directory: join(directory, "compared") });
  const etcd = await openEtcd();
  const sums = { plain: 0, log: 0, etcd: 0 };
  for (let turn = 0; turn < turns; turn++) {
    const path = join(directory, `plain-${turn}`);
    sums.plain += await plainAppends(path, { writers, valueBytes, milliseconds: millisecondsPerTurn });
    sums.log += (await commits("", log, window)).value;
    if (etcd) sums.etcd += (await commits("", etcd.store, window)).value;
  }
  await log.close();
  await etcd?.stop();
  const row = (what: string, sum: number): StoreRow => ({
    what,
    value: Math.round(sum / turns),
    unit: "a second",
  });
  return [
    row(`plain appends, shared fdatasync, ${writers} writers`, sums.plain),
    row(`durable commits, ${writers} writers`, sums.log),
    { what: "durable commits of plain appends", value: percent(sums.log, sums.plain), unit: "%" },
    ...(etcd
      ? [
          row(`etcd puts, ${writers} writers`, sums.etcd),
          { what: "durable commits of etcd's puts", value: percent(sums.log, sums.etcd), unit: "%" },
        ]
      : []),
  ];
}

const window = { count: writers, milliseconds: millisecondsPerTurn };
const percent = (part: number, whole: number) => Math.round((part / whole) * 100);

/** A real etcd of one member, where it is installed. */
async function openEtcd(): Promise<{ store: Store; stop: () => Promise<void> } | undefined> {
  if (spawnSync("etcd", ["--version"]).status !== 0) return undefined;
  const cluster = await startMembers(1);
  const store = await connectEtcdStore({
    servers: cluster.urls,
    clock: systemClock,
    logger: silentLogger,
  });
  return {
    store,
    async stop() {
      await store.close();
      await cluster.stop();
    },
  };
}

async function ofLog(directory: string): Promise<readonly StoreRow[]> {
  const durable = await openLogStore({ directory });
  const rows: StoreRow[] = [];
  for (const count of writerCounts) {
    rows.push(await commits("durable", durable, { count, milliseconds: millisecondsPerRow }));
  }
  rows.push(await gets("durable", durable), await pages("durable", durable));
  rows.push(...(await watching("durable", durable)));
  await durable.close();
  return rows;
}

async function ofMemory(): Promise<readonly StoreRow[]> {
  const memory = createMemoryStore();
  const rows: StoreRow[] = [];
  for (const count of writerCounts) {
    rows.push(await commits("memory", memory, { count, milliseconds: millisecondsPerRow }));
  }
  rows.push(...(await watching("memory", memory)));
  for (let at = 0; at < objects; at++) {
    await memory.commit({ type: "create", key: `/registry/many/${at}`, value: new Uint8Array(1) });
  }
  const times: number[] = [];
  for (let count = 0; count < forks; count++) {
    const start = performance.now();
    const fork = memory.fork();
    await fork.commit({ type: "create", key: "/first", value: new Uint8Array(1) });
    times.push(performance.now() - start);
    await fork.close();
    await memory.commit({ type: "create", key: `/between/${count}`, value: new Uint8Array(1) });
  }
  rows.push(milliseconds(`memory fork of ${objects} objects and a write`, median(times)));
  await memory.close();
  return rows;
}

async function measure(what: string, action: () => Promise<number>): Promise<StoreRow> {
  const before = process.cpuUsage();
  const start = performance.now();
  const count = await action();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const cpuMicroseconds = Math.round(((user + system) / count) * 10) / 10;
  return { what, value: Math.round(count / seconds), unit: "a second", cpuMicroseconds };
}

const median = (values: readonly number[]) =>
  values.toSorted((left, right) => left - right)[values.length >> 1]!;

function milliseconds(what: string, value: number): StoreRow {
  return { what, value: Math.round(value * 100) / 100, unit: "ms" };
}

/** Each writer creates a key and then updates it, compacting now and then as an API server does. */
function commits(
  name: string,
  store: Store,
  { count, milliseconds }: { readonly count: number; readonly milliseconds: number },
): Promise<StoreRow> {
  return measure(`${name} commit, ${count} writers`, async () => {
    const end = performance.now() + milliseconds;
    const prefix = `/registry/pods/default/${count}-`;
    let done = 0;
    const write = async (writer: number) => {
      const key = `${prefix}${writer}`;
      let revision: Revision | undefined = (await store.get(key))?.modRevision;
      for (; performance.now() < end; done++) {
        const value = new Uint8Array(valueBytes).fill(done);
        revision = await store.commit(
          revision === undefined
            ? { type: "create", key, value }
            : { type: "update", key, value, ifModified: revision },
        );
      }
    };
    await Promise.all(Array.from({ length: count }, (_, writer) => write(writer)));
    await store.compact(store.revision);
    return done;
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

/** From the moment when a write becomes visible to the last of many watchers that has its event. */
async function watching(name: string, store: Mvcc): Promise<readonly StoreRow[]> {
  const stop = new AbortController();
  const { signal } = stop;
  setMaxListeners(0, signal);
  const batches = Array.from({ length: watchers }, (_, index) => {
    const prefix = `/registry/watched/${"x".repeat(index % 7)}`;
    return store.watch(prefix, { after: store.revision, signal })[Symbol.asyncIterator]();
  });
  let visible = 0;
  const leave = store.subscribe!("/registry/watched/", () => (visible = performance.now()));
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    const all = Promise.all(batches.map((batch) => batch.next()));
    const key = `/registry/watched/xxxxxxx${round}`;
    await store.commit({ type: "create", key, value: new Uint8Array(valueBytes) });
    await all;
    times.push(performance.now() - visible);
  }
  const { user, system } = process.cpuUsage(before);
  leave();
  stop.abort();
  const cpuMicroseconds = Math.round((user + system) / rounds);
  return [{ ...milliseconds(`${name} event at ${watchers} watchers`, median(times)), cpuMicroseconds }];
}

/** Disk use after compaction, and the start of a store with many objects: out of the log, and out of a snapshot. */
async function ofManyObjects(directory: string): Promise<readonly StoreRow[]> {
  const store = await openLogStore({ directory });
  const revisions = new Map<string, Revision>();
  const writeAll = async () => {
    for (let at = 0; at < objects; at += 1_000) {
      const write = async (_: unknown, index: number) => {
        const id = ((at + index) * 7_919) % objects;
        const key = `/registry/pods/namespace-${id % 100}/pod-${id}`;
        const value = new Uint8Array(valueBytes).fill(id);
        const ifModified = revisions.get(key);
        const write =
          ifModified === undefined
            ? ({ type: "create" } as const)
            : ({ type: "update", ifModified } as const);
        revisions.set(key, await store.commit({ ...write, key, value }));
      };
      await Promise.all(Array.from({ length: 1_000 }, write));
    }
  };
  await writeAll();
  await store.close();
  const rows = [await opening(`durable start, ${objects} objects in the log`, directory)];
  const again = await openLogStore({ directory });
  for (const key of [...revisions.keys()].slice(0, 1_000)) {
    const ifModified = revisions.get(key)!;
    await again.commit({ type: "update", key, value: new Uint8Array(valueBytes), ifModified });
  }
  await again.compact(again.revision);
  await again.maintained();
  rows.push(diskUse("files of live bytes, compacted", again));
  await again.defragment();
  rows.push(diskUse("files of live bytes, defragmented", again));
  await again.close();
  return [...rows, await opening(`durable start, ${objects} objects in a snapshot`, directory)];
}

function diskUse(what: string, { sizes }: Mvcc): StoreRow {
  return { what, value: percent(sizes.allocated, sizes.used), unit: "%" };
}

async function opening(what: string, directory: string): Promise<StoreRow> {
  const before = process.cpuUsage();
  const start = performance.now();
  const store = await openLogStore({ directory });
  const took = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  await store.close();
  const cpuMicroseconds = Math.round(((user + system) / objects) * 10) / 10;
  return { ...milliseconds(what, took), cpuMicroseconds };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) console.table(await measureStore());
