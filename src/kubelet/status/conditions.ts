import type { ContainerStatus, Pod, PodCondition, PodStatus } from "../../api/types/core-v1.ts";

export interface ConditionInput {
  readonly pod: Pod;
  readonly phase: NonNullable<PodStatus["phase"]>;
  readonly init: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
  /** RFC 3339, for conditions that change. */
  readonly now: string;
}

type Verdict = Pick<PodCondition, "status" | "reason" | "message">;

/** Types of the conditions that the kubelet sets. */
export const ownConditions: ReadonlySet<string> = new Set([
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
]);

/** The conditions that the kubelet sets, and those of others as they are. */
export function podConditions(input: ConditionInput): PodCondition[] {
  const { pod } = input;
  const containersReady = containersVerdict(input);
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ["PodReadyToStartContainers", { status: input.sandboxReady ? "True" : "False" }],
    ["Initialized", initializedVerdict(input)],
    ["Ready", readyVerdict(input, containersReady)],
    ["ContainersReady", containersReady],
    ["PodScheduled", { status: "True" }],
  ];
  const before = pod.status?.conditions ?? [];
  const own = verdicts.map(([type, verdict]) => {
    const old = before.find((condition) => condition.type === type);
    const changed = old?.status !== verdict.status;
    return {
      type,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      ...verdict,
      lastProbeTime: null as unknown as string,
      lastTransitionTime: changed ? input.now : (old?.lastTransitionTime ?? input.now),
    };
  });
  return [...own, ...before.filter(({ type }) => !ownConditions.has(type))];
}

function done(phase: ConditionInput["phase"]): Verdict | undefined {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  return undefined;
}

function initializedVerdict({ pod, phase, init, main }: ConditionInput): Verdict {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  const containers = pod.spec.initContainers ?? [];
  // Once a main container has started, initialization is over whatever the sidecars do.
  if (main.some(({ state, lastState }) => state.running ?? state.terminated ?? lastState.terminated))
    return { status: "True" };
  const incomplete = containers.filter((container) => {
    const status = init.find(({ name }) => name === container.name);
    return container.restartPolicy === "Always" ? !status?.started : !status?.ready;
  });
  if (incomplete.length === 0) return { status: "True" };
  return {
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: ${list(incomplete)}`,
  };
}

function containersVerdict({ pod, phase, init, main }: ConditionInput): Verdict {
  const over = done(phase);
  if (over) return over;
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const statuses = new Map([...init, ...main].map((status) => [status.name, status]));
  const watched = [...sidecars, ...pod.spec.containers];
  const unknown = watched.filter(({ name }) => !statuses.has(name));
  const unready = watched.filter(({ name }) => statuses.get(name)?.ready === false);
  const parts = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${list(unready)}`] : []),
  ];
  if (parts.length === 0) return { status: "True" };
  return { status: "False", reason: "ContainersNotReady", message: parts.join(", ") };
}

function readyVerdict({ pod }: ConditionInput, containersReady: Verdict): Verdict {
  if (containersReady.status !== "True") return containersReady;
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (!condition)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (messages.length === 0) return { status: "True" };
  return { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

const list = (items: readonly { readonly name: string }[]) => `[${items.map(({ name }) => name).join(" ")}]`;
