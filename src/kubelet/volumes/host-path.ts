import { mkdir, open, stat } from "node:fs/promises";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import type { HostPathVolumeSource } from "../../api/types/core-v1.ts";
import type { VolumePlugin } from "./volume-plugin.ts";

/** A path of the node. */
export const hostPathVolume: VolumePlugin = {
  field: "hostPath",
  folder: "kubernetes.io~host-path",
  live: false,
  async setUp({ volume }) {
    const source = volume.hostPath ?? { path: "" };
    await checkHostPath(source);
    return { path: source.path, readOnly: false, ownable: false };
  },
};

const checks: Readonly<Record<string, { what: string; holds: (info: Stats) => boolean }>> = {
  Directory: { what: "directory", holds: (info) => info.isDirectory() },
  File: { what: "file", holds: (info) => info.isFile() },
  Socket: { what: "socket", holds: (info) => info.isSocket() },
  CharDevice: { what: "character device", holds: (info) => info.isCharacterDevice() },
  BlockDevice: { what: "block device", holds: (info) => info.isBlockDevice() },
};

/** Makes or checks a path of the node as the volume's type demands. */
export async function checkHostPath({ path, type = "" }: HostPathVolumeSource): Promise<void> {
  if (type === "") {
    // As upstream's runtimes do, what is missing becomes a directory.
    if (!(await statOf(path))) await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (type === "DirectoryOrCreate" && !(await statOf(path)))
    await mkdir(path, { recursive: true, mode: 0o755 });
  if (type === "FileOrCreate" && !(await statOf(path))) {
    await mkdir(dirname(path), { recursive: true });
    await (await open(path, "a", 0o644)).close();
  }
  const check = checks[type.replace("OrCreate", "")];
  const info = await statOf(path);
  if (!check || !info || !check.holds(info))
    throw new Error(`hostPath type check failed: ${path} is not a ${check?.what ?? type}`);
}

async function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}
