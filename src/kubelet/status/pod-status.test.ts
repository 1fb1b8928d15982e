import { expect, test } from "vitest";
import type { Container, Pod } from "../../api/types/core-v1.ts";
import type { ObservedContainer, ObservedSandbox } from "../observation.ts";
import type { JsonObject, StructType } from "../../apimachinery/index.ts";
import { strategicMergePatch } from "../../apimachinery/patch/index.ts";
import { schemas } from "../../api/index.ts";
import { podStatus } from "./pod-status.ts";
import type { PodStatusInput } from "./pod-status.ts";
import { sameValue, statusPatch } from "./status-writer.ts";

const podType = schemas.typeOf({ group: "", version: "v1", kind: "Pod" }) as StructType;

const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: "i",
  resources: {},
  ...more,
});
const sandbox: ObservedSandbox = {
  id: "s",
  attempt: 0,
  ready: true,
  createdAt: 0,
  ips: ["10.0.0.9"],
  hostNetwork: false,
};

function seen(name: string, exitCode?: number): ObservedContainer {
  return {
    id: `id-${name}`,
    name,
    sandboxId: "s",
    state: exitCode === undefined ? "running" : "exited",
    createdAt: 0,
    startedAt: 1000,
    finishedAt: exitCode === undefined ? 0 : 2000,
    exitCode: exitCode ?? 0,
    reason: "",
    message: "",
    image: "i",
    imageId: "sha256:1",
    hash: "",
    restartCount: 0,
    logPath: "",
    terminationFile: undefined,
    fallsBackToLogs: false,
  };
}

function statusOf(
  spec: Partial<Pod["spec"]>,
  containers: ObservedContainer[],
  more: Partial<PodStatusInput> = {},
) {
  const pod = {
    metadata: { name: "p", namespace: "d", uid: "u", generation: 2 },
    spec: { containers: [container("a")], ...spec },
    status: {},
  } as unknown as Pod;
  return podStatus({
    pod,
    observed: { sandboxes: containers.length > 0 ? [sandbox] : [], containers },
    waiting: new Map(),
    terminationMessages: new Map(),
    started: () => true,
    ready: () => true,
    ending: false,
    final: false,
    failure: undefined,
    now: 5000,
    hostIPs: ["192.0.2.1"],
    ...more,
  });
}

const shown = (status: ReturnType<typeof statusOf>) => [
  status.phase,
  ...(status.conditions ?? []).map(
    ({ type, status: value, reason }) => `${type}=${value}${reason ? ` ${reason}` : ""}`,
  ),
];

test("a pod without containers yet waits", () => {
  const status = statusOf({}, []);
  expect(shown(status)).toEqual([
    "Pending",
    "PodReadyToStartContainers=False",
    "Initialized=True",
    "Ready=False ContainersNotReady",
    "ContainersReady=False ContainersNotReady",
    "PodScheduled=True",
  ]);
  expect(status.conditions?.[2]?.message).toBe("containers with unready status: [a]");
  expect(status.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: "ContainerCreating" } });
});

test("a running pod is ready, and carries its addresses and generation", () => {
  const status = statusOf({}, [seen("a")]);
  expect(shown(status)[0]).toBe("Running");
  expect(
    shown(status)
      .slice(1)
      .every((line) => line?.endsWith("=True")),
  ).toBe(true);
  expect(status).toMatchObject({
    podIP: "10.0.0.9",
    hostIP: "192.0.2.1",
    observedGeneration: 2,
    qosClass: "BestEffort",
  });
  expect(status.containerStatuses?.[0]).toMatchObject({
    containerID: "containerd://id-a",
    started: true,
    ready: true,
  });
});

test("initialization that is under way or has failed", () => {
  const initContainers = [container("i"), container("j")];
  const running = statusOf({ initContainers }, [seen("i")]);
  expect(running.phase).toBe("Pending");
  expect(running.conditions?.[1]).toMatchObject({
    reason: "ContainersNotInitialized",
    message: "containers with incomplete status: [i j]",
  });
  expect(running.containerStatuses?.[0]?.state.waiting?.reason).toBe("PodInitializing");
  expect(running.initContainerStatuses?.[1]?.state.waiting?.reason).toBe("PodInitializing");
  expect(statusOf({ initContainers, restartPolicy: "Never" }, [seen("i", 1)]).phase).toBe("Failed");
  expect(statusOf({ initContainers, restartPolicy: "Always" }, [seen("i", 1)]).phase).toBe("Pending");
});

