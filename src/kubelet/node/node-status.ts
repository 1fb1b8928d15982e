import { timestampOf } from "../../apimachinery/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import type { Image, Output } from "../../cri/index.ts";
import type {
  ContainerImage,
  NodeAddress,
  NodeCondition,
  NodeStatus,
  ResourceList,
} from "../../api/types/core-v1.ts";
import type { Machine } from "./machine-info.ts";

/** What the runtime said of itself. */
export interface RuntimeState {
  readonly version: Output<"VersionResponse"> | undefined;
  readonly conditions: Output<"StatusResponse"> | undefined;
  readonly images: readonly Image[];
}

const imageLimit = 50;
const namesAnImage = 5;

/** A node's status. */
export function nodeStatus(options: {
  readonly machine: Machine;
  readonly addresses: readonly NodeAddress[];
  readonly serverPort: number;
  readonly runtime: RuntimeState;
  readonly before: NodeStatus | undefined;
  readonly now: Milliseconds;
}): NodeStatus {
  const { machine, runtime } = options;
  const name = runtime.version?.runtimeName ?? "containerd";
  const extended = extendedResources(options);
  return {
    capacity: { ...machine.capacity, ...extended },
    allocatable: { ...machine.allocatable, ...extended },
    conditions: nodeConditions(options),
    addresses: options.addresses,
    daemonEndpoints: { kubeletEndpoint: { Port: options.serverPort } },
    nodeInfo: {
      ...machine.info,
      containerRuntimeVersion: `${name}://${runtime.version?.runtimeVersion ?? "Unknown"}`,
    },
    images: imageList(runtime.images),
  };
}

/** Resources that someone else has added to the node's capacity: all of them may be allocated. */
function extendedResources({
  machine,
  before,
}: {
  machine: Machine;
  before: NodeStatus | undefined;
}): ResourceList {
  const added = Object.entries(before?.capacity ?? {}).filter(
    ([name]) => machine.capacity[name] === undefined,
  );
  return Object.fromEntries(added);
}

function imageList(images: readonly Image[]): ContainerImage[] {
  return [...images]
    .sort((left, right) => right.size - left.size)
    .slice(0, imageLimit)
    .map(({ repoDigests, repoTags, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, namesAnImage),
      sizeBytes: size,
    }));
}

type Verdict = Pick<NodeCondition, "type" | "status" | "reason" | "message">;

function nodeConditions({
  runtime,
  before,
  now,
}: {
  runtime: RuntimeState;
  before: NodeStatus | undefined;
  now: Milliseconds;
}): NodeCondition[] {
  const verdicts: Verdict[] = [
    {
      type: "MemoryPressure",
      status: "False",
      reason: "KubeletHasSufficientMemory",
      message: "kubelet has sufficient memory available",
    },
    {
      type: "DiskPressure",
      status: "False",
      reason: "KubeletHasNoDiskPressure",
      message: "kubelet has no disk pressure",
    },
    {
      type: "PIDPressure",
      status: "False",
      reason: "KubeletHasSufficientPID",
      message: "kubelet has sufficient PID available",
    },
    readiness(runtime),
  ];
  return verdicts.map((verdict) => {
    const old = before?.conditions?.find(({ type }) => type === verdict.type);
    const same = old?.status === verdict.status && old.lastTransitionTime !== undefined;
    return {
      ...verdict,
      lastHeartbeatTime: timestampOf(now),
      lastTransitionTime: same ? (old.lastTransitionTime ?? timestampOf(now)) : timestampOf(now),
    };
  });
}

function readiness({ conditions }: RuntimeState): Verdict {
  const problems: string[] = [];
  if (!conditions) problems.push("container runtime is down");
  for (const { type, status, reason, message } of conditions?.status?.conditions ?? []) {
    if (status) continue;
    if (type === "RuntimeReady")
      problems.push(`container runtime not ready: RuntimeReady=false reason:${reason} message:${message}`);
    if (type === "NetworkReady")
      problems.push(
        `container runtime network not ready: NetworkReady=false reason:${reason} message:${message}`,
      );
  }
  if (problems.length === 0)
    return {
      type: "Ready",
      status: "True",
      reason: "KubeletReady",
      message: "kubelet is posting ready status",
    };
  const message = problems.length === 1 ? (problems[0] ?? "") : `[${problems.join(", ")}]`;
  return { type: "Ready", status: "False", reason: "KubeletNotReady", message };
}
