import { chmod, chown, lchown, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

const fileBits = 0o660;
const folderBits = 0o770 | 0o2000;

/** Gives a volume's files to the pod's file system group, which may then read and write them. */
export async function giveToGroup(
  path: string,
  options: { readonly group: number; readonly policy: "OnRootMismatch" | "Always" },
): Promise<void> {
  if (options.policy === "OnRootMismatch") {
    const root = await lstat(path);
    if (root.gid === options.group && (root.mode & folderBits) === folderBits) return;
  }
  await give(path, options.group);
}

async function give(path: string, group: number): Promise<void> {
  const info = await lstat(path);
  if (info.isSymbolicLink()) return lchown(path, info.uid, group);
  if (info.isDirectory()) for (const name of await readdir(path)) await give(join(path, name), group);
  await chown(path, info.uid, group);
  await chmod(path, (info.mode & 0o7777) | (info.isDirectory() ? folderBits : fileBits));
}
