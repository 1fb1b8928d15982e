import { readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../store.ts";

interface Owner {
  readonly pid: number;
  /** The process' start in clock ticks after boot where the machine tells, so that a reused number is recognized. */
  readonly started: string;
}

/** Rivals that come and go while a stale lock is taken over. */
const attempts = 10;

/**
 * Takes the directory's lock for this process, or refuses naming the process that has it; the lock of a dead process
 * is taken over. It is a symbolic link whose text says who has it: that appears in one step, and on a full disk too.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, "lock");
  const own: Owner = { pid: process.pid, started: (await statOf(process.pid))?.started ?? "" };
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await taken(path, own)) return () => rm(path);
    const owner = await ownerIn(path);
    if (owner && (await isAlive(owner))) throw heldBy(directory, owner.pid);
    await setAside(path, { stale: owner, directory, own });
  }
  throw new StoreError("unavailable", `the lock of ${directory} is fought over`);
}

/** Whether the lock was free, and is the owner's now. */
async function taken(path: string, owner: Owner): Promise<boolean> {
  try {
    await symlink(JSON.stringify(owner), path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Moves a stale lock away; when a rival took over in between, what was moved is the rival's: it goes back. */
async function setAside(
  path: string,
  options: { stale: Owner | undefined; directory: string; own: Owner },
): Promise<void> {
  const { stale, directory, own } = options;
  const aside = join(directory, `lock.stale.${own.pid}`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const moved = await ownerIn(aside);
  const isRival = moved !== undefined && (moved.pid !== stale?.pid || moved.started !== stale.started);
  if (isRival) await taken(path, moved);
  await rm(aside, { force: true });
  if (isRival) throw heldBy(directory, moved.pid);
}

function heldBy(directory: string, pid: number): StoreError {
  const who = pid === process.pid ? `this process (${pid})` : `the process ${pid}`;
  return new StoreError("unavailable", `the store in ${directory} is in use by ${who}; stop it first`);
}

async function ownerIn(path: string): Promise<Owner | undefined> {
  try {
    const value: unknown = JSON.parse(await textOf(path));
    if (typeof value !== "object" || value === null || !("pid" in value) || !("started" in value))
      return undefined;
    const { pid, started } = value;
    return typeof pid === "number" && typeof started === "string" ? { pid, started } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** What the link says, or the file that it was up to format 2. */
async function textOf(path: string): Promise<string> {
  try {
    return await readlink(path);
  } catch (error) {
    if (codeOf(error) === "EINVAL") return readFile(path, "utf8");
    throw error;
  }
}

async function isAlive(owner: Owner): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (codeOf(error) === "ESRCH") return false;
  }
  const found = await statOf(owner.pid);
  if (found === undefined) return true;
  // A killed process whose parent never asks for its end keeps its number, and nothing else.
  if (found.state === "Z" || found.state === "X") return false;
  return owner.started === "" || found.started === owner.started;
}

/** Fields 3 and 22 of /proc/PID/stat; the second field may hold spaces and ends with the last parenthesis. */
async function statOf(pid: number): Promise<{ state: string; started: string } | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", started: fields[19] ?? "" };
  } catch {
    // Not Linux, or the process has just gone; the caller falls back on the number alone.
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
