import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  nilList,
} from "../../apimachinery/index.ts";
import { invalidFor, optionalOneOf } from "../common/checks.ts";
import { describeDifference } from "../common/difference.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { omit } from "../common/fill.ts";
import { nodeTermWarnings } from "../common/node-labels.ts";
import type {
  CSIPersistentVolumeSource,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PersistentVolume,
  PersistentVolumeSpec,
  SecretReference,
  VolumeNodeAffinity,
} from "../types/core-v1.ts";
import { className, validateAccessModes, volumeModes } from "./claim-spec.ts";
import type { SourceRule } from "./pod-spec/index.ts";
import {
  missing,
  oldSourceWarnings,
  sourceRules,
  validateDriverName,
  validateNodeSelector,
  validateNoBacksteps,
  validateSources,
} from "./pod-spec/index.ts";
import { compareAmounts, validateWhole } from "./resource-names.ts";
import { storageClassAnnotation } from "./volume-columns.ts";

/** Fields of a volume that are not where its storage comes from. */
const commonFields = [
  "capacity",
  "accessModes",
  "claimRef",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "mountOptions",
  "volumeMode",
  "nodeAffinity",
  "volumeAttributesClassName",
] as const;
const reclaimPolicies = ["Delete", "Recycle", "Retain"];
const deprecatedAnnotations = [
  [storageClassAnnotation, 'deprecated since v1.8; use "storageClassName" attribute instead'],
  ["volume.beta.kubernetes.io/mount-options", 'deprecated since v1.31; use "mountOptions" attribute instead'],
] as const;
/** Labels of nodes, and what they are called since they are stable. */
const stableLabels: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
  "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch",
  "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
};

const path = FieldPath.root("spec");

/** The kinds of persistent volumes, in upstream's order. */
const rules: readonly SourceRule[] = [
  sourceRules.hostPath,
  sourceRules.gcePersistentDisk,
  sourceRules.awsElasticBlockStore,
  {
    ...sourceRules.glusterfs,
    check: ({ endpointsNamespace: name }: { readonly endpointsNamespace?: string }, at) => {
      if (name === undefined) return [];
      const why = "if the endpointnamespace is set, it must be a valid namespace name";
      const place = at.child("endpointsNamespace");
      return name === ""
        ? [fieldErrors.invalid(place, name, why)]
        : invalidFor(place, name, isDNS1123Label(name));
    },
  },
  sourceRules.flocker,
  sourceRules.nfs,
  sourceRules.rbd,
  sourceRules.quobyte,
  sourceRules.cephfs,
  sourceRules.iscsiPersistent,
  sourceRules.cinderPersistent,
  sourceRules.fc,
  sourceRules.flexVolume,
  {
    ...sourceRules.azureFile,
    check: ({ secretNamespace }: { readonly secretNamespace?: string }, at) =>
      secretNamespace === "" ? [fieldErrors.required(at.child("secretNamespace"))] : [],
  },
  sourceRules.vsphereVolume,
  sourceRules.photonPersistentDisk,
  sourceRules.portworxVolume,
  sourceRules.azureDisk,
  sourceRules.scaleIO,
  { field: "local", check: local },
  sourceRules.storageosPersistent,
  { field: "csi", check: csi },
];

/** Checks where the storage of a volume comes from. */
export const validateVolumeSources = (
  spec: PersistentVolumeSpec,
  at: { readonly path: FieldPath; readonly name: string },
): FieldError[] => validateSources(spec, rules, at);