test.each([
  ["Never", 0, "Succeeded"],
  ["Never", 1, "Failed"],
  ["OnFailure", 0, "Succeeded"],
  ["OnFailure", 1, "Running"],
  ["Always", 0, "Running"],
] as const)("restart policy %s and exit code %i give %s", (restartPolicy, exitCode, phase) => {
  expect(statusOf({ restartPolicy }, [seen("a", exitCode)]).phase).toBe(phase);
});

test("a deadline fails the pod once all has ended", () => {
  const failure = { reason: "DeadlineExceeded", message: "late" };
  expect(statusOf({}, [seen("a")], { failure }).phase).toBe("Running");
  expect(statusOf({}, [seen("a", 0)], { failure, final: true })).toMatchObject({
    phase: "Failed",
    reason: "DeadlineExceeded",
  });
});

test("a restarted container shows how it ended before", () => {
  const waiting = new Map([["a", { reason: "CrashLoopBackOff", message: "m" }]]);
  const terminationMessages = new Map([["id-a", "bye"]]);
  const status = statusOf({}, [seen("a", 2)], { waiting, terminationMessages }).containerStatuses?.[0];
  expect(status?.state).toEqual({ waiting: { reason: "CrashLoopBackOff", message: "m" } });
  expect(status?.lastState.terminated).toMatchObject({ exitCode: 2, reason: "Error", message: "bye" });
});

test("readiness gates hold back readiness", () => {
  const status = statusOf({ readinessGates: [{ conditionType: "x/y" }] }, [seen("a")]);
  expect(status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "False",
    reason: "ReadinessGatesNotReady",
    message: 'corresponding condition of pod readiness gate "x/y" does not exist.',
  });
});

test("statuses are compared by what they say", () => {
  expect(sameValue({ a: [1, { b: null }], c: undefined }, { a: [1, {}] })).toBe(true);
  expect(sameValue({ a: [1] }, { a: [1, 2] })).toBe(false);
  expect(sameValue({ a: {} }, { a: [] })).toBe(false);
});

test("a pod that the node did not take on shows why, and no containers", () => {
  const failure = { reason: "OutOfcpu", message: "Pod was rejected: full", neverRan: true };
  const status = statusOf({}, [], { failure, final: true });
  expect(status).toEqual({
    observedGeneration: 2,
    phase: "Failed",
    ...failure,
    neverRan: undefined,
    startTime: "1970-01-01T00:00:05Z",
    qosClass: "BestEffort",
  });
});

test("a patch of a status takes away what is no more, and leaves what others set", () => {
  const others = { type: "x/y", status: "True" };
  const before = {
    podIP: "10.0.0.1",
    podIPs: [{ ip: "10.0.0.1" }],
    reason: "r",
    nominatedNodeName: "n",
    conditions: [{ type: "Ready", status: "False", message: "m" }, others, { type: "z", status: "True" }],
  };
  const after = {
    podIP: "10.0.0.2",
    podIPs: [{ ip: "10.0.0.2" }],
    conditions: [{ type: "Ready", status: "True" }, others],
  };
  const live = {
    ...before,
    conditions: [before.conditions[0], { ...others, status: "False" }, { type: "w" }],
  };
  const patch = { status: statusPatch(before, after) } as unknown as JsonObject;
  const { status } = strategicMergePatch({ status: live } as unknown as JsonObject, patch, podType);
  expect(status).toEqual({
    podIP: "10.0.0.2",
    podIPs: [{ ip: "10.0.0.2" }],
    nominatedNodeName: "n",
    conditions: [{ type: "Ready", status: "True" }, { type: "x/y", status: "False" }, { type: "w" }],
  });
});
