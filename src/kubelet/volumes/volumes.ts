import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Pod, Volume } from "../../api/types/core-v1.ts";
import { runProgram } from "../../machine/index.ts";
import { StartError } from "../runtime/start-error.ts";
import { emptyDirVolume, isMounted } from "./empty-dir.ts";
import { hostPathVolume } from "./host-path.ts";
import { imageVolume } from "./image-volume.ts";
import { giveToGroup } from "./ownership.ts";
import { configMapVolume, downwardVolume, projectedVolume, secretVolume } from "./payload-volumes.ts";
import { claimVolume, ephemeralVolume } from "./persistent-volume-claim.ts";
import type { MountedVolume, TokenCache, VolumeContext, VolumePlugin } from "./volume-plugin.ts";

const plugins: readonly VolumePlugin[] = [
  emptyDirVolume,
  configMapVolume,
  secretVolume,
  downwardVolume,
  projectedVolume,
  hostPathVolume,
  imageVolume,
  claimVolume,
  ephemeralVolume,
];

/** A volume that could not be set up: `FailedMount`. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
}

/** Where a node keeps its pods' files. */
export interface VolumeDirectories {
  /** `…/pods` */
  readonly pods: string;
  /** A file system in memory for secrets. */
  readonly memory: string;
}

/** The volumes of one pod. */
export class PodVolumes {
  private readonly directories: VolumeDirectories;
  private readonly uid: string;
  private readonly mounted = new Map<string, MountedVolume>();
  private readonly tokens: TokenCache = new Map();

  constructor(directories: VolumeDirectories, uid: string) {
    this.directories = directories;
    this.uid = uid;
  }

  get(name: string): MountedVolume | undefined {
    return this.mounted.get(name);
  }

  /** When the first of the pod's tokens should be replaced. */
  get refreshAt(): number | undefined {
    const times = [...this.tokens.values()].map(({ refreshAt }) => refreshAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Sets up all volumes that are not there yet. */
  async setUp(pod: Pod, context: Omit<VolumeContext, Added>): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) {
      if (this.mounted.has(volume.name)) continue;
      const mounted = await this.mount(volume, context);
      const group = pod.spec.securityContext?.fsGroup;
      const policy = pod.spec.securityContext?.fsGroupChangePolicy ?? "Always";
      if (mounted.ownable && group !== undefined) await giveToGroup(mounted.path, { group, policy });
      this.mounted.set(volume.name, mounted);
    }
  }

  /** Brings volumes that show other objects up to date; throws the first problem after having tried all. */
  async refresh(pod: Pod, context: Omit<VolumeContext, Added>): Promise<void> {
    let problem: unknown;
    for (const volume of pod.spec.volumes ?? []) {
      if (!this.mounted.has(volume.name) || !pluginOf(volume)?.live) continue;
      await this.mount(volume, context).catch((error: unknown) => (problem ??= error));
    }
    if (problem !== undefined) throw problem;
  }

  private async mount(volume: Volume, context: Omit<VolumeContext, Added>): Promise<MountedVolume> {
    const plugin = pluginOf(volume);
    if (!plugin)
      throw new VolumeError(
        `MountVolume.SetUp failed for volume "${volume.name}" : no volume plugin matched`,
      );
    const directory = join(this.directories.pods, this.uid, "volumes", plugin.folder, volume.name);
    const memoryDirectory = join(this.directories.memory, this.uid, plugin.folder, volume.name);
    try {
      return await plugin.setUp({ ...context, volume, directory, memoryDirectory, tokens: this.tokens });
    } catch (error) {
      // Says itself why containers wait.
      if (error instanceof StartError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${why}`, {
        cause: error,
      });
    }
  }

  /** Unmounts and removes all that is left of the pod's volumes, also those of an earlier run. */
  async tearDown(): Promise<void> {
    const root = join(this.directories.pods, this.uid);
    for (const plugin of plugins) {
      if (!plugin.tearDown) continue;
      const folder = join(root, "volumes", plugin.folder);
      for (const name of await readdir(folder).catch(() => [])) await plugin.tearDown(join(folder, name));
    }
    await rm(root, { recursive: true, force: true });
    await rm(join(this.directories.memory, this.uid), { recursive: true, force: true });
    this.mounted.clear();
    this.tokens.clear();
  }
}

type Added = "volume" | "directory" | "memoryDirectory" | "tokens";

function pluginOf(volume: Volume): VolumePlugin | undefined {
  return plugins.find(({ field }) => volume[field] !== undefined);
}

/** Makes the folders for volumes. */
export async function prepareVolumeDirectories(directories: VolumeDirectories): Promise<void> {
  await mkdir(directories.pods, { recursive: true });
  await mkdir(directories.memory, { recursive: true });
  if (!(await isMounted(directories.memory)))
    await runProgram("mount", ["-t", "tmpfs", "-o", "mode=0755", "tmpfs", directories.memory]);
}

/** Unmounts the file system for secrets. */
export async function removeVolumeDirectories(directories: VolumeDirectories): Promise<void> {
  if (await isMounted(directories.memory)) await runProgram("umount", ["--lazy", directories.memory]);
}