/** Checks a persistent volume. */
export function validatePersistentVolume({ metadata, spec }: PersistentVolume): readonly FieldError[] {
  const modes = spec.accessModes ?? [];
  const modesPath = path.child("accessModes");
  const policyPath = path.child("persistentVolumeReclaimPolicy");
  const policy = spec.persistentVolumeReclaimPolicy;
  const errors = [
    ...(modes.length === 0 ? [fieldErrors.required(modesPath)] : []),
    ...validateAccessModes(modes, modesPath),
    ...validateCapacity(spec),
    ...optionalOneOf(policyPath, policy || undefined, reclaimPolicies),
    ...validateAffinity(spec.nodeAffinity),
    ...validateVolumeSources(spec, { path, name: metadata.name }),
  ];
  if (spec.local && !spec.nodeAffinity) {
    errors.push(fieldErrors.required(path.child("nodeAffinity"), "Local volume requires node affinity"));
  }
  if (policy === "Recycle" && isRoot(spec.hostPath?.path)) {
    errors.push(fieldErrors.forbidden(policyPath, "may not be 'recycle' for a hostPath mount of '/'"));
  }
  errors.push(
    ...className(spec.storageClassName, path.child("storageClassName")),
    ...optionalOneOf(path.child("volumeMode"), spec.volumeMode, volumeModes),
  );
  return [...errors, ...validateAttributesClass(spec)];
}

function validateCapacity({ capacity }: PersistentVolumeSpec): FieldError[] {
  const at = path.child("capacity");
  const amounts = Object.entries(capacity ?? {});
  const errors = amounts.length === 0 ? [fieldErrors.required(at)] : [];
  if (amounts.length !== 1 || amounts[0]?.[0] !== "storage") {
    errors.push(
      fieldErrors.notSupported(at, capacity ? Object.fromEntries(amounts.toSorted()) : nilList, ["storage"]),
    );
  }
  for (const [name, quantity] of amounts) {
    errors.push(...validateWhole(quantity, at.key(name)));
    if (compareAmounts(quantity, "0") <= 0) {
      errors.push(fieldErrors.invalid(at.key(name), quantity, "must be greater than zero"));
    }
  }
  return errors;
}

function validateAffinity(affinity: VolumeNodeAffinity | undefined): FieldError[] {
  if (!affinity) return [];
  const at = path.child("nodeAffinity", "required");
  return affinity.required
    ? validateNodeSelector(affinity.required, at)
    : [fieldErrors.required(at, "must specify required node constraints")];
}

function validateAttributesClass(spec: PersistentVolumeSpec): FieldError[] {
  const name = spec.volumeAttributesClassName;
  if (name === undefined) return [];
  const at = path.child("volumeAttributesClassName");
  const errors =
    name === "" ? [fieldErrors.required(at, "an empty string is disallowed")] : className(name, at);
  if (spec.csi) return errors;
  const why = "has to be specified when using volumeAttributesClassName";
  return [...errors, fieldErrors.required(path.child("csi"), why)];
}

const isRoot = (place: string | undefined): boolean => {
  const parts = (place ?? "").split("/").filter((part) => part !== "" && part !== ".");
  return place !== undefined && place.startsWith("/") && parts.length === 0;
};

function local(source: { readonly path?: string }, at: FieldPath): FieldError[] {
  return source.path
    ? validateNoBacksteps(source.path, at.child("path"))
    : [fieldErrors.required(at.child("path"))];
}

const secretFields = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
] as const;

function csi(source: CSIPersistentVolumeSource, at: FieldPath): FieldError[] {
  return [
    ...validateDriverName(source.driver ?? "", at.child("driver")),
    ...missing(source, at, ["volumeHandle"]),
    ...secretFields.flatMap((field) => validateSecret(source[field], at.child(field))),
  ];
}

function validateSecret(secret: SecretReference | undefined, at: FieldPath): FieldError[] {
  if (!secret) return [];
  const { name = "", namespace = "" } = secret;
  return [
    ...missing({ name }, at, ["name"]),
    ...(name === "" ? [] : invalidFor(at.child("name"), name, isDNS1123Subdomain(name))),
    ...missing({ namespace }, at, ["namespace"]),
    ...(namespace === "" ? [] : invalidFor(at.child("namespace"), namespace, isDNS1123Label(namespace))),
  ];
}

