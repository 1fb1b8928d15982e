import type { Clock, Logger } from "../base/index.ts";
import {
  ApiError,
  keyOf,
  keyString,
  kubernetesVersion,
  timestampOf,
  type New,
  microTimestampOf,
} from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import {
  Node,
  Pod,
  type NodeStatus,
  type Container,
  type ContainerStatus,
  type PodStatus,
} from "../api/types/core-v1.ts";
import { Lease } from "../api/types/coordination-v1.ts";
import type { InformerFactory } from "../client/index.ts";

const heartbeatInterval = 10_000;
const leaseNamespace = "kube-node-lease";

/** How the containers of a pod behave on a simulated node. */
export type SimulatedBehaviour =
  | { readonly type: "run" }
  /** The pod's containers end, all with this exit code. */
  | { readonly type: "exit"; readonly code: number }
  /** The pod's containers never start, e.g. for `ImagePullBackOff`. */
  | { readonly type: "wait"; readonly reason: string };

export interface SimulatedNodeOptions {
  readonly names: readonly string[];
  /** What each node has, e.g. `{ cpu: "4", memory: "8Gi", pods: "110" }`. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Asked once per pod when it starts. */
  readonly behaviour?: (pod: Pod) => SimulatedBehaviour;
}

const defaultCapacity = { cpu: "8", memory: "32Gi", pods: "110", "ephemeral-storage": "100Gi" };

