import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Label, isDNS1123Subdomain } from "../../../apimachinery/index.ts";
import { invalidFor, optionalOneOf } from "../../common/checks.ts";
import type {
  AzureDiskVolumeSource,
  CSIVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  HostPathVolumeSource,
  ISCSIPersistentVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  StorageOSPersistentVolumeSource,
  StorageOSVolumeSource,
} from "../../types/core-v1.ts";
import { validateLocalPath, validateNoBacksteps } from "./paths.ts";

/** What a volume's rules know of its surroundings. */
export interface VolumePlace {
  /** Where the volume is: the parent of its source. */
  readonly path: FieldPath;
  /** The volume's own name, and the name of the pod, where there is one. */
  readonly name: string;
  readonly podName?: string;
}

/** What must hold of one kind of volume. */
export interface SourceRule {
  readonly field: string;
  /** Where upstream says that there is one kind too many, when that is not the field. */
  readonly forbiddenAt?: string;
  /** Where upstream puts what is wrong inside, when that is not the field. */
  readonly contentAt?: string;
  readonly required?: readonly string[];
  readonly check?: (source: never, path: FieldPath, place: VolumePlace) => FieldError[];
}

/** Checks the kinds of a volume in upstream's order: one, and that one whole. */
export function validateSources(
  sources: object,
  rules: readonly SourceRule[],
  place: VolumePlace,
): FieldError[] {
  const errors: FieldError[] = [];
  const given = sources as Readonly<Record<string, object | undefined>>;
  let found = false;
  for (const rule of rules) {
    const source = given[rule.field];
    if (!source) continue;
    if (found) {
      const at = place.path.child(rule.forbiddenAt ?? rule.field);
      errors.push(fieldErrors.forbidden(at, "may not specify more than 1 volume type"));
      continue;
    }
    found = true;
    const path = place.path.child(rule.contentAt ?? rule.field);
    if (rule.required) errors.push(...missing(source, path, rule.required));
    if (rule.check) errors.push(...rule.check(source as never, path, place));
  }
  if (!found) errors.push(fieldErrors.required(place.path, "must specify a volume type"));
  return errors;
}

/** Fields of an object that must be there and not be empty. */
export function missing(object: object, path: FieldPath, fields: readonly string[]): FieldError[] {
  const given = object as Readonly<Record<string, unknown>>;
  return fields.flatMap((field) => {
    const value = given[field];
    const absent = value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
    return absent ? [fieldErrors.required(path.child(field))] : [];
  });
}

const partitionProblem = "must be between 1 and 255, inclusive";
const lunProblem = "must be between 0 and 255, inclusive";

function partition(source: { readonly partition?: number }, path: FieldPath): FieldError[] {
  const number = source.partition ?? 0;
  return number < 0 || number > 255
    ? [fieldErrors.invalid(path.child("partition"), number, partitionProblem)]
    : [];
}

function lun(source: { readonly lun?: number }, path: FieldPath): FieldError[] {
  const number = source.lun ?? 0;
  return number < 0 || number > 255 ? [fieldErrors.invalid(path.child("lun"), number, lunProblem)] : [];
}

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

function hostPath(source: HostPathVolumeSource, path: FieldPath): FieldError[] {
  if (!source.path) return [fieldErrors.required(path.child("path"))];
  return [
    ...validateNoBacksteps(source.path, path.child("path")),
    ...optionalOneOf(path.child("type"), source.type, hostPathTypes),
  ];
}

function nfs(source: NFSVolumeSource, path: FieldPath): FieldError[] {
  return source.path?.startsWith("/")
    ? []
    : [fieldErrors.invalid(path.child("path"), source.path ?? "", "must be an absolute path")];
}

