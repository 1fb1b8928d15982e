import { chmod, mkdir, readFile } from "node:fs/promises";
import { runProgram } from "../../machine/index.ts";
import { wholeValue } from "../quantity.ts";
import type { VolumePlugin } from "./volume-plugin.ts";

/** An empty directory that lives as long as the pod, on disk or in memory. */
export const emptyDirVolume: VolumePlugin = {
  field: "emptyDir",
  folder: "kubernetes.io~empty-dir",
  live: false,
  async setUp({ volume, directory }) {
    await mkdir(directory, { recursive: true });
    if (volume.emptyDir?.medium === "Memory" && !(await isMounted(directory))) {
      const limit = volume.emptyDir.sizeLimit;
      const options = limit === undefined ? [] : ["-o", `size=${wholeValue(limit)}`];
      await runProgram("mount", ["-t", "tmpfs", ...options, "tmpfs", directory]);
    }
    await chmod(directory, 0o777);
    return { path: directory, readOnly: false, ownable: true };
  },
  async tearDown(directory) {
    if (await isMounted(directory)) await runProgram("umount", ["--lazy", directory]);
  },
};

/** Whether something is mounted exactly there. */
export async function isMounted(directory: string): Promise<boolean> {
  const mounts = await readFile("/proc/self/mountinfo", "utf8");
  return mounts.includes(` ${directory} `);
}
