import {
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file that a volume shows. */
export interface ProjectedFile {
  readonly content: Uint8Array;
  readonly mode: number;
  /** Owner, where it is not root. */
  readonly user?: number | undefined;
}

/** Files by their path in the volume. */
export type Payload = ReadonlyMap<string, ProjectedFile>;

const dataLink = "..data";

/**
 * Makes a directory show exactly `payload`, all of it from one moment to the next: files are written into a fresh folder
 * to which the link `..data` is then turned; what users see are links through `..data`. Answers whether anything changed.
 */
export async function writeAtomically(
  directory: string,
  payload: Payload,
  options: { readonly stamp: string; readonly group?: number | undefined },
): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  const old = await readlink(join(directory, dataLink)).catch(() => undefined);
  if (old !== undefined && (await shows(join(directory, old), payload))) return false;
  const folder = `..${options.stamp}`;
  await mkdir(join(directory, folder), { mode: 0o755 });
  for (const [path, file] of payload)
    await writeProjected(join(directory, folder, path), { file, group: options.group });
  await chmod(join(directory, folder), 0o755);
  await symlink(folder, join(directory, `${dataLink}_tmp`));
  await rename(join(directory, `${dataLink}_tmp`), join(directory, dataLink));
  await linkVisible(directory, payload);
  if (old !== undefined) await rm(join(directory, old), { recursive: true, force: true });
  return true;
}

async function writeProjected(
  path: string,
  { file, group }: { file: ProjectedFile; group: number | undefined },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, file.content);
  if (file.user !== undefined || group !== undefined) await chown(path, file.user ?? 0, group ?? 0);
  await chmod(path, group === undefined ? file.mode : file.mode | 0o440);
}

async function linkVisible(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split("/")[0] ?? ""));
  const present = (await readdir(directory)).filter((name) => !name.startsWith(".."));
  for (const name of wanted) {
    if (!present.includes(name)) await symlink(`${dataLink}/${name}`, join(directory, name));
  }
  for (const name of present) if (!wanted.has(name)) await rm(join(directory, name), { force: true });
}

async function shows(folder: string, payload: Payload): Promise<boolean> {
  const present = await filesBelow(folder, "");
  if (present.length !== payload.size || present.some((path) => !payload.has(path))) return false;
  for (const [path, file] of payload) {
    const content = await readFile(join(folder, path));
    if (!content.equals(file.content)) return false;
  }
  return true;
}

async function filesBelow(folder: string, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(join(folder, prefix)).catch(() => [])) {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    const info = await lstat(join(folder, path));
    if (info.isDirectory()) found.push(...(await filesBelow(folder, path)));
    else found.push(path);
  }
  return found;
}
