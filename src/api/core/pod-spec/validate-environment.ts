import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { invalidFor } from "../../common/checks.ts";
import {
  isConfigMapKey,
  isDNS1123Subdomain,
  isEnvVarName,
  isQualifiedName,
} from "../../../apimachinery/index.ts";
import type {
  Container,
  EnvFromSource,
  EnvVar,
  EphemeralContainer,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from "../../types/core-v1.ts";

const environmentPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const volumePaths = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
const knownPaths = new Set([
  ...environmentPaths,
  ...volumePaths,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);
const containerResources = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];

/** Checks the environment of a container: single variables and sources of many. */
export function validateEnvironment(
  container: Container | EphemeralContainer,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, variable] of (container.env ?? []).entries()) {
    const at = path.child("env").index(index);
    if (!variable.name) errors.push(fieldErrors.required(at.child("name")));
    else errors.push(...invalidFor(at.child("name"), variable.name, isEnvVarName(variable.name)));
    errors.push(...validateSource(variable, at.child("valueFrom")));
  }
  for (const [index, source] of (container.envFrom ?? []).entries()) {
    errors.push(...validateSourceOfMany(source, path.child("envFrom").index(index)));
  }
  return errors;
}

/** Checks a reference to a field of the pod, from the environment or a file. */
export function validateFieldRef(
  selector: ObjectFieldSelector,
  path: FieldPath,
  options: { from: "environment" | "volume" },
): FieldError[] {
  if (!selector.apiVersion) return [fieldErrors.required(path.child("apiVersion"))];
  if (!selector.fieldPath) return [fieldErrors.required(path.child("fieldPath"))];
  const at = path.child("fieldPath");
  const subscript = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/.exec(selector.fieldPath);
  if (subscript !== null) {
    const key = subscript[2] ?? "";
    const name = subscript[1] === "metadata.annotations" ? key.toLowerCase() : key;
    return invalidFor(at, key, isQualifiedName(name));
  }
  if (!knownPaths.has(selector.fieldPath)) {
    const why = `error converting fieldPath: field label not supported: ${selector.fieldPath}`;
    return [fieldErrors.invalid(at, selector.fieldPath, why)];
  }
  const supported = options.from === "environment" ? environmentPaths : volumePaths;
  return supported.includes(selector.fieldPath)
    ? []
    : [fieldErrors.notSupported(at, selector.fieldPath, supported)];
}

/** Checks a reference to a container's requests or limits. */
export function validateResourceFieldRef(
  selector: ResourceFieldSelector,
  path: FieldPath,
  options: { from: "environment" | "volume" },
): FieldError[] {
  if (options.from === "volume" && !selector.containerName) {
    return [fieldErrors.required(path.child("containerName"))];
  }
  if (!selector.resource) return [fieldErrors.required(path.child("resource"))];
  if (
    containerResources.includes(selector.resource) ||
    /^(limits|requests)\.hugepages-/.test(selector.resource)
  )
    return [];
  return [fieldErrors.notSupported(path.child("resource"), selector.resource, containerResources)];
}

function validateSource(variable: EnvVar, path: FieldPath): FieldError[] {
  const source = variable.valueFrom;
  if (source === undefined) return [];
  const errors: FieldError[] = [];
  if (source.fieldRef)
    errors.push(...validateFieldRef(source.fieldRef, path.child("fieldRef"), { from: "environment" }));
  if (source.resourceFieldRef) {
    errors.push(
      ...validateResourceFieldRef(source.resourceFieldRef, path.child("resourceFieldRef"), {
        from: "environment",
      }),
    );
  }
  for (const field of ["configMapKeyRef", "secretKeyRef"] as const) {
    const reference = source[field];
    if (!reference) continue;
    const at = path.child(field);
    if (!reference.name) errors.push(fieldErrors.required(at.child("name")));
    if (!reference.key) errors.push(fieldErrors.required(at.child("key")));
    else errors.push(...invalidFor(at.child("key"), reference.key, isConfigMapKey(reference.key)));
  }
  const count = Object.values(source).filter((value) => value !== undefined).length;
  if (count === 0) {
    errors.push(
      fieldErrors.invalid(
        path,
        "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef`, or `fileKeyRef`",
      ),
    );
  } else if (variable.value) {
    errors.push(fieldErrors.invalid(path, "", "may not be specified when `value` is not empty"));
  } else if (count > 1) {
    errors.push(fieldErrors.invalid(path, "", "may not have more than one field specified at a time"));
  }
  return errors;
}

function validateSourceOfMany(source: EnvFromSource, path: FieldPath): FieldError[] {
  const errors = source.prefix
    ? invalidFor(path.child("prefix"), source.prefix, isEnvVarName(source.prefix))
    : [];
  let count = 0;
  for (const field of ["configMapRef", "secretRef"] as const) {
    const reference = source[field];
    if (!reference) continue;
    count++;
    const at = path.child(field).child("name");
    if (!reference.name) errors.push(fieldErrors.required(at));
    else errors.push(...invalidFor(at, reference.name, isDNS1123Subdomain(reference.name)));
  }
  if (count === 0)
    errors.push(fieldErrors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
  else if (count > 1)
    errors.push(fieldErrors.invalid(path, "", "may not have more than one field specified at a time"));
  return errors;
}
