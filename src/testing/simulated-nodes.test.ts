import { expect, test } from "vitest";
import type { Pod } from "../api/types/core-v1.ts";
import { planSimulatedPod, type SimulatedBehaviour } from "./simulated-nodes.ts";

function check(pod: { phase?: string; deleted?: boolean }, behaviour: SimulatedBehaviour): string {
  const metadata = {
    name: "p",
    uid: "u",
    ...(pod.deleted ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
  };
  const given = {
    metadata,
    spec: { containers: [{ name: "c" }] },
    status: {
      phase: pod.phase ?? "Pending",
      ...(pod.phase === undefined ? {} : { containerStatuses: [{}] }),
    },
  };
  const action = planSimulatedPod(given as unknown as Pod, {
    behaviour,
    address: "10.128.0.1",
    now: 0,
    hostAddress: "10.0.0.1",
  });
  return action.type === "report" ? `report ${action.status?.phase}` : action.type;
}

test.each([
  { pod: {}, behaviour: { type: "run" }, does: "report Running" },
  { pod: { phase: "Running" }, behaviour: { type: "run" }, does: "none" },
  { pod: {}, behaviour: { type: "exit", code: 0 }, does: "report Succeeded" },
  { pod: {}, behaviour: { type: "exit", code: 3 }, does: "report Failed" },
  { pod: { phase: "Failed" }, behaviour: { type: "run" }, does: "none" },
  { pod: { phase: "Running", deleted: true }, behaviour: { type: "run" }, does: "remove" },
] as const)("a pod $pod that would $behaviour: $does", ({ pod, behaviour, does }) => {
  expect(check(pod, behaviour)).toBe(does);
});
