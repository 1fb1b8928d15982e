import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { ageColumn, column, containerColumns, nameColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fill, fillMissing, mapField, mapList } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import { isNewIntent } from "../common/warnings.ts";
import { claimSpecWarnings } from "../core/claim-spec.ts";
import { defaultPodTemplate, podTemplateWarnings } from "../core/pod-spec/index.ts";
import { defaultClaim } from "../core/persistent-volume-claim.ts";
import { defineResource } from "../definition.ts";
import type { StatefulSetSpec, StatefulSetStatus, StatefulSetUpdateStrategy } from "../types/apps-v1.ts";
import { StatefulSet } from "../types/apps-v1.ts";
import { validateStatefulSetSpec } from "./stateful-set-spec.ts";
import type { CountRules } from "../common/status-counts.ts";
import { countChecks } from "../common/status-counts.ts";

const statusRules: CountRules<StatefulSetStatus> = {
  counts: [
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
  ],
  ceilings: [
    {
      fields: ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
      most: "replicas",
      name: "status.replicas",
    },
    { fields: ["availableReplicas"], most: "readyReplicas", name: "status.readyReplicas" },
  ],
};

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
                rollingUpdate: fillMissing(strategy.rollingUpdate, { partition: 0, maxUnavailable: 1 }),
              }
            : strategy,
      },
    };
  },
  nameRule: "label",
  validateCreate: ({ spec }) => validateStatefulSetSpec(spec, FieldPath.root("spec")),
  validateUpdate: updateChecks<StatefulSet>({
    other: validateUpdate,
    status: countChecks(statusRules),
  }),
  prepareForStatusUpdate: (statefulSet, old) => ({ ...statefulSet, spec: old.spec }),
  warnings: (statefulSet, old) =>
    isNewIntent(statefulSet, old) ? warningsOf(statefulSet.spec, { isNew: old === undefined }) : [],
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

function validateUpdate({ spec }: StatefulSet, old: StatefulSet): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const wasValid = validateStatefulSetSpec(old.spec, path, { isStored: true }).length === 0;
  const errors = validateStatefulSetSpec(spec, path, { isStored: true, skipsTemplate: !wasValid });
  const munged: Record<string, unknown> = { ...spec };
  for (const field of mutableFields) munged[field] = old.spec[field];
  if (semanticallyEqual(munged, old.spec)) return errors;
  const why =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  return [...errors, fieldErrors.forbidden(path, why)];
}

function warningsOf(spec: StatefulSetSpec, { isNew }: { readonly isNew: boolean }): readonly string[] {
  const warnings = [...podTemplateWarnings(spec.template)];
  for (const [index, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
    const claimPath = FieldPath.root("spec").child("volumeClaimTemplates").index(index);
    // Upstream names the claim's spec in updates only, and in capitals.
    warnings.push(...claimSpecWarnings(claim.spec, isNew ? claimPath : claimPath.child("Spec")));
  }
  if ((spec.revisionHistoryLimit ?? 0) < 0) {
    const why = "a negative value retains all historical revisions; a value >= 0 is recommended";
    warnings.push(`spec.revisionHistoryLimit: ${why}`);
  }
  return warnings;
}
