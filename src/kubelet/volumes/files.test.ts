import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeAtomically } from "./atomic-writer.ts";
import { checkHostPath } from "./host-path.ts";
import { subPath } from "./sub-path.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubets-volumes-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const payload = (files: Record<string, string>) =>
  new Map(
    Object.entries(files).map(([path, content]) => [path, { content: Buffer.from(content), mode: 0o440 }]),
  );

test("what a volume shows is exchanged as a whole", async () => {
  expect(await writeAtomically(folder, payload({ a: "1", "deep/b": "2" }), { stamp: "one" })).toBe(true);
  expect((await readdir(folder)).sort()).toEqual(["..data", "..one", "a", "deep"]);
  expect((await stat(join(folder, "a"))).mode & 0o777).toBe(0o440);
  expect(await writeAtomically(folder, payload({ a: "1", "deep/b": "2" }), { stamp: "two" })).toBe(false);
  expect(await writeAtomically(folder, payload({ a: "3" }), { stamp: "three" })).toBe(true);
  expect((await readdir(folder)).sort()).toEqual(["..data", "..three", "a"]);
  expect(await readFile(join(folder, "a"), "utf8")).toBe("3");
});

test("parts of volumes are made, and never lead out", async () => {
  expect(await subPath(folder, { path: "x/y" })).toBe(join(folder, "x/y"));
  await mkdir(join(folder, "in"));
  await symlink("/etc", join(folder, "out"));
  await symlink("in", join(folder, "inside"));
  expect(await subPath(folder, { path: "inside" })).toBe(join(folder, "in"));
  await expect(subPath(folder, { path: "out" })).rejects.toThrow("not within volume path");
  await expect(subPath(folder, { path: "out/new" })).rejects.toThrow("not within volume path");
  await expect(subPath(folder, { path: "../x" })).rejects.toThrow("must be a path below the volume");
});

test("paths of the node are made or checked by their type", async () => {
  await checkHostPath({ path: join(folder, "made"), type: "DirectoryOrCreate" });
  await checkHostPath({ path: join(folder, "made"), type: "Directory" });
  await checkHostPath({ path: join(folder, "file"), type: "FileOrCreate" });
  await expect(checkHostPath({ path: join(folder, "none"), type: "Directory" })).rejects.toThrow(
    `hostPath type check failed: ${folder}/none is not a directory`,
  );
  await expect(checkHostPath({ path: join(folder, "made"), type: "Socket" })).rejects.toThrow(
    "is not a socket",
  );
});
