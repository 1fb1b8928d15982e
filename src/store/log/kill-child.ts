import { openLogStore } from "./log-store.ts";

// Started by log-store.test.ts: writes from many writers until it is killed, and tells what was acknowledged.
const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: kill-child DIRECTORY");
const store = await openLogStore({ directory, segmentBytes: 256 * 1024 });
const writers = 64;

const create = (key: string, value: Uint8Array) => store.commit({ type: "create", key, value });

/** Two keys that are there together or not at all. */
async function createTwins(key: string, value: Uint8Array): Promise<number> {
  const success = [key, `${key}/twin`].map((one) => ({ type: "put", key: one, value }) as const);
  return (await store.transact({ compare: [], success, failure: [] })).revision;
}

async function write(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const value = Buffer.alloc(1000, `${writer}/${count} `);
    const key = `/${writer}/${count}`;
    process.stdout.write(
      `${writer % 2 === 0 ? await create(key, value) : await createTwins(key, value)} ${key}\n`,
    );
  }
}

await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
