import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLogger, systemClock } from "../../base/index.ts";
import { ContainerdProcess, containerdCommand } from "./containerd-process.ts";
import { isRunning } from "./processes.ts";

test.each([
  ["v2", undefined, "containerd"],
  ["v1", 7, "containerd"],
  ["hybrid", undefined, "unshare --mount"],
  ["hybrid", 7, "nsenter --mount=/proc/7/ns/mnt -- containerd"],
] as const)("with control groups %s and shim %s it runs as %s", (layout, shim, expected) => {
  const command = containerdCommand(["containerd", "--config", "c"], { layout, shim }).join(" ");
  expect(command.startsWith(expected)).toBe(true);
  expect(command.endsWith("containerd --config c")).toBe(true);
});

test("containerd that ends unbidden is started again, one that is stopped is not", async () => {
  const directory = await mkdtemp(join(tmpdir(), "kubets-containerd-"));
  const program = join(directory, "containerd");
  await writeFile(program, `#!/bin/sh\necho started >>${directory}/starts\nexec sleep 600\n`, {
    mode: 0o755,
  });
  const reported: string[] = [];
  const restarted: number[] = [];
  const containerd = new ContainerdProcess({
    program,
    configFile: join(directory, "containerd.toml"),
    socketPath: join(directory, "socket"),
    logFile: join(directory, "log"),
    layout: "v1",
    clock: systemClock,
    onRestarted: (pid) => restarted.push(pid),
    logger: { ...silentLogger, error: (message) => void reported.push(message) },
  });
  await containerd.start();
  containerd.supervise();
  const starts = async () => (await readFile(join(directory, "starts"), "utf8").catch(() => "")).length / 8;
  await expect.poll(starts).toBe(1);
  process.kill(containerd.pid ?? 0, "SIGKILL");
  await expect.poll(starts).toBe(2);
  expect(reported).toEqual([
    "containerd was ended by SIGKILL; it is started again, and containers go on meanwhile",
  ]);
  const { pid = 0 } = containerd;
  expect(restarted).toEqual([pid]);
  await containerd.stop();
  expect(isRunning(pid)).toBe(false);
  expect(await starts()).toBe(2);
  await rm(directory, { recursive: true });
});
