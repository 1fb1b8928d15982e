import type { FieldError, FieldPath, ObjectMeta } from "../../../apimachinery/index.ts";
import {
  fieldErrors,
  isDNS1123Label,
  isDNS1123Subdomain,
  validateAnnotations,
} from "../../../apimachinery/index.ts";
import { invalidFor, oneOf } from "../../common/checks.ts";
import { validateLabels } from "../../common/selectors.ts";
import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeSource,
  EmptyDirVolumeSource,
  EphemeralVolumeSource,
  ImageVolumeSource,
  SecretVolumeSource,
  Volume,
} from "../../types/core-v1.ts";
import { validateClaimSpec } from "../claim-spec.ts";
import { compareAmounts } from "../resource-names.ts";
import { validateDownwardFile, validateKey, validateMode, validateProjected } from "./validate-projected.ts";
import type { SourceRule, VolumePlace } from "./volume-sources.ts";
import { sourceRules, validateSources } from "./volume-sources.ts";

/** Which policies there are for pulling images. */
export const pullPolicies = ["Always", "IfNotPresent", "Never"];

const rules: readonly SourceRule[] = [
  { field: "emptyDir", check: emptyDir },
  sourceRules.hostPath,
  sourceRules.gitRepo,
  sourceRules.gcePersistentDisk,
  sourceRules.awsElasticBlockStore,
  { field: "secret", required: ["secretName"], check: files },
  sourceRules.nfs,
  sourceRules.iscsi,
  sourceRules.glusterfs,
  sourceRules.flocker,
  sourceRules.persistentVolumeClaim,
  sourceRules.rbd,
  sourceRules.cinder,
  sourceRules.cephfs,
  sourceRules.quobyte,
  { field: "downwardAPI", forbiddenAt: "downwarAPI", check: downwardAPI },
  sourceRules.fc,
  sourceRules.flexVolume,
  { field: "configMap", required: ["name"], check: files },
  sourceRules.azureFile,
  sourceRules.vsphereVolume,
  sourceRules.photonPersistentDisk,
  sourceRules.portworxVolume,
  sourceRules.azureDisk,
  sourceRules.storageos,
  { field: "projected", check: validateProjected },
  sourceRules.scaleIO,
  sourceRules.csi,
  { field: "ephemeral", check: ephemeral },
  { field: "image", required: ["reference"], check: image },
];

/** What was found of a pod's volumes: errors, and the volumes that are valid, by name. */
export interface CheckedVolumes {
  readonly errors: FieldError[];
  readonly valid: ReadonlyMap<string, Volume>;
}

/** Checks a pod's volumes. */
export function validateVolumes(
  volumes: readonly Volume[],
  path: FieldPath,
  podName: string | undefined,
): CheckedVolumes {
  const errors: FieldError[] = [];
  const valid = new Map<string, Volume>();
  const created = new Set(
    podName === undefined
      ? []
      : volumes.flatMap((volume) => (volume.ephemeral ? [`${podName}-${volume.name}`] : [])),
  );
  for (const [index, volume] of volumes.entries()) {
    const at = path.index(index);
    const own = validateVolume(volume, at, podName);
    if (valid.has(volume.name)) own.push(fieldErrors.duplicate(at.child("name"), volume.name));
    if (own.length === 0) valid.set(volume.name, volume);
    else errors.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && created.has(claim)) {
      const why = "must not reference a PVC that gets created for an ephemeral volume";
      errors.push(fieldErrors.invalid(at.child("persistentVolumeClaim", "claimName"), claim, why));
    }
  }
  return { errors, valid };
}

function validateVolume(volume: Volume, path: FieldPath, podName: string | undefined): FieldError[] {
  const name = volume.name ?? "";
  const place = { path, name, ...(podName === undefined ? {} : { podName }) };
  const errors = validateSources(volume, rules, place);
  if (name === "") errors.push(fieldErrors.required(path.child("name")));
  else errors.push(...invalidFor(path.child("name"), name, isDNS1123Label(name)));
  return errors;
}

function emptyDir(source: EmptyDirVolumeSource, path: FieldPath): FieldError[] {
  return source.sizeLimit !== undefined && compareAmounts(source.sizeLimit, "0") < 0
    ? [fieldErrors.forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity")]
    : [];
}

function files(source: SecretVolumeSource | ConfigMapVolumeSource, path: FieldPath): FieldError[] {
  const errors = validateMode(path.child("defaultMode"), source.defaultMode);
  for (const [index, item] of (source.items ?? []).entries()) {
    errors.push(...validateKey(item, path.child("items").index(index)));
  }
  return errors;
}

function downwardAPI(source: DownwardAPIVolumeSource, path: FieldPath): FieldError[] {
  const errors = validateMode(path.child("defaultMode"), source.defaultMode);
  for (const file of source.items ?? []) errors.push(...validateDownwardFile(file, path));
  return errors;
}

function image(source: ImageVolumeSource, path: FieldPath): FieldError[] {
  return oneOf(path.child("pullPolicy"), source.pullPolicy, pullPolicies);
}

function ephemeral(source: EphemeralVolumeSource, path: FieldPath, place: VolumePlace): FieldError[] {
  const template = source.volumeClaimTemplate;
  const at = path.child("volumeClaimTemplate");
  const errors = template
    ? [
        ...validateTemplateMeta(template.metadata, at.child("metadata")),
        ...validateClaimSpec(template.spec ?? {}, at.child("spec"), { anyGroup: false }),
      ]
    : [fieldErrors.required(at)];
  if (place.podName === undefined || place.name === "") return errors;
  const claim = `${place.podName}-${place.name}`;
  return [
    ...errors,
    ...isDNS1123Subdomain(claim).map((problem) =>
      fieldErrors.invalid(place.path.child("name"), place.name, `PVC name "${claim}": ${problem}`),
    ),
  ];
}

/** Fields of metadata that a template of a claim may not have, as upstream's paths spell them. */
const forbiddenMeta: readonly (readonly [field: keyof ObjectMeta, spelled: string])[] = [
  ["name", "name"],
  ["generateName", "generateName"],
  ["namespace", "namespace"],
  ["selfLink", "selfLink"],
  ["uid", "uID"],
  ["resourceVersion", "resourceVersion"],
  ["generation", "generation"],
  ["creationTimestamp", "creationTimestamp"],
  ["deletionTimestamp", "deletionTimestamp"],
  ["deletionGracePeriodSeconds", "deletionGracePeriodSeconds"],
  ["ownerReferences", "ownerReferences"],
  ["finalizers", "finalizers"],
  ["managedFields", "managedFields"],
];

function validateTemplateMeta(metadata: ObjectMeta | undefined, path: FieldPath): FieldError[] {
  if (metadata === undefined) return [];
  const isSet = (value: unknown) => value !== undefined && value !== null && value !== "" && value !== 0;
  return [
    ...(metadata.annotations ? validateAnnotations(metadata.annotations, path.child("annotations")) : []),
    ...validateLabels(metadata.labels, path.child("labels")),
    ...forbiddenMeta.flatMap(([field, spelled]) =>
      isSet(metadata[field]) ? [fieldErrors.forbidden(path.child(spelled), "cannot be set")] : [],
    ),
  ];
}
