import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath } from "../../apimachinery/index.ts";
import { immutable, nonNegative } from "../common/checks.ts";
import { ageColumn, column, containerColumns, nameColumn, selectorColumn } from "../common/columns.ts";
import { fill } from "../common/fill.ts";
import { shownSelector } from "../common/selectors.ts";
import { updateChecks } from "../common/updates.ts";
import { defaultPodTemplate, workloadWarnings } from "../core/pod-spec/index.ts";
import { defineResource } from "../definition.ts";
import type { ReplicaSetSpec, ReplicaSetStatus } from "../types/apps-v1.ts";
import { ReplicaSet } from "../types/apps-v1.ts";
import type { CountRules } from "../common/status-counts.ts";
import { countChecks, replicaCeilings } from "../common/status-counts.ts";
import { validateWorkload } from "./workload.ts";

const statusRules: CountRules<ReplicaSetStatus> = {
  counts: [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "terminatingReplicas",
    "observedGeneration",
  ],
  ceilings: replicaCeilings,
};

/** The rules of replica sets. */
export const replicaSetDefinition = defineResource<ReplicaSet>({
  resource: ReplicaSet,
  defaults: (replicaSet) => {
    const spec = fill<ReplicaSetSpec>(replicaSet.spec, { replicas: 1 });
    return { ...replicaSet, spec: { ...spec, template: defaultPodTemplate(spec.template) } };
  },
  repeatsChecks: true,
  validate,
  validateUpdate: updateChecks<ReplicaSet>({
    other: ({ spec }, old) =>
      immutable(FieldPath.root("spec").child("selector"), shownSelector(spec.selector), old.spec.selector),
    status: countChecks(statusRules),
  }),
  prepareForStatusUpdate: (replicaSet, old) => ({ ...replicaSet, spec: old.spec }),
  warnings: workloadWarnings,
  columns: [
    nameColumn,
    column("Desired", "How many pods are wanted", {
      type: "integer",
      value: ({ spec }) => spec.replicas ?? 0,
    }),
    column("Current", "How many pods there are", {
      type: "integer",
      value: ({ status }) => status?.replicas ?? 0,
    }),
    column("Ready", "How many pods are ready", {
      type: "integer",
      value: ({ status }) => status?.readyReplicas ?? 0,
    }),
    ageColumn,
    ...containerColumns<ReplicaSet>((replicaSet) => replicaSet.spec.template?.spec),
    selectorColumn<ReplicaSet>((replicaSet) => replicaSet.spec.selector),
  ],
  scale: {
    specReplicas: "spec.replicas",
    statusReplicas: "status.replicas",
    selector: "spec.selector",
    missing: { group: "apps", resource: "replicasets/scale" },
  },
  tracksGeneration: true,
});

function validate({ spec }: ReplicaSet): readonly FieldError[] {
  const path = FieldPath.root("spec");
  return [
    ...nonNegative(path.child("replicas"), spec.replicas),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    ...validateWorkload(spec, path, {
      // Upstream's message names deployments here too.
      selectorOwner: "deployment",
      templateOwner: "ReplicaSet",
      unreadable: "invalid label selector",
    }),
  ];
}
