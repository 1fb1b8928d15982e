import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";

/** How this machine's control groups are laid out. */
export type CgroupLayout = "v1" | "hybrid" | "v2";

/** Finds the layout from `/proc/self/mountinfo`. */
export function cgroupLayout(mountInfo: string): CgroupLayout {
  const mounts = mountInfo.split("\n").flatMap((line) => {
    const [before, after] = line.split(" - ");
    const path = before?.split(" ")[4];
    const type = after?.split(" ")[0];
    return path && type ? [{ path, type }] : [];
  });
  const has = (type: string, path: string) =>
    mounts.some((mount) => mount.type === type && mount.path === path);
  if (has("cgroup2", "/sys/fs/cgroup")) return "v2";
  return has("cgroup2", "/sys/fs/cgroup/unified") ? "hybrid" : "v1";
}

export async function readCgroupLayout(): Promise<CgroupLayout> {
  return cgroupLayout(await readFile("/proc/self/mountinfo", "utf8"));
}

const capSysResource = 24n;

/** Whether this process has CAP_SYS_RESOURCE, without which it cannot lower out-of-memory adjustments. */
export async function mayLowerOomScore(): Promise<boolean> {
  const status = await readFile("/proc/self/status", "utf8");
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> capSysResource) & 1n) === 1n;
}

const programDirectories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The path of a program, looked for where systems keep them, also when PATH lacks the administrator's folders. */
export async function findProgram(name: string): Promise<string | undefined> {
  const path = (process.env["PATH"] ?? "").split(":").filter((folder) => folder !== "");
  for (const folder of new Set([...path, ...programDirectories])) {
    try {
      await access(`${folder}/${name}`, constants.X_OK);
      return `${folder}/${name}`;
    } catch {
      continue;
    }
  }
  return undefined;
}
