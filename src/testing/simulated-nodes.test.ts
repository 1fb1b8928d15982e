import { expect, test } from "vitest";
import type { Pod } from "../api/types/core-v1.ts";
import { planSimulatedPod } from "./simulated-nodes.ts";
import type { SimulatedAction, SimulatedBehaviour } from "./simulated-nodes.ts";

const at = "2026-01-01T00:00:00Z";
const node = { address: "10.128.0.1", hostAddress: "10.0.0.1", now: Date.parse(at) };
const pod = (status: object = { phase: "Pending" }, metadata: object = {}): Pod =>
  ({
    metadata: { name: "web", namespace: "default", uid: "u", ...metadata },
    spec: { nodeName: "n", containers: [{ name: "c", image: "i" }] },
    status,
  }) as unknown as Pod;
const containerStatuses = [{ name: "c" }];
const report = (status: object) => ({ type: "report", status });
const ready = (status: string, reason?: string) =>
  expect.objectContaining({ type: "Ready", status, ...(reason ? { reason } : {}) });

const cases: readonly (readonly [string, Pod, SimulatedBehaviour, SimulatedAction | object])[] = [
  [
    "runs",
    pod(),
    { type: "run" },
    report({
      phase: "Running",
      hostIP: "10.0.0.1",
      podIP: "10.128.0.1",
      conditions: expect.arrayContaining([ready("True")]),
      containerStatuses: [{ ready: true, state: { running: { startedAt: at } } }],
    }),
  ],
  ["runs already", pod({ phase: "Running", containerStatuses }), { type: "run" }, { type: "none" }],
  [
    "ends well",
    pod(),
    { type: "exit", code: 0 },
    report({
      phase: "Succeeded",
      conditions: expect.arrayContaining([ready("False", "PodCompleted")]),
      containerStatuses: [{ state: { terminated: { exitCode: 0, reason: "Completed" } } }],
    }),
  ],
  ["ends badly", pod(), { type: "exit", code: 3 }, report({ phase: "Failed" })],
  [
    "never starts",
    pod(),
    { type: "wait", reason: "ImagePullBackOff" },
    report({
      phase: "Pending",
      conditions: expect.arrayContaining([ready("False", "ContainersNotReady")]),
      containerStatuses: [{ ready: false, state: { waiting: { reason: "ImagePullBackOff" } } }],
    }),
  ],
  [
    "waits already",
    pod({ phase: "Pending", containerStatuses }),
    { type: "wait", reason: "ImagePullBackOff" },
    { type: "none" },
  ],
  ["goes", pod(undefined, { deletionTimestamp: at }), { type: "run" }, { type: "remove" }],
];
for (const [name, given, behaviour, expected] of cases) {
  test(`a pod ${name}`, () => {
    expect(planSimulatedPod(given, { ...node, behaviour })).toMatchObject(expected);
  });
}
