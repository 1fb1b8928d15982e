import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imageArchive, pauseProgram } from "./index.ts";

test("archives are the same for the same content and list what tar finds", async () => {
  const make = () =>
    imageArchive({
      names: ["a.b/c:1"],
      architecture: "amd64",
      files: [{ path: "f", content: "x" }],
      config: {},
    });
  expect(Buffer.from(make()).equals(make())).toBe(true);
  const tar = execFile("tar", ["t"]);
  tar.stdin?.end(make());
  let listing = "";
  tar.stdout?.on("data", (part: string) => (listing += part));
  await once(tar, "close");
  expect(listing).toMatch(/^oci-layout\nindex\.json\n(blobs\/sha256\/[0-9a-f]{64}\n){3}$/);
});

test("the pause program is an executable for its processor", () => {
  const machine = (program: Uint8Array) => Buffer.from(program).readUInt16LE(18);
  expect(Buffer.from(pauseProgram("amd64")).subarray(0, 4).toString("latin1")).toBe("\x7fELF");
  expect([machine(pauseProgram("amd64")), machine(pauseProgram("arm64"))]).toEqual([62, 183]);
});

test.runIf(process.arch === "x64" && process.platform === "linux")(
  "the pause program ends on SIGTERM",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "kubets-pause-"));
    try {
      const file = join(folder, "pause");
      await writeFile(file, pauseProgram("amd64"), { mode: 0o755 });
      const child = execFile(file);
      await once(child, "spawn");
      // Until it has blocked the signal it dies of it, which is an end by SIGTERM too.
      child.kill("SIGTERM");
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      expect(code === 0 || signal === "SIGTERM").toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
