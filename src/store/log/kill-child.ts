import { openLogStore } from "./log-store.ts";

// Started by kill.test.ts: writes from many writers until it is killed, and tells what was acknowledged.
const [directory, life] = process.argv.slice(2);
if (directory === undefined || life === undefined) throw new Error("usage: kill-child DIRECTORY LIFE");
const store = await openLogStore({ directory, segmentBytes: 256 * 1024, garbageFloor: 64 * 1024 });
const writers = 64;
const hotKey = "/hot";
/** Writes to the hot key between compactions, which also rewrite the files. */
const writesPerCompaction = 12;

const create = (key: string, value: Uint8Array) => store.commit({ type: "create", key, value });

/** Two keys that are there together or not at all. */
async function createTwins(key: string, value: Uint8Array): Promise<number> {
  const success = [key, `${key}/twin`].map((one) => ({ type: "put", key: one, value }) as const);
  return (await store.transact({ compare: [], success, failure: [] })).revision;
}

async function write(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const key = `/${life}/${writer}/${count}`;
    const value = Buffer.alloc(1000, `${key} `);
    process.stdout.write(
      `${writer % 2 === 0 ? await create(key, value) : await createTwins(key, value)} ${key}\n`,
    );
  }
}

/** Makes garbage, and has it collected. */
async function makeGarbage(): Promise<never> {
  const success = [{ type: "put", key: hotKey, value: Buffer.alloc(4_000, "hot") }] as const;
  for (let count = 1; ; count++) {
    const { revision } = await store.transact({ compare: [], success, failure: [] });
    if (count % writesPerCompaction === 0) await store.compact(revision);
  }
}

await Promise.all([makeGarbage(), ...Array.from({ length: writers }, (_, writer) => write(writer))]);
