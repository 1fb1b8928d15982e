import { mkdir, rm, writeFile, chmod } from "node:fs/promises";
import { dirname, join } from "node:path";
import { mountPropagation } from "../../cri/index.ts";
import type { ContainerConfig, Image, Mount } from "../../cri/index.ts";
import type { Container, Pod, VolumeMount } from "../../api/types/core-v1.ts";
import { containerHash } from "../container-hash.ts";
import { ContainerConfigError } from "../environment/environment.ts";
import { expand, expandStrictly } from "../environment/expansion.ts";
import { subPath } from "../volumes/index.ts";
import type { MountedVolume } from "../volumes/index.ts";
import { annotationKeys, labelKeys } from "./labels.ts";
import { linuxResources } from "./resources.ts";
import { linuxSecurityContext } from "./security-context.ts";

export interface ContainerSettings {
  readonly pod: Pod;
  readonly container: Container;
  readonly restartCount: number;
  readonly image: Image;
  readonly environment: ReadonlyMap<string, string>;
  readonly volume: (name: string) => MountedVolume | undefined;
  /** The pod's own folder. */
  readonly podDirectory: string;
  readonly hostsFile: string | undefined;
  /** Unique a container. */
  readonly stamp: string;
  readonly seccompDirectory: string;
  readonly memoryCapacity: number;
  readonly unified: boolean;
  readonly targetId?: string | undefined;
}

const defaultTerminationPath = "/dev/termination-log";

/** What the runtime needs to make a container; makes the files that it mounts. */
export async function containerConfig(settings: ContainerSettings): Promise<ContainerConfig> {
  const { pod, container, environment, image } = settings;
  const expanded = (texts: readonly string[] | undefined) =>
    (texts ?? []).map((text) => expand(text, environment));
  const securityContext = linuxSecurityContext(pod, container, { ...settings, image });
  const encoder = new TextEncoder();
  return {
    metadata: { name: container.name, attempt: settings.restartCount },
    image: { image: image.id, userSpecifiedImage: container.image ?? "" },
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir ?? "",
    envs: [...environment].map(([key, value]) => ({ key, value: encoder.encode(value) })),
    mounts: await containerMounts(settings),
    labels: {
      [labelKeys.podName]: pod.metadata.name,
      [labelKeys.podNamespace]: pod.metadata.namespace ?? "",
      [labelKeys.podUid]: pod.metadata.uid ?? "",
      [labelKeys.containerName]: container.name,
    },
    annotations: annotations(settings),
    logPath: `${container.name}/${settings.restartCount}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: { resources: linuxResources(pod, settings), securityContext },
  };
}

function annotations({ pod, container, restartCount }: ContainerSettings): Record<string, string> {
  const grace = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds;
  return {
    [annotationKeys.hash]: containerHash(container),
    [annotationKeys.restartCount]: String(restartCount),
    [annotationKeys.terminationMessagePath]: container.terminationMessagePath ?? defaultTerminationPath,
    [annotationKeys.terminationMessagePolicy]: container.terminationMessagePolicy ?? "File",
    ...(grace === undefined ? {} : { [annotationKeys.gracePeriod]: String(grace) }),
    ...(container.ports?.length ? { [annotationKeys.ports]: JSON.stringify(container.ports) } : {}),
  };
}

async function containerMounts(settings: ContainerSettings): Promise<Mount[]> {
  const { container, pod } = settings;
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts ?? []) mounts.push(await volumeMount(mount, settings));
  const paths = new Set(mounts.map(({ containerPath }) => containerPath));
  if (settings.hostsFile !== undefined && !paths.has("/etc/hosts")) {
    const file = join(settings.podDirectory, "etc-hosts");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, settings.hostsFile);
    await chmod(file, 0o644);
    const readonly = pod.spec.hostNetwork
      ? false
      : (container.securityContext?.readOnlyRootFilesystem ?? false);
    mounts.push({ containerPath: "/etc/hosts", hostPath: file, readonly });
  }
  const terminationPath = container.terminationMessagePath ?? defaultTerminationPath;
  if (terminationPath !== "") {
    const file = terminationFile(settings);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "");
    // Whatever user the container runs as must be able to write it.
    await chmod(file, 0o666);
    mounts.push({ containerPath: terminationPath, hostPath: file });
  }
  return mounts;
}

function terminationFile({ podDirectory, container, stamp }: ContainerSettings): string {
  return join(podDirectory, "containers", container.name, stamp);
}

/** Removes what was made for a container that could not be created. */
export async function discardContainerFiles(settings: ContainerSettings): Promise<void> {
  await rm(terminationFile(settings), { force: true });
}

const propagations = {
  None: mountPropagation.private,
  HostToContainer: mountPropagation.hostToContainer,
  Bidirectional: mountPropagation.bidirectional,
} as const;

async function volumeMount(mount: VolumeMount, settings: ContainerSettings): Promise<Mount> {
  const { container, environment } = settings;
  const volume = settings.volume(mount.name);
  if (!volume)
    throw new ContainerConfigError(
      `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
    );
  let part = mount.subPath ?? "";
  if (mount.subPathExpr) {
    try {
      part = expandStrictly(mount.subPathExpr, environment);
    } catch (error) {
      throw new ContainerConfigError(error instanceof Error ? error.message : String(error));
    }
  }
  const mountPath = mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`;
  return {
    containerPath: mountPath,
    hostPath: part === "" ? volume.path : await partOf(volume, { part, mount, container }),
    readonly: (mount.readOnly ?? false) || volume.readOnly,
    propagation: propagations[mount.mountPropagation ?? "None"],
  };
}

async function partOf(
  volume: MountedVolume,
  { part, mount, container }: { part: string; mount: VolumeMount; container: Container },
): Promise<string> {
  try {
    return await subPath(volume.path, { path: part });
  } catch (error) {
    const index = container.volumeMounts?.indexOf(mount) ?? 0;
    const why = error instanceof Error ? error.message : String(error);
    throw new ContainerConfigError(
      `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}": volumeMounts[${index}]: ${why}`,
    );
  }
}
