import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Subdomain } from "../../../apimachinery/index.ts";
import { validateLabelSelector } from "../../common/selectors.ts";
import { isKubernetesSigner, validateSignerName, validateUserAnnotations } from "../../common/signers.ts";
import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "../../types/core-v1.ts";
import { validateLocalNonReservedPath } from "./paths.ts";
import { validateFieldRef, validateResourceFieldRef } from "./validate-environment.ts";

const largestMode = 0o777;
const modeProblem = "must be a number between 0 and 0777 (octal), both inclusive";
const shortestTokenSeconds = 600;
const longestTokenSeconds = 2 ** 32;
const keyTypes = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
const shortestCertificateSeconds = 3600;
/** 91 days, and a day for signers of Kubernetes' own. */
const longestCertificateSeconds = { other: 7_862_400, kubernetes: 86_400 };

/** Checks permissions of a file. */
export function validateMode(path: FieldPath, mode: number | undefined): FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= largestMode)
    ? []
    : [fieldErrors.invalid(path, mode, modeProblem)];
}

/** Checks which file a key of a secret or a config map becomes. */
export function validateKey(item: KeyToPath, path: FieldPath): FieldError[] {
  const errors = item.key ? [] : [fieldErrors.required(path.child("key"))];
  if (!item.path) errors.push(fieldErrors.required(path.child("path")));
  errors.push(
    ...validateLocalNonReservedPath(item.path ?? "", path.child("path")),
    ...validateMode(path.child("mode"), item.mode),
  );
  return errors;
}

/** Checks a file that tells of the pod. */
export function validateDownwardFile(file: DownwardAPIVolumeFile, path: FieldPath): FieldError[] {
  const errors = file.path ? [] : [fieldErrors.required(path.child("path"))];
  errors.push(...validateLocalNonReservedPath(file.path ?? "", path.child("path")));
  if (file.fieldRef) {
    errors.push(...validateFieldRef(file.fieldRef, path.child("fieldRef"), { from: "volume" }));
    if (file.resourceFieldRef) {
      const why = "fieldRef and resourceFieldRef can not be specified simultaneously";
      errors.push(fieldErrors.invalid(path, "resource", why));
    }
  } else if (file.resourceFieldRef) {
    const at = path.child("resourceFieldRef");
    errors.push(...validateResourceFieldRef(file.resourceFieldRef, at, { from: "volume" }));
  } else {
    errors.push(fieldErrors.required(path, "one of fieldRef and resourceFieldRef is required"));
  }
  return [...errors, ...validateMode(path.child("mode"), file.mode)];
}

/** Checks a volume of files from several sources. */
export function validateProjected(volume: ProjectedVolumeSource, path: FieldPath): FieldError[] {
  const errors = validateMode(path.child("defaultMode"), volume.defaultMode);
  const taken = new Set<string>();
  /** Says that a file is there already; `shown` is what upstream shows with it. */
  const claim = (file: string, shown: string): FieldError[] => {
    if (!taken.has(file)) {
      taken.add(file);
      return [];
    }
    return [fieldErrors.invalid(path, shown, "conflicting duplicate paths")];
  };
  for (const [index, source] of (volume.sources ?? []).entries()) {
    const at = path.child("sources").index(index);
    errors.push(...validateSource(source, { at, volume: path, claim }));
    if (Object.values(source).filter((value) => value !== undefined).length > 1) {
      errors.push(fieldErrors.forbidden(at, "may not specify more than 1 volume type per source"));
    }
  }
  return errors;
}

interface Projection {
  readonly at: FieldPath;
  readonly volume: FieldPath;
  readonly claim: (file: string, shown: string) => FieldError[];
}

function validateSource(source: VolumeProjection, projection: Projection): FieldError[] {
  const { at, claim } = projection;
  const errors: FieldError[] = [];
  for (const field of ["secret", "configMap"] as const) {
    const keys = source[field];
    if (!keys) continue;
    const path = at.child(field);
    if (!keys.name) errors.push(fieldErrors.required(path.child("name")));
    for (const [index, item] of (keys.items ?? []).entries()) {
      errors.push(...validateKey(item, path.child("items").index(index)));
      if (item.path) errors.push(...claim(item.path, keys.name ?? ""));
    }
  }
  for (const file of source.downwardAPI?.items ?? []) {
    errors.push(...validateDownwardFile(file, at.child("downwardAPI")));
    if (file.path) errors.push(...claim(file.path, file.path));
  }
  if (source.serviceAccountToken) errors.push(...validateToken(source.serviceAccountToken, projection));
  if (source.clusterTrustBundle) errors.push(...validateBundle(source.clusterTrustBundle, projection));
  if (source.podCertificate) errors.push(...validateCertificate(source.podCertificate, projection));
  return errors;
}

