import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { nonNegative } from "../common/checks.ts";
import { ageColumn, column, containerColumns, formatLabels, nameColumn } from "../common/columns.ts";
import { fill } from "../common/fill.ts";
import { shownLabels } from "../common/selectors.ts";
import type { CountRules } from "../common/status-counts.ts";
import { countChecks, replicaCeilings } from "../common/status-counts.ts";
import { updateChecks } from "../common/updates.ts";
import { validateRunning } from "../common/running.ts";
import { defineResource } from "../definition.ts";
import type { ReplicationControllerSpec, ReplicationControllerStatus } from "../types/core-v1.ts";
import { ReplicationController } from "../types/core-v1.ts";
import { defaultPodTemplate, validatePodTemplate, workloadWarnings } from "./pod-spec/index.ts";

const statusRules: CountRules<ReplicationControllerStatus> = {
  counts: ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"],
  ceilings: replicaCeilings,
};

/** The rules of replication controllers. */
export const replicationControllerDefinition = defineResource<ReplicationController>({
  resource: ReplicationController,
  orphansByDefault: true,
  defaults,
  repeatsChecks: true,
  validate,
  validateUpdate: updateChecks<ReplicationController>({ status: countChecks(statusRules) }),
  prepareForStatusUpdate: (controller, old) => ({ ...controller, spec: old.spec }),
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
    ...containerColumns<ReplicationController>((controller) => controller.spec.template?.spec),
    column("Selector", "Which pods belong to the object", {
      wide: true,
      value: ({ spec }) => formatLabels(spec.selector),
    }),
  ],
  selectableFields: { "status.replicas": (controller) => String(controller.status?.replicas ?? 0) },
  scale: {
    specReplicas: "spec.replicas",
    statusReplicas: "status.replicas",
    selector: "spec.selector",
    missing: { group: "autoscaling", resource: "replicationcontrollers/scale" },
  },
  tracksGeneration: true,
});

function defaults(controller: ReplicationController): ReplicationController {
  const spec = fill<ReplicationControllerSpec>(controller.spec, { replicas: 1 });
  const labels = spec.template?.metadata?.labels;
  const has = labels !== undefined && Object.keys(labels).length > 0;
  const open = (map: Readonly<Record<string, string>> | undefined) => Object.keys(map ?? {}).length === 0;
  return {
    ...controller,
    metadata:
      has && open(controller.metadata.labels) ? { ...controller.metadata, labels } : controller.metadata,
    spec: {
      ...spec,
      ...(has && open(spec.selector) ? { selector: labels } : {}),
      ...(spec.template ? { template: defaultPodTemplate(spec.template) } : {}),
    },
  };
}

function validate({ spec }: ReplicationController): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds)];
  if (Object.keys(spec.selector ?? {}).length === 0) {
    errors.push(fieldErrors.required(path.child("selector")));
  }
  errors.push(...nonNegative(path.child("replicas"), spec.replicas));
  const at = path.child("template");
  if (spec.template === undefined) return [...errors, fieldErrors.required(at)];
  const labels = spec.template.metadata?.labels;
  if (Object.entries(spec.selector ?? {}).some(([key, value]) => labels?.[key] !== value)) {
    const why = "`selector` does not match template `labels`";
    errors.push(fieldErrors.invalid(at.child("metadata", "labels"), shownLabels(labels), why));
  }
  return [
    ...errors,
    ...validatePodTemplate(spec.template, at),
    ...validateRunning(spec.template.spec, at.child("spec"), { templateOwner: "ReplicationController" }),
  ];
}
