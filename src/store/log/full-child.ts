import { rmSync } from "node:fs";
import { StoreError } from "../store.ts";
import { openLogStore } from "./log-store.ts";

// Started by full-disk.test.ts: writes until the disk takes no more, reads, and writes on when it does again, which
// is when the test says so or when what else fills the disk is removed.
const [directory, filler] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: full-child DIRECTORY [FILLER]");
let store = await openLogStore({ directory });
const tell = (line: string) => process.stdout.write(`${line}\n`);
const retryDelay = 20;

let written = 0;

/** Why the store refused a write; undefined: it is done. */
async function refusalOfWrite(): Promise<string | undefined> {
  try {
    await store.commit({ type: "create", key: `/${written}`, value: new Uint8Array(1_000).fill(1) });
    written++;
    return undefined;
  } catch (error) {
    if (error instanceof StoreError) return `${error.type}: ${error.message}`;
    throw error;
  }
}

async function writeUntilFull(): Promise<string> {
  for (;;) {
    const refusal = await refusalOfWrite();
    if (refusal !== undefined) return refusal;
  }
}

tell(await writeUntilFull());
const { items } = await store.list("/");
tell(`${items.length} of ${written} can be read`);
await store.close();
store = await openLogStore({ directory });
tell(`${(await store.list("/")).items.length} can be read after a restart`);
if (filler !== undefined) rmSync(filler);
while ((await refusalOfWrite()) !== undefined)
  await new Promise((resolve) => setTimeout(resolve, retryDelay));
tell("writes again");
await store.close();
const again = await openLogStore({ directory });
tell(`${again.revision - 1} of ${written} are there again`);
await again.close();
