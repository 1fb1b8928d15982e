import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Label } from "../../apimachinery/index.ts";
import { atMostFullPercent, countOrPercent, invalidFor, isZeroCount, nonNegative } from "../common/checks.ts";
import { internalForm } from "../common/internal-form.ts";
import { validateRunning } from "../common/running.ts";
import { validateClaimSpec } from "../core/claim-spec.ts";
import { validatePodTemplate } from "../core/pod-spec/index.ts";
import type { StatefulSetSpec, StatefulSetUpdateStrategy } from "../types/apps-v1.ts";
import type { PodTemplateSpec } from "../types/core-v1.ts";
import { validateSelection } from "./workload.ts";

const managementPolicies = ["OrderedReady", "Parallel"];
const retentionPolicies = ["Retain", "Delete"];

/** Checks the spec of a stateful set. */
export function validateStatefulSetSpec(
  spec: StatefulSetSpec,
  path: FieldPath,
  options: {
    /** What cannot be changed any more is not looked at again. */
    readonly isStored?: boolean;
    readonly skipsTemplate?: boolean;
  } = {},
): FieldError[] {
  const claims = options.isStored ? [] : (spec.volumeClaimTemplates ?? []);
  return [
    ...validateManagementPolicy(spec.podManagementPolicy, path.child("podManagementPolicy")),
    ...validateStrategy(spec.updateStrategy, path.child("updateStrategy")),
    ...validateRetention(spec, path.child("persistentVolumeClaimRetentionPolicy")),
    ...claims.flatMap((claim, index) =>
      validateClaimSpec(claim.spec ?? {}, path.child("volumeClaimTemplates").index(index).child("spec"), {
        anyGroup: false,
      }),
    ),
    ...nonNegative(path.child("replicas"), spec.replicas),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    ...nonNegative(path.child("ordinals", "start"), spec.ordinals?.start),
    ...(spec.serviceName && !options.isStored
      ? invalidFor(path.child("serviceName"), spec.serviceName, isDNS1123Label(spec.serviceName))
      : []),
    ...validateTemplate(spec, path, options),
    ...validateRunning(spec.template?.spec, path.child("template", "spec"), { templateOwner: "StatefulSet" }),
  ];
}

function validateTemplate(
  spec: StatefulSetSpec,
  path: FieldPath,
  { skipsTemplate = false }: { readonly skipsTemplate?: boolean },
): FieldError[] {
  const words = { selectorOwner: "statefulset", unreadable: "" };
  const { errors, isReadable } = validateSelection(spec, path, words);
  if (!isReadable || skipsTemplate) return errors;
  return [...errors, ...validatePodTemplate(withClaims(spec), path.child("template"))];
}

/** The template with the volumes that its pods will have from claims: containers may mount them. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const volumes = template.spec?.volumes ?? [];
  const claimed = new Set(volumeClaimTemplates.map(({ metadata }) => metadata.name));
  if (claimed.size === 0) return template;
  return {
    ...template,
    spec: {
      ...template.spec,
      volumes: [
        ...volumes.filter(({ name }) => !claimed.has(name)),
        ...[...claimed].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
      ],
    },
  };
}

function validateManagementPolicy(policy: string | undefined, path: FieldPath): FieldError[] {
  if (!policy) return [fieldErrors.required(path)];
  return managementPolicies.includes(policy)
    ? []
    : [fieldErrors.invalid(path, policy, "must be 'OrderedReady' or 'Parallel'")];
}

function validateRetention(
  { persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec,
  path: FieldPath,
): FieldError[] {
  if (policy === undefined) return [];
  return (["whenDeleted", "whenScaled"] as const).flatMap((field) => {
    const value = policy[field] ?? "";
    return retentionPolicies.includes(value)
      ? []
      : [fieldErrors.notSupported(path.child(field), value, retentionPolicies)];
  });
}

function validateStrategy(strategy: StatefulSetUpdateStrategy, path: FieldPath): FieldError[] {
  const at = path.child("rollingUpdate");
  const { rollingUpdate } = strategy;
  switch (strategy.type) {
    case "OnDelete": {
      if (rollingUpdate === undefined) return [];
      const shown = internalForm(rollingUpdate, [["partition", 0], "maxUnavailable"]);
      return [fieldErrors.invalid(at, shown, "only allowed for updateStrategy 'RollingUpdate'")];
    }
    case "RollingUpdate":
      return [
        ...nonNegative(at.child("partition"), rollingUpdate?.partition),
        ...validateMaximum(rollingUpdate?.maxUnavailable, at.child("maxUnavailable")),
      ];
    case undefined:
      return [fieldErrors.required(path)];
    default: {
      const shown = internalForm(strategy, ["type", "rollingUpdate"]);
      return [fieldErrors.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")];
    }
  }
}

function validateMaximum(maxUnavailable: number | string | undefined, path: FieldPath): FieldError[] {
  if (maxUnavailable === undefined) return [];
  return [
    ...countOrPercent(path, maxUnavailable),
    ...(isZeroCount(maxUnavailable) ? [fieldErrors.invalid(path, maxUnavailable, "cannot be 0")] : []),
    ...atMostFullPercent(path, maxUnavailable),
  ];
}
