import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { PodCgroups } from "./cgroups.ts";

const hierarchy = "/sys/fs/cgroup/pids";
const mayMakeGroups = process.getuid?.() === 0 && existsSync(hierarchy);

test.skipIf(!mayMakeGroups)("processes that nobody knows any more end with their groups", async () => {
  const prefix = `kubets-cgroups-${process.pid}`;
  const group = `${hierarchy}/${prefix}/kubepods/podx`;
  await mkdir(group, { recursive: true });
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  const ended = once(child, "exit");
  await writeFile(`${group}/cgroup.procs`, String(child.pid));
  await new PodCgroups({ prefix, layout: "v1" }).removeAll();
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(existsSync(`${hierarchy}/${prefix}`)).toBe(false);
});
