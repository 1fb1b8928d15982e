import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { text } from "../suite-tools.ts";
import { openLogStore } from "./log-store.ts";
import { temporaryDirectory } from "./log-tools.ts";

/** How often a process is killed, each time on what those before it have left; more of them by the environment. */
const kills = Number(process.env["STORE_KILLS"] ?? 3);
const timeout = 20_000 + kills * 10_000;
/** Characters of acknowledgements after which the process is killed, at most. */
const longestLife = 40_000;

const program = fileURLToPath(new URL("./kill-child.ts", import.meta.url));

/** What a process acknowledged, line by line, until it was killed after so many characters. */
async function lifeOf(directory: string, options: { name: string; length: number }): Promise<string[]> {
  const { name, length } = options;
  const child = spawn(process.execPath, ["--import", "tsx", program, directory, name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk: string) => {
    output += chunk;
    if (output.length > length) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.once("close", resolve));
  return output.split("\n").slice(0, -1);
}

it(
  "holds every acknowledged write of processes that were killed, one after another",
  { timeout },
  async () => {
    const directory = await temporaryDirectory();
    const random = seededRandom(kills);
    const acknowledged = new Map<string, number>();
    let compacted = 0;
    for (let kill = 0; kill < kills; kill++) {
      const length = Math.floor(random.next() * longestLife);
      for (const line of await lifeOf(directory, { name: String(kill), length })) {
        const [revision, key] = line.split(" ") as [string, string];
        acknowledged.set(key, Number(revision));
      }
      const store = await openLogStore({ directory });
      const { items } = await store.list("/");
      const found = new Map(items.map(({ key, modRevision }) => [key, modRevision]));
      const lost = [...acknowledged].filter(([key, revision]) => found.get(key) !== revision);
      expect(lost, `after kill ${kill + 1}`).toEqual([]);
      for (const { key, value, modRevision } of items) {
        if (key === "/hot") continue;
        const single = key.replace("/twin", "");
        expect(text(value).startsWith(`${single} `)).toBe(true);
        if (single !== key) expect(found.get(single)).toBe(modRevision);
      }
      compacted = store.compactedRevision;
      await store.close();
    }
    expect(acknowledged.size).toBeGreaterThan(kills * 300);
    expect(compacted).toBeGreaterThan(0);
    expect(await readdir(directory)).not.toContain("lock");
  },
);
