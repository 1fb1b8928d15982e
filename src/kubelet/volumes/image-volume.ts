import { mkdir } from "node:fs/promises";
import { runProgram } from "../../machine/index.ts";
import { isMounted } from "./empty-dir.ts";
import type { VolumePlugin } from "./volume-plugin.ts";

/** The files of an image, read-only; nothing of them can be executed. */
export const imageVolume: VolumePlugin = {
  field: "image",
  folder: "kubernetes.io~image",
  live: false,
  async setUp({ volume, directory, mountImage }) {
    if (!(await isMounted(directory))) {
      await mkdir(directory, { recursive: true });
      await mountImage(volume.image ?? {}, directory);
      await runProgram("mount", ["-o", "remount,bind,ro,noexec", directory]);
    }
    return { path: directory, readOnly: true, ownable: false };
  },
  async tearDown(directory) {
    if (await isMounted(directory)) await runProgram("umount", ["--lazy", directory]);
  },
};
