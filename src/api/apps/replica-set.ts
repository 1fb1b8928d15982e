import { FieldPath } from "../../apimachinery/index.ts";
import { immutable, nonNegative } from "../common/checks.ts";
import { ageColumn, column, containerColumns, nameColumn, selectorColumn } from "../common/columns.ts";
import { fill } from "../common/fill.ts";
import { defaultPodTemplate, podTemplateWarnings } from "../core/pod-spec/index.ts";
import { defineResource } from "../definition.ts";
import type { ReplicaSetSpec } from "../types/apps-v1.ts";
import { ReplicaSet } from "../types/apps-v1.ts";
import { validateWorkloadSelector, validateWorkloadTemplate } from "./workload.ts";

/** The rules of replica sets. */
export const replicaSetDefinition = defineResource<ReplicaSet>({
  resource: ReplicaSet,
  defaults: (replicaSet) => {
    const spec = fill<ReplicaSetSpec>(replicaSet.spec, { replicas: 1 });
    return { ...replicaSet, spec: { ...spec, template: defaultPodTemplate(spec.template) } };
  },
  validate: ({ spec }) => {
    const path = FieldPath.root("spec");
    return [
      ...nonNegative(path.child("replicas"), spec.replicas),
      ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
      // Upstream's message names deployments here too.
      ...validateWorkloadSelector(spec.selector, path.child("selector"), { owner: "deployment" }),
      ...validateWorkloadTemplate(spec.template, path.child("template"), {
        selector: spec.selector,
        owner: "ReplicaSet",
      }),
    ];
  },
  validateUpdate: (replicaSet, old) =>
    immutable(FieldPath.root("spec").child("selector"), replicaSet.spec.selector, old.spec.selector),
  prepareForStatusUpdate: (replicaSet, old) => ({ ...replicaSet, spec: old.spec }),
  warnings: ({ spec }, old) => (old === undefined ? podTemplateWarnings(spec.template) : []),
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
  selectableFields: { "status.replicas": (replicaSet) => String(replicaSet.status?.replicas ?? 0) },
  scale: { specReplicas: "spec.replicas", statusReplicas: "status.replicas", selector: "spec.selector" },
  tracksGeneration: true,
});
