import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openLogStore } from "./log-store.ts";
import { temporaryDirectory } from "./log-tools.ts";

/** What the system lets the child write to one file at first: a real error of a real disk, without filling one. */
const firstLimit = 400_000;
const canLimit = spawnSync("prlimit", ["--version"]).status === 0;

it.skipIf(!canLimit)(
  "refuses writes when a file cannot grow, reads on, and writes when it can again",
  async () => {
    const directory = await temporaryDirectory();
    const program = fileURLToPath(new URL("./full-child.ts", import.meta.url));
    const child = spawn(
      "prlimit",
      [`--fsize=${firstLimit}:unlimited`, process.execPath, "--import", "tsx", program, directory],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const closed = new Promise((resolve) => child.once("close", resolve));
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (line.includes("can be read")) {
        execFileSync("prlimit", ["--pid", String(child.pid), "--fsize=unlimited:unlimited"]);
      }
    }
    expect(await closed).toBe(0);
    expect(lines[0]).toMatch(
      /^unavailable: no space left on the store's disk: (EFBIG|the disk takes only part)/,
    );
    const [, read, written] = /^(\d+) of (\d+) can be read$/.exec(lines[1] ?? "") ?? [];
    expect(Number(written)).toBeGreaterThan(100);
    expect(read).toBe(written);
    expect(lines[2]).toBe("writes again");
    const store = await openLogStore({ directory });
    expect(store.revision).toBe(Number(written) + 2);
    await store.close();
  },
);