function validateToken(token: ServiceAccountTokenProjection, { at, volume }: Projection): FieldError[] {
  const path = at.child("serviceAccountToken", "expirationSeconds");
  const seconds = token.expirationSeconds ?? 0;
  const errors: FieldError[] = [];
  if (seconds < shortestTokenSeconds) {
    const why = "may not specify a duration less than 10 minutes";
    errors.push(fieldErrors.invalid(path, seconds, why));
  }
  if (seconds > longestTokenSeconds) {
    const why = "may not specify a duration larger than 2^32 seconds";
    errors.push(fieldErrors.invalid(path, seconds, why));
  }
  // Upstream names the volume here, not its source.
  return token.path
    ? [...errors, ...validateLocalNonReservedPath(token.path, volume.child("path"))]
    : [...errors, fieldErrors.required(volume.child("path"))];
}

function validateBundle(bundle: ClusterTrustBundleProjection, { at, claim }: Projection): FieldError[] {
  const path = at.child("clusterTrustBundle");
  const file = bundle.path ?? "";
  const errors = validateBundleChoice(bundle, path);
  if (file === "") errors.push(fieldErrors.required(path.child("path")));
  return [...errors, ...validateLocalNonReservedPath(file, path.child("path")), ...claim(file, file)];
}

function validateBundleChoice(bundle: ClusterTrustBundleProjection, path: FieldPath): FieldError[] {
  const { name, signerName, labelSelector } = bundle;
  if (name !== undefined && signerName !== undefined) {
    return [fieldErrors.invalid(path, bundle, "only one of name and signerName may be used")];
  }
  if (name !== undefined) {
    const at = path.child("name");
    const errors = name === "" ? [fieldErrors.required(at, "must be a valid object name")] : [];
    // Bundles of a signer are named after it: what stands behind the last colon is their own.
    const own = name.slice(name.lastIndexOf(":") + 1);
    for (const problem of isDNS1123Subdomain(own)) {
      errors.push(fieldErrors.invalid(at, name, `not a valid clustertrustbundlename: ${problem}`));
    }
    if (labelSelector) {
      const why = "labelSelector must be unset if name is specified";
      errors.push(fieldErrors.invalid(path.child("labelSelector"), labelSelector, why));
    }
    return errors;
  }
  if (signerName === undefined) {
    return [fieldErrors.required(path, "either name or signerName must be specified")];
  }
  const at = path.child("signerName");
  return [
    ...(signerName === "" ? [fieldErrors.required(at, "must be a valid signer name")] : []),
    ...validateSignerName(signerName, at),
    ...validateLabelSelector(labelSelector, path.child("labelSelector")),
  ];
}

function validateCertificate(certificate: PodCertificateProjection, { at, claim }: Projection): FieldError[] {
  const path = at.child("podCertificate");
  const { signerName = "", keyType, maxExpirationSeconds: seconds } = certificate;
  const errors = validateSignerName(signerName, path.child("signerName"));
  if (certificate.userAnnotations) {
    errors.push(...validateUserAnnotations(certificate.userAnnotations, path.child("userAnnotations")));
  }
  if (!keyTypes.includes(keyType ?? "")) {
    errors.push(fieldErrors.notSupported(path.child("keyType"), keyType ?? "", keyTypes));
  }
  if (seconds !== undefined) {
    const longest = longestCertificateSeconds[isKubernetesSigner(signerName) ? "kubernetes" : "other"];
    const place = path.child("maxExpirationSeconds");
    const bound = (sign: string, limit: number) =>
      fieldErrors.invalid(place, seconds, `if provided, maxExpirationSeconds must be ${sign} ${limit}`);
    if (seconds < shortestCertificateSeconds) errors.push(bound(">=", shortestCertificateSeconds));
    if (seconds > longest) errors.push(bound("<=", longest));
  }
  let count = 0;
  for (const field of ["credentialBundlePath", "keyPath", "certificateChainPath"] as const) {
    const file = certificate[field];
    if (!file) continue;
    count++;
    errors.push(...validateLocalNonReservedPath(file, path.child(field)), ...claim(file, file));
  }
  if (count === 0) {
    const why = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
    errors.push(fieldErrors.required(path, why));
  }
  return errors;
}
