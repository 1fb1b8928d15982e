import { setMaxListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom, silentLogger, systemClock } from "../../src/base/index.ts";
import type { Milliseconds } from "../../src/base/index.ts";
import { type Mvcc, startCompactor, StoreError } from "../../src/store/index.ts";
import { openLogStore } from "../../src/store/log/index.ts";

/** What the process and the files take after so much time of mixed load. */
export interface SoakRow {
  readonly seconds: number;
  readonly revision: number;
  readonly keys: number;
  /** What watchers have heard of, all together. */
  readonly events: number;
  readonly residentMegabytes: number;
  readonly fileMegabytes: number;
}

const minutes = Number(process.env["BENCH_MINUTES"] ?? 10);
const sampleInterval: Milliseconds = 30_000;
/** History is short, so that many compactions fall into the time. */
const history: Milliseconds = 20_000;
const keys = 5_000;
const valueBytes = 1_000;
const writers = 8;
const watchers = 50;
/** Between the operations of one writer: some five hundred a second in all. */
const pause: Milliseconds = 15;

/** Ten minutes, or `BENCH_MINUTES`, of creations, updates, deletions, leases, lists and watches on one durable store. */
export async function measureSoak(): Promise<readonly SoakRow[]> {
  const directory = await mkdtemp(join(process.env["BENCH_DIRECTORY"] ?? tmpdir(), "kubets-soak-"));
  const store = await openLogStore({ directory });
  const stopping = new AbortController();
  const { signal } = stopping;
  setMaxListeners(0, signal);
  const counts = { events: 0 };
  const work = [
    startCompactor({
      store,
      clock: systemClock,
      logger: silentLogger,
      signal,
      policy: { interval: history },
    }),
    ...Array.from({ length: writers }, (_, seed) => write(store, seed, signal)),
    ...Array.from({ length: watchers }, (_, index) => watch(store, { index, counts, signal })),
  ];
  const rows: SoakRow[] = [];
  try {
    for (let passed = 0; passed < minutes * 60_000; passed += sampleInterval) {
      await sleep(sampleInterval);
      rows.push(await sample(store, { seconds: (passed + sampleInterval) / 1_000, events: counts.events }));
    }
  } finally {
    stopping.abort();
    await Promise.all(work);
    await store.close();
    await rm(directory, { recursive: true });
  }
  return rows;
}

async function sample(
  store: Mvcc,
  { seconds, events }: { readonly seconds: number; readonly events: number },
): Promise<SoakRow> {
  const { items, remaining, revision } = await store.list("/", { limit: 1 });
  const megabytes = (bytes: number) => Math.round(bytes / 100_000) / 10;
  return {
    seconds,
    revision,
    keys: items.length + remaining,
    events,
    residentMegabytes: megabytes(process.memoryUsage.rss()),
    fileMegabytes: megabytes(store.sizes.allocated),
  };
}

async function write(store: Mvcc, seed: number, signal: AbortSignal): Promise<void> {
  const random = seededRandom(seed);
  const value = new Uint8Array(valueBytes).fill(seed);
  while (!signal.aborted) {
    const key = `/soak/${Math.floor(random.next() * keys)}`;
    try {
      await step(store, { key, value, dice: random.next() });
    } catch (error) {
      // Another writer was there in between.
      if (!(error instanceof StoreError) || error.type !== "conflict") throw error;
    }
    // The clock's own timers would keep no process alive.
    await sleep(pause * 2 * random.next());
  }
}

async function step(
  store: Mvcc,
  { key, value, dice }: { readonly key: string; readonly value: Uint8Array; readonly dice: number },
): Promise<void> {
  const present = await store.get(key);
  if (dice < 0.02) await store.list("/soak/1", { limit: 500 });
  else if (!present && dice < 0.1) {
    await store.commit({ type: "create", key, value, lease: await store.grantLease(5_000) });
  } else if (!present) await store.commit({ type: "create", key, value });
  else if (dice < 0.3) await store.commit({ type: "delete", key, ifModified: present.modRevision });
  else await store.commit({ type: "update", key, value, ifModified: present.modRevision });
}

async function watch(
  store: Mvcc,
  options: { readonly index: number; readonly counts: { events: number }; readonly signal: AbortSignal },
): Promise<void> {
  const { index, counts, signal } = options;
  for await (const changes of store.watch(`/soak/${index}`, { after: store.revision, signal })) {
    counts.events += changes.length;
  }
}
