import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { invalidFor, requiredText } from "../../common/checks.ts";
import {
  canonicalQuantity,
  isConfigMapKey,
  isDNS1123Label,
  isDNS1123Subdomain,
  isEnvVarName,
  isQualifiedName,
} from "../../../apimachinery/index.ts";
import { nanosOf } from "../../common/amounts.ts";
import type {
  ConfigMapKeySelector,
  Container,
  EnvFromSource,
  EnvVar,
  EphemeralContainer,
  FileKeySelector,
  ObjectFieldSelector,
  PodSpec,
  ResourceFieldSelector,
} from "../../types/core-v1.ts";
import { validateNoBacksteps } from "./paths.ts";
import { visitContainers } from "./visit.ts";

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
const hugePages = /^(?:limits|requests)\.hugepages-/;

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
    if (variable.valueFrom) errors.push(...validateSource(variable, at.child("valueFrom")));
  }
  const envFrom = path.child("envFrom");
  for (const [index, source] of (container.envFrom ?? []).entries()) {
    errors.push(...validateSourceOfMany(source, envFrom.index(index), envFrom));
  }
  return errors;
}

/** Checks that files with variables lie in volumes of the pod's own. */
export function validateFileVolumes(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  visitContainers(spec, path, (container, at) => {
    for (const [index, variable] of (container.env ?? []).entries()) {
      const name = variable.valueFrom?.fileKeyRef?.volumeName;
      if (name === undefined) continue;
      const place = at.child("env").index(index).child("valueFrom", "fileKeyRef", "volumeName");
      const volume = (spec.volumes ?? []).find((candidate) => candidate.name === name);
      if (volume === undefined) errors.push(fieldErrors.notFound(place, name));
      else if (!volume.emptyDir) {
        errors.push(fieldErrors.invalid(place, name, "referenced volume must be of type emptyDir"));
      }
    }
  });
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
  const refused = (why: string) => [
    fieldErrors.invalid(at, selector.fieldPath, `error converting fieldPath: ${why}`),
  ];
  if (selector.apiVersion !== "v1") return refused(`unsupported pod version: ${selector.apiVersion}`);
  const subscript = /^(.+?)\['(.*)'\]$/.exec(selector.fieldPath);
  if (subscript !== null) {
    const [, field = "", key = ""] = subscript;
    if (field === "metadata.annotations")
      return invalidFor(path, key.toLowerCase(), isQualifiedName(key.toLowerCase()));
    if (field === "metadata.labels") return invalidFor(path, key, isQualifiedName(key));
    return refused(`field label does not support subscript: ${selector.fieldPath}`);
  }
  // Clients from before v1 ask for the node under its old name.
  const field = selector.fieldPath === "spec.host" ? "spec.nodeName" : selector.fieldPath;
  if (!knownPaths.has(field)) return refused(`field label not supported: ${field}`);
  const supported = options.from === "environment" ? environmentPaths : volumePaths;
  return supported.includes(field) ? [] : [fieldErrors.notSupported(at, field, supported)];
}

/** Checks a reference to a container's requests or limits. */
export function validateResourceFieldRef(
  selector: ResourceFieldSelector,
  path: FieldPath,
  options: { from: "environment" | "volume" },
): FieldError[] {
  const resource = selector.resource ?? "";
  const errors: FieldError[] = [];
  if (options.from === "volume" && !selector.containerName) {
    errors.push(fieldErrors.required(path.child("containerName")));
  } else if (resource === "") errors.push(fieldErrors.required(path.child("resource")));
  else if (!containerResources.includes(resource) && !hugePages.test(resource)) {
    errors.push(fieldErrors.notSupported(path.child("resource"), resource, containerResources));
  }
  return [...errors, ...validateDivisor(selector, path.child("divisor"))];
}

const byteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