/** Checks what an update may not change: where the storage comes from, its mode, the nodes that reach it. */
export function validatePersistentVolumeUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
): readonly FieldError[] {
  const { spec } = volume;
  const errors: FieldError[] = [];
  const [before, after] = [
    omit(old.spec, ...commonFields),
    omit(withoutNewSecret(spec, old.spec), ...commonFields),
  ];
  if (!semanticallyEqual(before, after)) {
    const type = "io.k8s.api.core.v1.PersistentVolumeSource";
    const difference = describeDifference({ from: before, to: after, type });
    const why = `spec.persistentvolumesource is immutable after creation\n${difference}`;
    errors.push(fieldErrors.forbidden(path.child("persistentvolumesource"), why));
  }
  // Upstream names these two without their parent.
  if (spec.volumeMode !== old.spec.volumeMode) {
    const at = FieldPath.root("volumeMode");
    errors.push(fieldErrors.invalid(at, spec.volumeMode ?? null, "field is immutable"));
  }
  if (old.spec.nodeAffinity && !sameAffinity(spec.nodeAffinity, old.spec.nodeAffinity)) {
    const at = FieldPath.root("nodeAffinity");
    const why = "field is immutable, except for updating from beta label to GA";
    errors.push(fieldErrors.invalid(at, shownAffinity(spec.nodeAffinity), why));
  }
  if (old.spec.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    const at = path.child("volumeAttributesClassName");
    errors.push(fieldErrors.forbidden(at, "update from non-nil value to nil is forbidden"));
  }
  return errors;
}

/** A volume that was made without a secret for growing it may be given one. */
function withoutNewSecret(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): PersistentVolumeSpec {
  return spec.csi && old.csi && old.csi.controllerExpandSecretRef === undefined
    ? { ...spec, csi: omit(spec.csi, "controllerExpandSecretRef") }
    : spec;
}

/** Whether two affinities ask for the same nodes, but for labels that are now called by their stable names. */
function sameAffinity(next: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity): boolean {
  const terms = next?.required?.nodeSelectorTerms ?? [];
  const renamed = (requirement: NodeSelectorRequirement, now: NodeSelectorRequirement | undefined) =>
    now !== undefined && stableLabels[requirement.key] === now.key
      ? { ...requirement, key: now.key }
      : requirement;
  const followed = (old.required?.nodeSelectorTerms ?? []).map((term, index) => ({
    ...term,
    ...(term.matchExpressions
      ? {
          matchExpressions: term.matchExpressions.map((requirement, position) =>
            renamed(requirement, terms[index]?.matchExpressions?.[position]),
          ),
        }
      : {}),
  }));
  return semanticallyEqual(next, old.required ? { required: { nodeSelectorTerms: followed } } : old);
}

function shownAffinity(affinity: VolumeNodeAffinity | undefined): unknown {
  if (!affinity) return null;
  const terms: readonly NodeSelectorTerm[] | null | undefined = affinity.required?.nodeSelectorTerms;
  const requirements = (list: NodeSelectorTerm["matchFields"]) =>
    list?.map(({ key, operator, values }) => ({ Key: key, Operator: operator, Values: values ?? null })) ??
    null;
  return {
    Required: affinity.required
      ? {
          NodeSelectorTerms:
            terms?.map((term) => ({
              MatchExpressions: requirements(term.matchExpressions),
              MatchFields: requirements(term.matchFields),
            })) ?? null,
        }
      : null,
  };
}

/** Warnings of what a persistent volume should say otherwise, and of kinds of volumes that are gone. */
export function persistentVolumeWarnings({ metadata, spec }: PersistentVolume): readonly string[] {
  const annotations = FieldPath.root("metadata").child("annotations");
  const warnings = deprecatedAnnotations.flatMap(([key, message]) =>
    metadata.annotations?.[key] === undefined ? [] : [`${annotations.key(key).text}: ${message}`],
  );
  if (spec.persistentVolumeReclaimPolicy === "Recycle") {
    const why =
      "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.";
    warnings.push(`${path.child("persistentVolumeReclaimPolicy").text}: ${why}`);
  }
  const terms = path.child("nodeAffinity", "required", "nodeSelectorTerms");
  for (const [index, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries()) {
    warnings.push(...nodeTermWarnings(term, terms.index(index), { checkValues: false }));
  }
  return [...warnings, ...oldSourceWarnings(spec, path)];
}
