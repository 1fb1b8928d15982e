import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { atMostFullPercent, countOrPercent, immutable, isZeroCount, nonNegative } from "../common/checks.ts";
import { ageColumn, column, containerColumns, nameColumn, selectorColumn } from "../common/columns.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fill, fillMissing, withField } from "../common/fill.ts";
import { internalForm } from "../common/internal-form.ts";
import { shownSelector } from "../common/selectors.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import { defaultPodTemplate, workloadWarnings } from "../core/pod-spec/index.ts";
import type { DeploymentSpec, DeploymentStatus, DeploymentStrategy } from "../types/apps-v1.ts";
import { Deployment } from "../types/apps-v1.ts";
import type { CountRules } from "../common/status-counts.ts";
import { countChecks } from "../common/status-counts.ts";
import { validateWorkload } from "./workload.ts";

const statusRules: CountRules<DeploymentStatus> = {
  counts: [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
  ],
  ceilings: [
    {
      fields: ["updatedReplicas", "readyReplicas", "availableReplicas"],
      most: "replicas",
      name: "status.replicas",
    },
    { fields: ["availableReplicas"], most: "readyReplicas", name: "readyReplicas" },
  ],
};

/** The rules of deployments. */
export const deploymentDefinition = defineResource<Deployment>({
  resource: Deployment,
  defaults: (deployment) => {
    const strategy = fill<DeploymentStrategy>(deployment.spec?.strategy, { type: "RollingUpdate" });
    const spec = fill<DeploymentSpec>(deployment.spec, {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    return {
      ...deployment,
      spec: {
        ...spec,
        template: defaultPodTemplate(spec.template),
        strategy:
          strategy.type === "RollingUpdate"
            ? {
                ...strategy,
                rollingUpdate: fillMissing(strategy.rollingUpdate, {
                  maxUnavailable: "25%",
                  maxSurge: "25%",
                }),
              }
            : strategy,
      },
    };
  },
  validate,
  validateUpdate: updateChecks<Deployment>({
    other: ({ spec }, old) =>
      immutable(FieldPath.root("spec").child("selector"), shownSelector(spec.selector), old.spec.selector),
    status: countChecks(statusRules),
  }),
  // Annotations go to the replica sets, so that they count as intent.
  prepareForUpdate: (deployment, old) =>
    semanticallyEqual(deployment.metadata.annotations, old.metadata.annotations)
      ? deployment
      : {
          ...deployment,
          metadata: { ...deployment.metadata, generation: (old.metadata.generation ?? 0) + 1 },
        },
  prepareForStatusUpdate: (deployment, old) => ({
    ...deployment,
    metadata: withField(deployment.metadata, "labels", old.metadata.labels),
    spec: old.spec,
  }),
  warnings: workloadWarnings,
  columns: [
    nameColumn,
    column("Ready", "Ready pods, of those wanted", {
      value: ({ status, spec }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    }),
    column("Up-to-date", "Pods of the newest template", {
      value: ({ status }) => status?.updatedReplicas ?? 0,
    }),
    column("Available", "Pods that have been ready long enough", {
      value: ({ status }) => status?.availableReplicas ?? 0,
    }),
    ageColumn,
    ...containerColumns<Deployment>((deployment) => deployment.spec.template?.spec),
    selectorColumn<Deployment>((deployment) => deployment.spec.selector),
  ],
  scale: {
    specReplicas: "spec.replicas",
    statusReplicas: "status.replicas",
    selector: "spec.selector",
    missing: { group: "apps", resource: "deployments/scale" },
  },
  tracksGeneration: true,
});

function validate(deployment: Deployment): readonly FieldError[] {
  const { spec } = deployment;
  const path = FieldPath.root("spec");
  const errors = [
    ...nonNegative(path.child("replicas"), spec.replicas),
    ...validateWorkload(spec, path, {
      selectorOwner: "deployment",
      templateOwner: "ReplicaSet",
      unreadable: "invalid label selector",
    }),
    ...validateStrategy(spec.strategy, path.child("strategy")),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    ...nonNegative(path.child("revisionHistoryLimit"), spec.revisionHistoryLimit),
  ];
  if (spec.progressDeadlineSeconds !== undefined) {
    const at = path.child("progressDeadlineSeconds");
    errors.push(...nonNegative(at, spec.progressDeadlineSeconds));
    if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)) {
      errors.push(
        fieldErrors.invalid(at, spec.progressDeadlineSeconds, "must be greater than minReadySeconds"),
      );
    }
  }
  return errors;
}

function validateStrategy(strategy: DeploymentStrategy, path: FieldPath): FieldError[] {
  const at = path.child("rollingUpdate");
  switch (strategy.type) {
    case "Recreate":
      return strategy.rollingUpdate === undefined
        ? []
        : [fieldErrors.forbidden(at, "may not be specified when strategy `type` is 'Recreate'")];
    case "RollingUpdate": {
      const { maxUnavailable, maxSurge } = strategy.rollingUpdate ?? {};
      const errors = [
        ...countOrPercent(at.child("maxUnavailable"), maxUnavailable),
        ...countOrPercent(at.child("maxSurge"), maxSurge),
      ];
      if (isZeroCount(maxUnavailable) && isZeroCount(maxSurge)) {
        const why = "may not be 0 when `maxSurge` is 0";
        errors.push(fieldErrors.invalid(at.child("maxUnavailable"), maxUnavailable ?? 0, why));
      }
      return [...errors, ...atMostFullPercent(at.child("maxUnavailable"), maxUnavailable)];
    }
    default:
      return [
        fieldErrors.notSupported(path, internalForm(strategy, ["type", "rollingUpdate"]), [
          "Recreate",
          "RollingUpdate",
        ]),
      ];
  }
}
