import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openLogStore } from "../store/log/index.ts";
import { UsageError } from "./flags.ts";
import { store } from "./store.ts";

it("checks and repairs the store of a cluster, and says what was lost", async () => {
  const cluster = await mkdtemp(join(tmpdir(), "kubets-store-command-"));
  onTestFinished(() => rm(cluster, { recursive: true }));
  const run = async (verb: string, dir = cluster) => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const context = { launcher: "", print, keepCompiledCode() {}, positionals: [verb] };
    return { code: await store({ dir }, context), lines };
  };
  await expect(run("check")).rejects.toThrow(`there is no store in ${cluster}`);
  await expect(run("mend")).rejects.toThrow(UsageError);
  const directory = join(cluster, "data", "store");
  await mkdir(directory, { recursive: true });
  const opened = await openLogStore({ directory });
  for (const key of ["/a", "/b", "/c"]) {
    await opened.commit({ type: "create", key, value: new Uint8Array(100).fill(1) });
  }
  await expect(run("check")).rejects.toThrow("is in use by this process");
  await opened.close();
  const log = join(directory, "log-000000000001");
  expect(await run("check")).toEqual({
    code: 0,
    lines: [
      `log-000000000001: ${(await readFile(log)).length} bytes, 3 frames, format 3`,
      "3 objects at revision 4, history after revision 0",
      "whole",
    ],
  });

  const bytes = await readFile(log);
  bytes[200]! ^= 1;
  await writeFile(log, bytes);
  await appendFile(log, Buffer.alloc(1_000));
  const { code, lines } = await run("check");
  expect(code).toBe(1);
  const damage = lines.filter((line) => line.startsWith("DAMAGED"));
  expect(damage).toEqual([
    expect.stringMatching(/log-000000000001 at byte \d+: a frame's checksum is wrong$/),
  ]);
  expect(lines).toContain("LOST revision 3");
  expect((await run("repair", directory)).lines.slice(-2)).toEqual([
    `kept as ${join(directory, "damaged-1-log-000000000001")}`,
    "repaired: 2 objects, going on at revision 1000004",
  ]);
  expect((await run("repair")).lines.at(-1)).toBe("nothing needs repair");
  expect((await readdir(directory)).toSorted()).toEqual([
    "damaged-1-log-000000000001",
    "log-000000000001",
    "snapshot-0000000001000004",
  ]);
});