/** Nodes whose pods become ready without a container; everything else about them is real. Settles when the signal has aborted. */
export async function runSimulatedNodes(
  options: SimulatedNodeOptions & {
    readonly client: Client;
    readonly informers: InformerFactory;
    readonly clock: Clock;
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  // A node with a lease and a status is ready from its first moment: no controller taints it meanwhile.
  await Promise.all(options.names.map((name) => renewLease(options, name)));
  await Promise.all(options.names.map((name, index) => register(options, { name, index })));
  const kubelets = new SimulatedKubelets(options);
  const pods = options.informers.informer(Pod);
  const stop = pods.on({ added: (pod) => kubelets.observe(pod), updated: (pod) => kubelets.observe(pod) });
  try {
    for (;;) {
      await Promise.all(options.names.map((name) => renewLease(options, name)));
      await options.clock.sleep(heartbeatInterval, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    stop();
    await kubelets.idle();
  }
}

type Context = Parameters<typeof runSimulatedNodes>[0];

async function register(context: Context, { name, index }: { name: string; index: number }): Promise<void> {
  const { client, labels = {} } = context;
  const status = nodeStatus(context, { name, index });
  const hostLabels = {
    "kubernetes.io/hostname": name,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
  };
  try {
    await client.create(Node, { metadata: { name, labels: { ...hostLabels, ...labels } }, status });
  } catch (error) {
    if (!ApiError.is(error, "AlreadyExists")) throw error;
    await client.patch(Node, { name }, { type: "strategic", body: { status } }, { subresource: "status" });
  }
}

function nodeStatus(
  { clock, capacity = defaultCapacity }: Context,
  { name, index }: { name: string; index: number },
): New<NodeStatus> {
  const now = timestampOf(clock.now());
  const condition = (type: string, status: "True" | "False", reason: string) => ({
    type,
    status,
    reason,
    message: "",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  return {
    capacity,
    allocatable: capacity,
    addresses: [
      { type: "InternalIP", address: nodeAddress(index) },
      { type: "Hostname", address: name },
    ],
    conditions: [
      condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
      condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
      condition("PIDPressure", "False", "KubeletHasSufficientPID"),
      condition("Ready", "True", "KubeletReady"),
    ],
    nodeInfo: {
      kubeletVersion: kubernetesVersion,
      operatingSystem: "linux",
      architecture: "amd64",
      containerRuntimeVersion: "simulated://1",
    },
  };
}

async function renewLease({ client, clock }: Context, name: string): Promise<void> {
  const key = { namespace: leaseNamespace, name };
  const renewTime = microTimestampOf(clock.now());
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
  try {
    await client.patch(Lease, key, { type: "merge", body: { spec } });
  } catch (error) {
    if (!ApiError.is(error, "NotFound")) throw error;
    await client.create(Lease, { metadata: key, spec });
  }
}

/** What a kubelet would do next for the pod. */
export type SimulatedAction =
  | { readonly type: "none" }
  | { readonly type: "remove" }
  | { readonly type: "report"; readonly status: New<PodStatus> };

const isOver = ({ status }: Pod) => status.phase === "Succeeded" || status.phase === "Failed";

/** Decides from the pod alone, so that any event may ask again. */
export function planSimulatedPod(
  pod: Pod,
  node: { behaviour: SimulatedBehaviour; address: string; hostAddress: string; now: number },
): SimulatedAction {
  const { behaviour, address, hostAddress, now } = node;
  if (pod.metadata.deletionTimestamp !== undefined) return { type: "remove" };
  const phase = phaseOf(behaviour);
  const reported = (pod.status.containerStatuses?.length ?? 0) > 0;
  // A pod that is over stays so, whoever said it.
  if (isOver(pod) || (pod.status.phase === phase && reported)) return { type: "none" };
  const at = timestampOf(now);
  const ready = phase === "Running" ? "True" : "False";
  const reason = unreadyReason(behaviour);
  const condition = (type: string, status: "True" | "False") => ({
    type,
    status,
    lastProbeTime: null,
    lastTransitionTime: at,
  });
  return {
    type: "report",
    status: {
      phase,
      startTime: pod.status.startTime ?? at,
      hostIP: hostAddress,
      hostIPs: [{ ip: hostAddress }],
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [
        condition("PodReadyToStartContainers", "True"),
        condition("Initialized", "True"),
        { ...condition("Ready", ready), ...reason },
        { ...condition("ContainersReady", ready), ...reason },
      ] as never,
      containerStatuses: pod.spec.containers.map((container) =>
        containerStatus(container, { behaviour, at, pod }),
      ),
    },
  };
}

function phaseOf(behaviour: SimulatedBehaviour): "Pending" | "Running" | "Succeeded" | "Failed" {
  switch (behaviour.type) {
    case "run":
      return "Running";
    case "exit":
      return behaviour.code === 0 ? "Succeeded" : "Failed";
    case "wait":
      return "Pending";
  }
}

function unreadyReason(behaviour: SimulatedBehaviour): { readonly reason?: string } {
  if (behaviour.type === "wait") return { reason: "ContainersNotReady" };
  return behaviour.type === "exit" && behaviour.code === 0 ? { reason: "PodCompleted" } : {};
}

function containerStatus(
  { name, image = "" }: Container,
  { behaviour, at, pod }: { behaviour: SimulatedBehaviour; at: string; pod: Pod },
): New<ContainerStatus> {
  const running = behaviour.type === "run";
  const containerID = `simulated://${pod.metadata.uid}-${name}`;
  const started = behaviour.type === "wait" ? { imageID: "" } : { imageID: image, containerID };
  return {
    name,
    image,
    ...started,
    ready: running,
    started: running,
    restartCount: 0,
    state: containerState(behaviour, { at, containerID }),
  };
}

function containerState(
  behaviour: SimulatedBehaviour,
  { at, containerID }: { at: string; containerID: string },
): New<ContainerStatus>["state"] {
  switch (behaviour.type) {
    case "run":
      return { running: { startedAt: at } };
    case "wait":
      return { waiting: { reason: behaviour.reason } };
    case "exit": {
      const { code: exitCode } = behaviour;
      const reason = exitCode === 0 ? "Completed" : "Error";
      return { terminated: { exitCode, reason, startedAt: at, finishedAt: at, containerID } };
    }
  }
}

class SimulatedKubelets {
  private readonly context: Context;
  private readonly names: ReadonlySet<string>;
  private readonly busy = new Map<string, Promise<void>>();
  /** Pods seen again while they were worked on. */
  private readonly again = new Map<string, Pod>();
  private addresses = 0;

  constructor(context: Context) {
    this.context = context;
    this.names = new Set(context.names);
  }

  observe(pod: Pod): void {
    if (!this.names.has(pod.spec.nodeName ?? "")) return;
    const key = keyString(keyOf(pod));
    if (this.busy.has(key)) {
      this.again.set(key, pod);
      return;
    }
    const work = this.reconcile(pod)
      .catch((error: unknown) => {
        // A conflict or a pod that is gone shows in the next event.
        if (!ApiError.is(error)) this.context.logger.error("simulated pod failed", { key, error });
      })
      .finally(() => {
        this.busy.delete(key);
        const newer = this.again.get(key);
        this.again.delete(key);
        if (newer !== undefined) this.observe(newer);
      });
    this.busy.set(key, work);
  }

  async idle(): Promise<void> {
    while (this.busy.size > 0) await Promise.all(this.busy.values());
  }

  private async reconcile(pod: Pod): Promise<void> {
    const { client, behaviour = () => ({ type: "run" as const }), clock } = this.context;
    const address = pod.status.podIP ?? podAddress(this.addresses++);
    const hostAddress = nodeAddress(this.context.names.indexOf(pod.spec.nodeName ?? ""));
    const action = planSimulatedPod(pod, {
      behaviour: behaviour(pod),
      address,
      hostAddress,
      now: clock.now(),
    });
    switch (action.type) {
      case "none":
        return;
      case "remove":
        return client.delete(Pod, keyOf(pod), {
          gracePeriodSeconds: 0,
          preconditions: { uid: pod.metadata.uid },
        });
      case "report":
        await client.patch(
          Pod,
          keyOf(pod),
          { type: "strategic", body: { status: action.status } },
          { subresource: "status" },
        );
    }
  }
}

const nodeAddress = (index: number) => `10.0.${index >> 8}.${index & 255}`;
/** Addresses of 10.128.0.0/9, one a pod, used again after eight million. */
const podAddress = (count: number) =>
  `10.${128 + ((count >> 16) & 127)}.${(count >> 8) & 255}.${count & 255}`;
