import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { setKernelSettings } from "./kernel-settings.ts";
import { ProgramError, runProgram } from "./run-program.ts";

test("a program gets its input, and its output is the answer", async () => {
  expect(await runProgram("cat", [], { input: "hello" })).toBe("hello");
});

test.each([
  { script: "echo no >&2; exit 3", message: "sh -c echo no >&2; exit 3: no" },
  { script: "exit 3", message: "sh -c exit 3: ended with 3" },
  { script: "kill -KILL $$", message: "sh -c kill -KILL $$: ended with SIGKILL" },
])("a program that fails says why: $script", async ({ script, message }) => {
  await expect(runProgram("sh", ["-c", script])).rejects.toThrow(new ProgramError(message));
});

test("codes may be allowed, missing programs are errors of their own", async () => {
  expect(await runProgram("sh", ["-c", "echo x; exit 1"], { allowed: [0, 1] })).toBe("x\n");
  await expect(runProgram("/no/such/program", [])).rejects.toMatchObject({ code: "ENOENT" });
});

test("settings are written where they differ, and passed over where the kernel has none", async () => {
  const root = await mkdtemp(join(tmpdir(), "kubets-kernel-"));
  try {
    await mkdir(join(root, "net"));
    await writeFile(join(root, "net/off"), "0\n");
    await writeFile(join(root, "net/on"), "1\n");
    await setKernelSettings({ "net/off": "1", "net/on": "1", "net/missing": "1" }, { root });
    expect(await readFile(join(root, "net/off"), "utf8")).toBe("1");
    expect(await readFile(join(root, "net/on"), "utf8")).toBe("1\n");
    await expect(readFile(join(root, "net/missing"))).rejects.toMatchObject({ code: "ENOENT" });
  } finally {
    await rm(root, { recursive: true });
  }
});
