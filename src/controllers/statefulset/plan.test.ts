import { expect, test } from "vitest";
import type { ControllerRevision, StatefulSet } from "../../api/types/apps-v1.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import { revisionHashLabel } from "../framework/index.ts";
import { planStatus, stateAfter } from "./plan.ts";

const now = Date.UTC(2026, 0, 1);
const revision = { metadata: { name: "web-1" } } as unknown as ControllerRevision;
const pod = (name: string): Pod =>
  ({
    metadata: { name, uid: name, labels: { [revisionHashLabel]: "web-1" } },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }],
    },
  }) as unknown as Pod;
const fresh = (name: string): Pod => ({ ...pod(name), status: { phase: "Pending" } }) as unknown as Pod;

test("the status tells of pods just made and of pods just told to go", () => {
  const set = { metadata: { name: "web", generation: 2 }, spec: { replicas: 2 } } as unknown as StatefulSet;
  const state = { pods: [pod("web-0"), pod("web-2")], current: revision, update: revision, now };
  const after = stateAfter(state, { created: [fresh("web-1")], deleted: [pod("web-2")] });
  expect(planStatus(set, after)).toMatchObject({
    observedGeneration: 2,
    replicas: 3,
    readyReplicas: 2,
    currentReplicas: 2,
    updatedReplicas: 2,
  });
});
