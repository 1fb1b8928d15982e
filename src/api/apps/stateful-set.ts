import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { countOrPercent, nonNegative, oneOf } from "../common/checks.ts";
import { ageColumn, column, containerColumns, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import { defaultPodTemplate, podTemplateWarnings } from "../core/pod-spec/index.ts";
import { defaultClaim } from "../core/persistent-volume-claim.ts";
import { defineResource } from "../definition.ts";
import type { StatefulSetSpec, StatefulSetUpdateStrategy } from "../types/apps-v1.ts";
import { StatefulSet } from "../types/apps-v1.ts";
import { validateWorkloadSelector, validateWorkloadTemplate } from "./workload.ts";

const mutableFields = [
  "minReadySeconds",
  "ordinals",
  "persistentVolumeClaimRetentionPolicy",
  "replicas",
  "revisionHistoryLimit",
  "template",
  "updateStrategy",
] as const;

/** The rules of stateful sets. */
export const statefulSetDefinition = defineResource<StatefulSet>({
  resource: StatefulSet,
  defaults: (statefulSet) => {
    const strategy = fill<StatefulSetUpdateStrategy>(statefulSet.spec?.updateStrategy, {
      type: "RollingUpdate",
    });
    const spec = fill<StatefulSetSpec>(statefulSet.spec, {
      replicas: 1,
      revisionHistoryLimit: 10,
      podManagementPolicy: "OrderedReady",
    });
    const withClaims = mapField(spec, "volumeClaimTemplates", (claims) =>
      mapList(claims, (claim) => defaultClaim({ apiVersion: "v1", kind: "PersistentVolumeClaim", ...claim })),
    );
    return {
      ...statefulSet,
      spec: {
        ...withClaims,
        template: defaultPodTemplate(spec.template),
        persistentVolumeClaimRetentionPolicy: fill(spec.persistentVolumeClaimRetentionPolicy, {
          whenDeleted: "Retain",
          whenScaled: "Retain",
        }),
        updateStrategy:
          strategy.type === "RollingUpdate"
            ? {
                ...strategy,
                rollingUpdate: fill(strategy.rollingUpdate, { partition: 0, maxUnavailable: 1 }),
              }
            : strategy,
      },
    };
  },
  validate,
  validateUpdate,
  prepareForStatusUpdate: (statefulSet, old) => ({ ...statefulSet, spec: old.spec }),
  warnings: ({ spec }, old) => (old === undefined ? podTemplateWarnings(spec.template) : []),
  columns: [
    nameColumn,
    column("Ready", "Ready pods, of those wanted", {
      value: ({ status, spec }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    }),
    ageColumn,
    ...containerColumns<StatefulSet>((statefulSet) => statefulSet.spec.template?.spec),
  ],
  scale: { specReplicas: "spec.replicas", statusReplicas: "status.replicas", selector: "spec.selector" },
  tracksGeneration: true,
});

function validate(statefulSet: StatefulSet): readonly FieldError[] {
  const { spec } = statefulSet;
  const path = FieldPath.root("spec");
  const retention = path.child("persistentVolumeClaimRetentionPolicy");
  return [
    ...oneOf(path.child("podManagementPolicy"), spec.podManagementPolicy, ["OrderedReady", "Parallel"]),
    ...validateStrategy(spec.updateStrategy, path.child("updateStrategy")),
    ...oneOf(retention.child("whenDeleted"), spec.persistentVolumeClaimRetentionPolicy?.whenDeleted, [
      "Delete",
      "Retain",
    ]),
    ...oneOf(retention.child("whenScaled"), spec.persistentVolumeClaimRetentionPolicy?.whenScaled, [
      "Delete",
      "Retain",
    ]),
    ...nonNegative(path.child("replicas"), spec.replicas),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    ...nonNegative(path.child("ordinals", "start"), spec.ordinals?.start),
    ...validateWorkloadSelector(spec.selector, path.child("selector"), { owner: "statefulset" }),
    ...validateWorkloadTemplate(spec.template, path.child("template"), {
      selector: spec.selector,
      owner: "StatefulSet",
    }),
  ];
}

function validateStrategy(strategy: StatefulSetUpdateStrategy, path: FieldPath): FieldError[] {
  const at = path.child("rollingUpdate");
  switch (strategy.type) {
    case "OnDelete":
      return strategy.rollingUpdate === undefined
        ? []
        : [
            fieldErrors.invalid(
              at,
              strategy.rollingUpdate,
              "only allowed for updateStrategy 'RollingUpdate'",
            ),
          ];
    case "RollingUpdate":
      return [
        ...nonNegative(at.child("partition"), strategy.rollingUpdate?.partition),
        ...countOrPercent(at.child("maxUnavailable"), strategy.rollingUpdate?.maxUnavailable),
      ];
    case undefined:
      return [fieldErrors.required(path)];
    default:
      return [fieldErrors.invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
}

function validateUpdate(statefulSet: StatefulSet, old: StatefulSet): readonly FieldError[] {
  const munged: Record<string, unknown> = { ...statefulSet.spec };
  for (const field of mutableFields) munged[field] = old.spec[field];
  if (semanticallyEqual(munged, old.spec)) return [];
  const why =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  return [fieldErrors.forbidden(FieldPath.root("spec"), why)];
}
