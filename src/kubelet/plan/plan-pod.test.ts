import { expect, test } from "vitest";
import type { Container, Pod } from "../../api/types/core-v1.ts";
import { containerHash } from "../container-hash.ts";
import type { ObservedContainer, ObservedSandbox } from "../observation.ts";
import { backedOffUntil, nextBackOff } from "./back-off.ts";
import { planPod } from "./plan-pod.ts";
import type { PodAction, PodKnowledge } from "./plan-pod.ts";

const now = 1_000_000;
const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: "busybox",
  resources: {},
  ...more,
});
const ready: ObservedSandbox = {
  id: "s",
  attempt: 0,
  ready: true,
  createdAt: 1,
  ips: ["10.0.0.1"],
  hostNetwork: false,
};

function seen(
  name: string,
  state: "running" | "exited",
  more: Partial<ObservedContainer> = {},
): ObservedContainer {
  return {
    id: `id-${name}`,
    name,
    sandboxId: "s",
    state,
    createdAt: 1,
    startedAt: 2,
    finishedAt: state === "exited" ? now - 1000 : 0,
    exitCode: 0,
    reason: "",
    message: "",
    image: "busybox",
    imageId: "",
    hash: containerHash({ name, image: "busybox" }),
    restartCount: 0,
    logPath: "",
    terminationFile: undefined,
    fallsBackToLogs: false,
    ...more,
  };
}

function shown(action: PodAction): string {
  switch (action.type) {
    case "start":
      return `start ${action.kind} ${action.container.name} #${action.restartCount}`;
    case "kill":
      return `kill ${action.container.name}: ${action.message}`;
    case "backOff":
      return `back off ${action.container.name} ${action.delay}`;
    case "createSandbox":
      return `sandbox #${action.attempt}`;
    case "stopPod":
      return `stop ${action.why}`;
  }
}

function check(
  spec: Partial<Pod["spec"]>,
  observed: { sandboxes?: ObservedSandbox[]; containers?: ObservedContainer[] },
  expected: { actions: string[]; completed?: boolean; knowledge?: Partial<PodKnowledge>; wakeAt?: number },
) {
  const pod = {
    metadata: { name: "p", namespace: "d", uid: "u" },
    spec: { containers: [container("a")], ...spec },
    status: {},
  } as unknown as Pod;
  const plan = planPod(
    pod,
    { sandboxes: observed.sandboxes ?? [ready], containers: observed.containers ?? [] },
    {
      now,
      backOffs: new Map(),
      started: () => true,
      failedProbe: () => undefined,
      completedInit: () => false,
      restartsBefore: () => undefined,
      ...expected.knowledge,
    },
  );
  expect(plan.actions.map(shown)).toEqual(expected.actions);
  expect(plan.completed).toBe(expected.completed ?? false);
  expect(plan.wakeAt).toBe(expected.wakeAt);
}

test("a new pod gets a sandbox and its containers", () => {
  check(
    { containers: [container("a"), container("b")] },
    { sandboxes: [] },
    {
      actions: ["sandbox #0", "start main a #0", "start main b #0"],
    },
  );
  check(
    { initContainers: [container("i"), container("j")] },
    { sandboxes: [] },
    {
      actions: ["sandbox #0", "start init i #0"],
    },
  );
});

test("a dead sandbox is replaced and its containers restarted", () => {
  check(
    {},
    { sandboxes: [{ ...ready, ready: false, attempt: 3 }], containers: [seen("a", "exited")] },
    {
      actions: ["stop sandboxChanged", "sandbox #4", "start main a #1"],
    },
  );
  check(
    { restartPolicy: "Never" },
    { sandboxes: [{ ...ready, ready: false }], containers: [seen("a", "exited")] },
    {
      actions: [],
      completed: true,
    },
  );
});