function validateDivisor(
  { resource = "", divisor }: Partial<ResourceFieldSelector>,
  path: FieldPath,
): FieldError[] {
  if (divisor === undefined || (nanosOf(divisor) ?? 0n) === 0n) return [];
  const unit = canonicalQuantity(divisor);
  const only = (values: string, what: string) => [
    fieldErrors.invalid(
      path,
      resource,
      `only divisor's values ${values} are supported with the ${what} resource`,
    ),
  ];
  if (resource.endsWith(".cpu")) return unit === "1m" || unit === "1" ? [] : only("1m and 1", "cpu");
  const bytes = resource.endsWith(".memory")
    ? "memory"
    : resource.endsWith(".ephemeral-storage")
      ? "local ephemeral storage"
      : hugePages.test(resource)
        ? "hugepages"
        : undefined;
  return bytes === undefined || byteDivisors.includes(unit) ? [] : only(byteDivisors.join(", "), bytes);
}

function validateSource(variable: EnvVar, path: FieldPath): FieldError[] {
  const source = variable.valueFrom ?? {};
  const errors: FieldError[] = [];
  const from = { from: "environment" } as const;
  if (source.fieldRef) errors.push(...validateFieldRef(source.fieldRef, path.child("fieldRef"), from));
  if (source.resourceFieldRef) {
    const at = path.child("resourceFieldRef");
    errors.push(...validateResourceFieldRef(source.resourceFieldRef, at, from));
  }
  for (const field of ["configMapKeyRef", "secretKeyRef"] as const) {
    const reference = source[field];
    if (reference) errors.push(...validateKeyRef(reference, path.child(field)));
  }
  if (source.fileKeyRef) errors.push(...validateFileRef(source.fileKeyRef, path.child("fileKeyRef")));
  const count = Object.values(source).filter((value) => value !== undefined).length;
  const problem =
    count === 0
      ? "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
      : variable.value
        ? "may not be specified when `value` is not empty"
        : count > 1
          ? "may not have more than one field specified at a time"
          : undefined;
  if (problem !== undefined) errors.push(fieldErrors.invalid(path, "", problem));
  return errors;
}

function validateKeyRef(reference: ConfigMapKeySelector, path: FieldPath): FieldError[] {
  const name = reference.name ?? "";
  return [
    ...invalidFor(path.child("name"), name, isDNS1123Subdomain(name)),
    ...requiredText(path.child("key"), reference.key, isConfigMapKey),
  ];
}

function validateFileRef(reference: FileKeySelector, path: FieldPath): FieldError[] {
  const { key, volumeName, path: file } = reference;
  return [
    ...requiredText(path.child("key"), key, isEnvVarName),
    ...requiredText(path.child("volumeName"), volumeName, isDNS1123Label),
    ...(file ? validateNoBacksteps(file, path.child("path")) : [fieldErrors.required(path.child("path"))]),
  ];
}

/** Names may end in a dash here: upstream checks them as prefixes. */
const prefixProblems = (name: string) =>
  isDNS1123Subdomain(name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name);

function validateSourceOfMany(source: EnvFromSource, path: FieldPath, list: FieldPath): FieldError[] {
  const errors = source.prefix
    ? invalidFor(path.child("prefix"), source.prefix, isEnvVarName(source.prefix))
    : [];
  let count = 0;
  for (const field of ["configMapRef", "secretRef"] as const) {
    const reference = source[field];
    if (!reference) continue;
    count++;
    const at = path.child(field, "name");
    if (!reference.name) errors.push(fieldErrors.required(at));
    else errors.push(...invalidFor(at, reference.name, prefixProblems(reference.name)));
  }
  // Upstream names the list, not its entry.
  if (count === 0) {
    errors.push(fieldErrors.invalid(list, "", "must specify one of: `configMapRef` or `secretRef`"));
  } else if (count > 1) {
    errors.push(fieldErrors.invalid(list, "", "may not have more than one field specified at a time"));
  }
  return errors;
}