function quobyte(source: QuobyteVolumeSource, path: FieldPath): FieldError[] {
  const why = "must be a host:port pair or multiple pairs separated by commas";
  const errors: FieldError[] = [];
  if (!source.registry) errors.push(fieldErrors.required(path.child("registry"), why));
  else if ((source.tenant ?? "").length >= 65) {
    const long = "must be a UUID and may not exceed a length of 64 characters";
    errors.push(fieldErrors.required(path.child("tenant"), long));
  } else {
    for (const pair of source.registry.split(",")) {
      if (!/^(?:[^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair)) {
        errors.push(fieldErrors.invalid(path.child("registry"), source.registry, why));
      }
    }
  }
  return [...errors, ...missing(source, path, ["volume"])];
}

function flocker(source: FlockerVolumeSource, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { datasetName = "", datasetUUID = "" } = source;
  if (datasetName === "" && datasetUUID === "") {
    errors.push(fieldErrors.required(path, "one of datasetName and datasetUUID is required"));
  }
  if (datasetName !== "" && datasetUUID !== "") {
    const why = "datasetName and datasetUUID can not be specified simultaneously";
    errors.push(fieldErrors.invalid(path, "resource", why));
  }
  if (datasetName.includes("/")) {
    errors.push(fieldErrors.invalid(path.child("datasetName"), datasetName, "must not contain '/'"));
  }
  return errors;
}

function fibreChannel(source: FCVolumeSource, path: FieldPath): FieldError[] {
  const names = source.targetWWNs ?? [];
  const identifiers = source.wwids ?? [];
  const at = path.child("targetWWNs");
  const errors: FieldError[] = [];
  if (names.length === 0 && identifiers.length === 0) {
    errors.push(fieldErrors.required(at, "must specify either targetWWNs or wwids, but not both"));
  }
  if (names.length > 0 && identifiers.length > 0) {
    errors.push(fieldErrors.invalid(at, names, "targetWWNs and wwids can not be specified simultaneously"));
  }
  if (names.length === 0) return errors;
  if (source.lun === undefined) {
    errors.push(fieldErrors.required(path.child("lun"), "lun is required if targetWWNs is specified"));
  }
  return [...errors, ...lun(source, path)];
}

function flexOptions(
  source: { readonly options?: Readonly<Record<string, string>> },
  path: FieldPath,
): FieldError[] {
  return Object.keys(source.options ?? {}).flatMap((key) =>
    /(?:^|\.)(?:kubernetes|k8s)\.io$/i.test(key.split("/", 1)[0] ?? "")
      ? [
          fieldErrors.invalid(
            path.child("options").key(key),
            key,
            "kubernetes.io and k8s.io namespaces are reserved",
          ),
        ]
      : [],
  );
}

const managedDisk =
  "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const blobDisk = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

function azureDisk(source: AzureDiskVolumeSource, path: FieldPath): FieldError[] {
  const errors = [
    ...optionalOneOf(path.child("cachingMode"), source.cachingMode, ["None", "ReadOnly", "ReadWrite"]),
    ...optionalOneOf(path.child("kind"), source.kind, ["Dedicated", "Managed", "Shared"]),
  ];
  const uri = source.diskURI ?? "";
  const managed = source.kind === "Managed";
  if (source.kind !== undefined && !uri.startsWith(managed ? "/subscriptions/" : "https://")) {
    errors.push(fieldErrors.notSupported(path.child("diskURI"), uri, [managed ? managedDisk : blobDisk]));
  }
  return errors;
}

const initiatorPatterns: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

/** Checks the name of a party of iSCSI; `unknown` is what upstream says of names of no known form. */
function initiator(name: string, path: FieldPath, unknown: string): FieldError[] {
  const pattern = initiatorPatterns[name.slice(0, 3)];
  if (pattern === undefined) return [fieldErrors.invalid(path, name, unknown)];
  return pattern.test(name) ? [] : [fieldErrors.invalid(path, name, "must be valid format")];
}

function iscsi(source: ISCSIVolumeSource, path: FieldPath, place: VolumePlace): FieldError[] {
  const unknown = "must be valid format starting with iqn, eui, or naa";
  const errors = [...missing(source, path, ["targetPortal"]), ...iscsiParties(source, path, unknown)];
  if (source.initiatorName !== undefined && `${place.name}:${source.targetPortal}`.length > 64) {
    errors.push(fieldErrors.invalid(place.path.child("name"), place.name, iscsiTooLong));
  }
  return errors;
}

const iscsiTooLong =
  "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";

function iscsiPersistent(
  source: ISCSIPersistentVolumeSource,
  path: FieldPath,
  place: VolumePlace,
): FieldError[] {
  const errors = missing(source, path, ["targetPortal"]);
  if (source.initiatorName !== undefined && `${place.name}:${source.targetPortal}`.length > 64) {
    errors.push(fieldErrors.invalid(path.child("targetportal"), source.targetPortal, iscsiTooLong));
  }
  return [...errors, ...iscsiParties(source, path, "must be valid format")];
}

function iscsiParties(
  source: ISCSIVolumeSource | ISCSIPersistentVolumeSource,
  path: FieldPath,
  unknown: string,
): FieldError[] {
  const errors = source.iqn
    ? initiator(source.iqn, path.child("iqn"), unknown)
    : [fieldErrors.required(path.child("iqn"))];
  errors.push(...lun(source, path));
  const authenticates = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  if (authenticates && !source.secretRef) errors.push(fieldErrors.required(path.child("secretRef")));
  if (source.secretRef && unknown === "must be valid format" && !source.secretRef.name) {
    errors.push(fieldErrors.required(path.child("secretRef", "name")));
  }
  return source.initiatorName === undefined
    ? errors
    : [...errors, ...initiator(source.initiatorName, path.child("initiatorname"), unknown)];
}

function storageOS(
  source: StorageOSVolumeSource | StorageOSPersistentVolumeSource,
  path: FieldPath,
  secretFields: readonly string[],
): FieldError[] {
  const name = source.volumeName ?? "";
  const namespace = source.volumeNamespace ?? "";
  return [
    ...(name === ""
      ? [fieldErrors.required(path.child("volumeName"))]
      : invalidFor(path.child("volumeName"), name, isDNS1123Label(name))),
    ...(namespace === ""
      ? []
      : invalidFor(path.child("volumeNamespace"), namespace, isDNS1123Label(namespace))),
    ...secret(source, path, secretFields),
  ];
}

function secret(
  source: { readonly secretRef?: object },
  path: FieldPath,
  fields: readonly string[],
): FieldError[] {
  return source.secretRef ? missing(source.secretRef, path.child("secretRef"), fields) : [];
}

const longestDriverName = 63;

/** Checks the name of a CSI driver. */
export function validateDriverName(name: string, path: FieldPath): FieldError[] {
  const errors = name === "" ? [fieldErrors.required(path)] : [];
  if (name.length > longestDriverName) errors.push(fieldErrors.tooLong(path, longestDriverName));
  return [...errors, ...invalidFor(path, name, isDNS1123Subdomain(name.toLowerCase()))];
}

function csi(source: CSIVolumeSource, path: FieldPath): FieldError[] {
  const errors = validateDriverName(source.driver ?? "", path.child("driver"));
  if (!source.nodePublishSecretRef) return errors;
  const name = source.nodePublishSecretRef.name ?? "";
  return name === ""
    ? [...errors, fieldErrors.required(path.child("nodePublishSecretRef", "name"))]
    : [...errors, ...invalidFor(path.child("name"), name, isDNS1123Subdomain(name))];
}

/** Rules of kinds of volumes, by the field that has them. */
export const sourceRules = {
  hostPath: { field: "hostPath", check: hostPath },
  gitRepo: {
    field: "gitRepo",
    required: ["repository"],
    check: (source: { readonly directory?: string }, path) =>
      validateLocalPath(source.directory ?? "", path.child("directory")),
  },
  gcePersistentDisk: {
    field: "gcePersistentDisk",
    contentAt: "persistentDisk",
    required: ["pdName"],
    check: partition,
  },
  awsElasticBlockStore: { field: "awsElasticBlockStore", required: ["volumeID"], check: partition },
  nfs: { field: "nfs", required: ["server", "path"], check: nfs },
  iscsi: { field: "iscsi", check: iscsi },
  iscsiPersistent: { field: "iscsi", check: iscsiPersistent },
  glusterfs: { field: "glusterfs", required: ["endpoints", "path"] },
  flocker: { field: "flocker", check: flocker },
  persistentVolumeClaim: { field: "persistentVolumeClaim", required: ["claimName"] },
  rbd: { field: "rbd", required: ["monitors", "image"] },
  cinder: {
    field: "cinder",
    required: ["volumeID"],
    check: (source: { readonly secretRef?: object }, path) => secret(source, path, ["name"]),
  },
  cinderPersistent: {
    field: "cinder",
    required: ["volumeID"],
    check: (source: { readonly secretRef?: object }, path) => secret(source, path, ["name", "namespace"]),
  },
  cephfs: { field: "cephfs", forbiddenAt: "cephFS", required: ["monitors"] },
  quobyte: { field: "quobyte", check: quobyte },
  fc: { field: "fc", check: fibreChannel },
  flexVolume: { field: "flexVolume", required: ["driver"], check: flexOptions },
  azureFile: { field: "azureFile", required: ["secretName", "shareName"] },
  vsphereVolume: { field: "vsphereVolume", required: ["volumePath"] },
  photonPersistentDisk: { field: "photonPersistentDisk", required: ["pdID"] },
  portworxVolume: { field: "portworxVolume", required: ["volumeID"] },
  azureDisk: { field: "azureDisk", required: ["diskName", "diskURI"], check: azureDisk },
  storageos: {
    field: "storageos",
    check: (source: StorageOSVolumeSource, path) => storageOS(source, path, ["name"]),
  },
  storageosPersistent: {
    field: "storageos",
    check: (source: StorageOSPersistentVolumeSource, path) => storageOS(source, path, ["name", "namespace"]),
  },
  scaleIO: { field: "scaleIO", required: ["gateway", "system", "volumeName"] },
  csi: { field: "csi", check: csi },
} as const satisfies Readonly<Record<string, SourceRule>>;