test("what ran and was lost runs again only if the pod restarts what fails", () => {
  const knowledge = { restartsBefore: () => 0 };
  check({ restartPolicy: "Never" }, { sandboxes: [] }, { actions: [], completed: true, knowledge });
  const actions = ["sandbox #0", "start main a #1"];
  check({ restartPolicy: "OnFailure" }, { sandboxes: [] }, { actions, knowledge });
});

test("restarts are counted on when the runtime has forgotten", () => {
  check(
    {},
    { sandboxes: [] },
    {
      actions: ["sandbox #0", "start main a #5"],
      knowledge: { restartsBefore: () => 4 },
    },
  );
});

test("init containers run in order and sidecars stay", () => {
  const initContainers = [container("i"), container("side", { restartPolicy: "Always" }), container("j")];
  check({ initContainers }, { containers: [seen("i", "running")] }, { actions: [] });
  check({ initContainers }, { containers: [seen("i", "exited")] }, { actions: ["start init side #0"] });
  check(
    { initContainers },
    { containers: [seen("side", "running"), seen("i", "exited")] },
    {
      actions: [],
      knowledge: { started: () => false },
    },
  );
  check(
    { initContainers },
    { containers: [seen("side", "running"), seen("i", "exited")] },
    {
      actions: ["start init j #0"],
    },
  );
  check(
    { initContainers },
    { containers: [seen("j", "exited"), seen("side", "running"), seen("i", "exited")] },
    {
      actions: ["start main a #0"],
    },
  );
  check(
    { initContainers },
    { containers: [seen("a", "running"), seen("j", "exited"), seen("side", "exited"), seen("i", "exited")] },
    { actions: ["start init side #1"] },
  );
});

test("a failed init container is retried, or fails the pod for good", () => {
  const initContainers = [container("i")];
  const failed = { containers: [seen("i", "exited", { exitCode: 1 })] };
  check({ initContainers }, failed, { actions: ["start init i #1"] });
  check({ initContainers, restartPolicy: "Never" }, failed, { actions: ["stop completed"], completed: true });
});

test("restart policies", () => {
  const ended = (exitCode: number) => ({ containers: [seen("a", "exited", { exitCode })] });
  check({ restartPolicy: "Always" }, ended(0), { actions: ["start main a #1"] });
  check({ restartPolicy: "OnFailure" }, ended(0), { actions: ["stop completed"], completed: true });
  check({ restartPolicy: "OnFailure" }, ended(2), { actions: ["start main a #1"] });
  check({ restartPolicy: "Never" }, ended(2), { actions: ["stop completed"], completed: true });
});

test("restarts are backed off", () => {
  const backOffs = new Map([["a", { delay: 20_000, updatedAt: now - 2000 }]]);
  check(
    {},
    { containers: [seen("a", "exited")] },
    {
      actions: ["back off a 20000"],
      knowledge: { backOffs },
      wakeAt: now + 19_000,
    },
  );
});

test("a changed image and failed probes kill", () => {
  check(
    { containers: [container("a", { image: "other" })] },
    { containers: [seen("a", "running")] },
    {
      actions: ["kill a: Container a definition changed, will be restarted", "start main a #1"],
    },
  );
  check(
    {},
    { containers: [seen("a", "running")] },
    {
      actions: ["kill a: Container a failed liveness probe, will be restarted"],
      knowledge: { failedProbe: () => "liveness" },
    },
  );
});

test("back-off doubles to five minutes and is forgotten", () => {
  let backOff = nextBackOff(undefined, 0);
  const delays = [backOff.delay];
  for (let turn = 0; turn < 6; turn++) delays.push((backOff = nextBackOff(backOff, 1000)).delay);
  expect(delays).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  expect(nextBackOff(backOff, 602_000).delay).toBe(10_000);
  expect(backedOffUntil({ delay: 10_000, updatedAt: 0 }, { since: 5000, now: 6000 })).toBe(15_000);
  expect(backedOffUntil({ delay: 10_000, updatedAt: 0 }, { since: 5000, now: 15_000 })).toBeUndefined();
});
