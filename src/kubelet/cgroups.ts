import { mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pod } from "../api/types/core-v1.ts";
import type { CgroupLayout } from "./containerd/index.ts";
import { cpuPeriod, cpuQuota, cpuShares, podLimit, podRequest, qosClass } from "./runtime/resources.ts";

const root = "/sys/fs/cgroup";
const killTries = 50;
const killInterval = 20;
/** Version 1 controllers whose folders a pod's group gets; runtimes make those of the others. */
const limited = ["cpu", "memory"] as const;

/** The control groups of a node's pods: `PREFIX/kubepods/{burstable,besteffort}/podUID`. */
export class PodCgroups {
  private readonly prefix: string;
  private readonly layout: CgroupLayout;

  constructor(options: { prefix: string; layout: CgroupLayout }) {
    this.prefix = options.prefix.replace(/^\/+|\/+$/g, "");
    this.layout = options.layout;
  }

  get unified(): boolean {
    return this.layout === "v2";
  }

  /** Path of a pod's group below the hierarchies' roots. */
  path(pod: Pod): string {
    const qos = qosClass(pod);
    const folder = qos === "Guaranteed" ? "" : `${qos.toLowerCase()}/`;
    return `/${this.prefix === "" ? "" : `${this.prefix}/`}kubepods/${folder}pod${pod.metadata.uid}`;
  }

  /** Makes a pod's group and sets its limits. */
  async create(pod: Pod): Promise<void> {
    const path = this.path(pod);
    if (this.layout === "v2") await this.createUnified(path);
    else for (const controller of limited) await mkdir(join(root, controller, path), { recursive: true });
    await this.update(pod);
  }

  /** Sets a pod's limits; fails where a limit would be below that of a container or below what is in use. */
  async update(pod: Pod): Promise<void> {
    for (const [file, value] of this.limits(pod)) await writeFile(file, value);
  }

  /** Sets those limits of a pod that can be set before its containers have theirs. */
  async prepareUpdate(pod: Pod): Promise<void> {
    for (const [file, value] of this.limits(pod)) await writeFile(file, value).catch(() => undefined);
  }

  /** Files with their values. */
  private limits(pod: Pod): (readonly [string, string])[] {
    const path = this.path(pod);
    const shares = cpuShares(Math.ceil(podRequest(pod, "cpu") * 1000));
    const cpuLimit = podLimit(pod, "cpu");
    const memoryLimit = podLimit(pod, "memory");
    const quota = cpuLimit ? String(cpuQuota(Math.ceil(cpuLimit * 1000))) : undefined;
    const memory = memoryLimit ? String(Math.ceil(memoryLimit)) : undefined;
    const weight = Math.floor(1 + ((shares - 2) * 9999) / 262_142);
    const values =
      this.layout === "v2"
        ? ([
            [join(path, "cpu.weight"), String(weight)],
            [join(path, "cpu.max"), quota && `${quota} ${cpuPeriod}`],
            [join(path, "memory.max"), memory],
          ] as const)
        : ([
            [join("cpu", path, "cpu.shares"), String(shares)],
            [join("cpu", path, "cpu.cfs_quota_us"), quota],
            [join("memory", path, "memory.limit_in_bytes"), memory],
          ] as const);
    return values.flatMap(([file, value]) =>
      value === undefined ? [] : [[join(root, file), value] as const],
    );
  }

  /** Takes a pod's group away with everything below; fails while processes are in it. */
  async remove(pod: Pod): Promise<void> {
    await this.removeTree(this.path(pod));
  }

  /** Takes away all groups of the node's pods, and ends what still runs in them though no runtime knows it any more. */
  async removeAll(): Promise<void> {
    const path = this.prefix === "" ? "/kubepods" : `/${this.prefix}`;
    for (const hierarchy of await this.hierarchies()) {
      for (let tries = 0; await killGroup(join(hierarchy, path)); tries++) {
        if (tries === killTries) break;
        await sleep(killInterval);
      }
    }
    await this.removeTree(path);
  }

  private async hierarchies(): Promise<string[]> {
    return this.layout === "v2" ? [root] : (await readdir(root)).map((name) => join(root, name));
  }

  private async removeTree(path: string): Promise<void> {
    for (const hierarchy of await this.hierarchies()) await removeGroup(join(hierarchy, path));
  }

  private async createUnified(path: string): Promise<void> {
    let folder = root;
    for (const part of path.split("/").filter((name) => name !== "")) {
      const controllers = (await readFile(join(folder, "cgroup.controllers"), "utf8")).trim().split(/\s+/);
      const wanted = controllers.filter((name) =>
        ["cpu", "cpuset", "memory", "pids", "io", "hugetlb"].includes(name),
      );
      await writeFile(join(folder, "cgroup.subtree_control"), wanted.map((name) => `+${name}`).join(" "));
      folder = join(folder, part);
      await mkdir(folder, { recursive: true });
    }
  }
}

const isCode = (error: unknown, ...codes: string[]) =>
  codes.includes((error as NodeJS.ErrnoException).code ?? "");

/** Ends all processes of a group and those below by force; answers whether there were any. */
async function killGroup(path: string): Promise<boolean> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  let found = false;
  for (const entry of entries)
    if (entry.isDirectory()) found = (await killGroup(join(path, entry.name))) || found;
  const text = await readFile(join(path, "cgroup.procs"), "utf8").catch(() => "");
  for (const pid of text.split("\n").filter((line) => line !== "" && line !== "0")) {
    found = true;
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch (error) {
      if (!isCode(error, "ESRCH")) throw error;
    }
  }
  return found;
}

async function removeGroup(path: string): Promise<void> {
  try {
    for (const entry of await readdir(path, { withFileTypes: true }))
      if (entry.isDirectory()) await removeGroup(join(path, entry.name));
    await rmdir(path);
  } catch (error) {
    if (!isCode(error, "ENOENT", "ENOTDIR")) throw error;
  }
}
