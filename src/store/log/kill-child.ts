import { openLogStore } from "./log-store.ts";

// Started by log-store.test.ts: writes from many writers until it is killed, and tells what was acknowledged.
const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: kill-child DIRECTORY");
const store = await openLogStore({ directory, segmentBytes: 256 * 1024 });
const writers = 64;

async function write(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const value = Buffer.alloc(1000, `${writer}/${count} `);
    const revision = await store.commit({ type: "create", key: `/${writer}/${count}`, value });
    process.stdout.write(`${revision} /${writer}/${count}\n`);
  }
}

await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
