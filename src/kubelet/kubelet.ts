import { setMaxListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger, Milliseconds, Random } from "../base/index.ts";
import { kubernetesVersion } from "../apimachinery/index.ts";
import type { ObjectKey } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { Pod, Service } from "../api/types/core-v1.ts";
import type { NodeAddress } from "../api/types/core-v1.ts";
import { createEventRecorder, createInformer } from "../client/index.ts";
import type { CriClient } from "../cri/index.ts";
import { PodCgroups } from "./cgroups.ts";
import { readCgroupLayout } from "./containerd/index.ts";
import { rotateLogs } from "./log-rotation.ts";
import type { NodeContext } from "./node-context.ts";
import { readMachine } from "./node/machine-info.ts";
import { runNode } from "./node/node.ts";
import { ObjectWatcher } from "./object-watcher.ts";
import { latestContainer } from "./observation.ts";
import { PodWorkers } from "./pod-workers.ts";
import { Images } from "./runtime/images.ts";
import { prepareVolumeDirectories, removeVolumeDirectories } from "./volumes/index.ts";

export interface KubeletOptions {
  /** Acts as `system:node:NAME`. */
  readonly client: Client;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly cri: CriClient;
  /** Shows the files of an image that the runtime has, read-only, at a directory. */
  readonly mountImage: (imageId: string, directory: string) => Promise<void>;
  /** For volumes and pods' files; the same as the `kubeletDirectory` of containerd. */
  readonly directory: string;
  /** For containers' logs; `/var/log/pods` is where tools expect them. */
  readonly logDirectory: string;
  /** Where pods' control groups are put, e.g. the cluster's name; empty for the root. */
  readonly cgroupPrefix: string;
  readonly addresses: readonly NodeAddress[];
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** File with the node's name servers. */
  readonly resolvConf?: string;
  /** Where the kubelet's server listens. */
  readonly serverPort: number;
  readonly maxPods?: number;
  readonly podCIDRs?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  }[];
  /** Called once, when the node has been registered and is ready. */
  readonly onReady?: () => void;
  /** Given what the kubelet's server needs, before the node is registered. */
  readonly onStarted?: (kubelet: Kubelet) => void;
}

/** What the kubelet's server asks of a running kubelet. */
export interface Kubelet {
  readonly cri: CriClient;
  readonly nodeName: string;
  /** All pods of the node with their current statuses. */
  pods(): readonly Pod[];
  pod(key: ObjectKey & { readonly uid?: string }): Pod | undefined;
  /** Runtime id of a container's newest record; the first container's when no name is given. */
  containerId(uid: string, container?: string): string | undefined;
  sandboxId(uid: string): string | undefined;
  /** File with a container's log; `previous` for the record before the newest. */
  logFile(
    uid: string,
    options: { readonly container: string; readonly previous: boolean },
  ): string | undefined;
}

const defaultMaxPods = 110;
const relistInterval: Milliseconds = 1000;

/** Runs a node's pods until `signal` aborts; leaves their containers running. */
export async function runKubelet(options: KubeletOptions, signal: AbortSignal): Promise<void> {
  const { client, clock, random, nodeName } = options;
  // Every pod and every wait listens to it.
  setMaxListeners(0, signal);
  const logger = options.logger.named("kubelet");
  const recorder = createEventRecorder({
    client,
    clock,
    random,
    logger,
    component: "kubelet",
    host: nodeName,
  });
  const directories = directoriesOf(options);
  await prepareVolumeDirectories(directories);
  const machine = await readMachine({
    maxPods: options.maxPods ?? defaultMaxPods,
    directory: options.directory,
  });
  const services = createInformer(client, Service, { clock, logger, random });
  const selection = { fieldSelector: `spec.nodeName=${nodeName}` };
  const informer = createInformer(client, Pod, { clock, logger, random, selection });
  const objects = new ObjectWatcher({ client, clock, logger });
  const context = {
    ...options,
    ...(await nodeFacts(options)),
    logger,
    recorder,
    directories,
    services,
    objects,
    allocatable: machine.allocatable,
    memoryCapacity: machine.memoryBytes,
  };
  const workers = new PodWorkers(context, { informer, signal, relistInterval });
  options.onStarted?.(kubeletHandle(workers, options));
  await Promise.all([
    services.run(signal),
    informer.run(signal),
    runNode({ ...options, machine, recorder, logger }, signal),
    workers.run(),
    rotateLogs({ ...options, logger, containers: () => workers.loggingContainers() }, signal),
  ]);
  await objects.stop();
  await recorder.stop();
}

function directoriesOf(options: KubeletOptions): NodeContext["directories"] {
  return {
    pods: join(options.directory, "pods"),
    memory: join(options.directory, "memory"),
    logs: options.logDirectory,
    seccomp: join(options.directory, "seccomp"),
  };
}

async function nodeFacts(options: KubeletOptions) {
  const { cri, clock, clusterDNS, clusterDomain } = options;
  const minor = kubernetesVersion.replace("v", "").split(".").slice(0, 2).join(".");
  return {
    cgroups: new PodCgroups({ prefix: options.cgroupPrefix, layout: await readCgroupLayout() }),
    images: new Images({ cri, clock }),
    dns: {
      clusterDNS,
      clusterDomain,
      hostResolvConf: await readFile(options.resolvConf ?? "/etc/resolv.conf", "utf8").catch(() => ""),
    },
    hostIPs: options.addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address),
    userAgent: `kube-probe/${minor}`,
  };
}

/** Removes what a kubelet leaves on the node when its pods are gone: the file system for secrets and control groups. */
export async function removeKubeletLeftovers(options: {
  readonly directory: string;
  readonly cgroupPrefix: string;
}): Promise<void> {
  await removeVolumeDirectories({
    pods: join(options.directory, "pods"),
    memory: join(options.directory, "memory"),
  });
  await new PodCgroups({ prefix: options.cgroupPrefix, layout: await readCgroupLayout() }).removeAll();
}

function kubeletHandle(workers: PodWorkers, options: KubeletOptions): Kubelet {
  return {
    cri: options.cri,
    nodeName: options.nodeName,
    pods: () => workers.pods(),
    pod: (key) =>
      workers
        .pods()
        .find(
          ({ metadata }) =>
            metadata.name === key.name &&
            metadata.namespace === key.namespace &&
            (key.uid === undefined || key.uid === metadata.uid),
        ),
    containerId(uid, name) {
      const worker = workers.get(uid);
      const wanted = name ?? worker?.pod.spec.containers[0]?.name;
      return worker && wanted !== undefined ? latestContainer(worker.observed, wanted)?.id : undefined;
    },
    sandboxId: (uid) => workers.get(uid)?.observed.sandboxes[0]?.id,
    logFile(uid, { container, previous }) {
      const records = workers.get(uid)?.observed.containers.filter(({ name }) => name === container) ?? [];
      return records[previous ? 1 : 0]?.logPath;
    },
  };
}
