import { FieldPath, fieldErrors, type FieldError } from "../field-error.ts";
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../generated/meta-v1.ts";
import {
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isQualifiedName,
} from "./names.ts";
import { validateLabels } from "./labels.ts";
import { byteLength, noProblems, type Problems } from "./text.ts";

/** Which form names have. */
export type NameRule = "subdomain" | "label" | "rfc1035label" | "path" | "none";

/** Metadata as a request may hold it: the server has not yet filled it in. */
export type PartialObjectMeta = { readonly [Key in keyof ObjectMeta]?: ObjectMeta[Key] | undefined };

const nameRules: Readonly<Record<NameRule, (name: string) => Problems>> = {
  subdomain: isDNS1123Subdomain,
  label: isDNS1123Label,
  rfc1035label: isDNS1035Label,
  path: isPathSegmentName,
  none: () => noProblems,
};

/** Names may be tried with a prefix alone: a generated suffix makes a trailing dash valid. */
export function nameProblems(
  name: string,
  options: { readonly rule: NameRule; readonly prefix: boolean },
): Problems {
  if (!options.prefix) return nameRules[options.rule](name);
  if (options.rule === "path")
    return isPathSegmentName(name).filter((problem) => !problem.startsWith("may not be"));
  return nameRules[options.rule](maskTrailingDash(name));
}

const maskTrailingDash = (name: string) =>
  name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;

const annotationsMaximum = 256 * 1024;
const managerMaximum = 128;
const subresourceMaximum = 256;
const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";

export interface ObjectMetaRules {
  readonly namespaced: boolean;
  readonly nameRule?: NameRule;
  readonly path?: FieldPath;
}

/** What is wrong with the metadata of a new object, after its name was generated. */
export function validateObjectMeta(
  metadata: PartialObjectMeta,
  rules: ObjectMetaRules,
): readonly FieldError[] {
  const path = rules.path ?? FieldPath.root("metadata");
  const rule = rules.nameRule ?? "subdomain";
  const errors: FieldError[] = [];
  const { name = "", generateName = "" } = metadata;
  if (generateName !== "") {
    for (const problem of nameProblems(generateName, { rule, prefix: true })) {
      errors.push(fieldErrors.invalid(path.child("generateName"), generateName, problem));
    }
  }
  if (name === "") {
    errors.push(fieldErrors.required(path.child("name"), "name or generateName is required"));
  } else {
    for (const problem of nameProblems(name, { rule, prefix: false })) {
      errors.push(fieldErrors.invalid(path.child("name"), name, problem));
    }
  }
  validateNamespace(metadata.namespace ?? "", { namespaced: rules.namespaced, path, errors });
  if ((metadata.generation ?? 0) < 0) {
    const detail = "must be greater than or equal to 0";
    errors.push(fieldErrors.invalid(path.child("generation"), metadata.generation, detail));
  }
  errors.push(...validateSharedMeta(metadata, path));
  const finalizersPath = path.child("finalizers");
  const finalizers = metadata.finalizers ?? [];
  for (const finalizer of finalizers) errors.push(...qualifiedNameErrors(finalizer, finalizersPath));
  if (finalizers.includes(orphanFinalizer) && finalizers.includes(foregroundFinalizer)) {
    const detail = `finalizer ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`;
    errors.push(fieldErrors.invalid(finalizersPath, finalizers, detail));
  }
  errors.push(...validateManagedFields(metadata.managedFields ?? [], path.child("managedFields")));
  return errors;
}

function validateNamespace(
  namespace: string,
  options: { readonly namespaced: boolean; readonly path: FieldPath; readonly errors: FieldError[] },
): void {
  const path = options.path.child("namespace");
  if (!options.namespaced) {
    if (namespace !== "") options.errors.push(fieldErrors.forbidden(path, "not allowed on this type"));
    return;
  }
  if (namespace === "") options.errors.push(fieldErrors.required(path));
  for (const problem of namespace === "" ? noProblems : isDNS1123Label(namespace)) {
    options.errors.push(fieldErrors.invalid(path, namespace, problem));
  }
}

/** What creates and updates check alike. */
function validateSharedMeta(metadata: PartialObjectMeta, path: FieldPath): readonly FieldError[] {
  const { labels, annotations, ownerReferences } = metadata;
  return [
    ...(labels === undefined ? [] : validateLabels(labels, path.child("labels"))),
    ...(annotations === undefined ? [] : validateAnnotations(annotations, path.child("annotations"))),
    ...(ownerReferences === undefined
      ? []
      : validateOwnerReferences(ownerReferences, path.child("ownerReferences"))),
  ];
}

const qualifiedNameErrors = (name: string, path: FieldPath): readonly FieldError[] =>
  isQualifiedName(name).map((problem) => fieldErrors.invalid(path, name, problem));

/** Finalizers that need no domain: Kubernetes' own. */
const knownFinalizers: ReadonlySet<string> = new Set([orphanFinalizer, foregroundFinalizer, "kubernetes"]);

/** What is wrong with a finalizer that names no domain: only Kubernetes' own may do without. */
export function validateFinalizerDomain(finalizer: string, path: FieldPath): readonly FieldError[] {
  if (finalizer.includes("/") || knownFinalizers.has(finalizer)) return [];
  const detail = "name is neither a standard finalizer name nor is it fully qualified";
  return [fieldErrors.invalid(path, finalizer, detail)];
}

/** What is wrong with the finalizers of an object, beyond what all names must be. */
export function validateFinalizerDomains({ finalizers }: PartialObjectMeta): readonly FieldError[] {
  if (finalizers === undefined || finalizers.length === 0) return [];
  const path = FieldPath.root("metadata").child("finalizers");
  return finalizers.flatMap((finalizer, index) => validateFinalizerDomain(finalizer, path.index(index)));
}

/** What is wrong with annotations: keys, and the size of all of them. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>>,
  path: FieldPath,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += byteLength(key) + byteLength(value);
    for (const problem of isQualifiedName(key.toLowerCase())) {
      errors.push(fieldErrors.invalid(path, key, problem));
    }
  }
  if (size > annotationsMaximum) errors.push(fieldErrors.tooLong(path, annotationsMaximum));
  return errors;
}

/** What is wrong with owner references. */
export function validateOwnerReferences(
  references: readonly OwnerReference[],
  path: FieldPath,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  let controller = "";
  for (const reference of references) {
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const current = `${reference.kind}/${reference.name}`;
    if (controller === "") controller = current;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      errors.push(fieldErrors.invalid(path, references, detail));
    }
  }
  return errors;
}

function validateOwnerReference(reference: OwnerReference, path: FieldPath): readonly FieldError[] {
  const errors: FieldError[] = [];
  const version = reference.apiVersion ?? "";
  if (version.split("/").length > 2 || version.slice(version.indexOf("/") + 1) === "") {
    errors.push(fieldErrors.invalid(path.child("apiVersion"), version, "version must not be empty"));
  }
  for (const name of ["kind", "name", "uid"] as const) {
    if ((reference[name] ?? "") === "") {
      errors.push(fieldErrors.invalid(path.child(name), "", "must not be empty"));
    }
  }
  if (version === "v1" && reference.kind === "Event") {
    const detail = "/v1, Kind=Event is disallowed from being an owner";
    errors.push(fieldErrors.invalid(path, reference, detail));
  }
  return errors;
}

/** What is wrong with the entries of `metadata.managedFields`. */
export function validateManagedFields(
  entries: readonly ManagedFieldsEntry[],
  path: FieldPath,
): readonly FieldError[] {
  return entries.flatMap((entry, index) => {
    const at = path.index(index);
    const errors: FieldError[] = [];
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      errors.push(
        fieldErrors.invalid(at.child("operation"), entry.operation ?? "", "must be `Apply` or `Update`"),
      );
    }
    const { fieldsType = "", manager = "", subresource = "" } = entry;
    if (fieldsType !== "" && fieldsType !== "FieldsV1") {
      errors.push(fieldErrors.invalid(at.child("fieldsType"), fieldsType, "must be `FieldsV1`"));
    }
    errors.push(...validateFieldManager(manager, at.child("manager")));
    if (byteLength(subresource) > subresourceMaximum) {
      errors.push(fieldErrors.tooLong(at.child("subresource"), subresourceMaximum));
    }
    return errors;
  });
}

/** What is wrong with the name of a field manager. */
export function validateFieldManager(manager: string, path: FieldPath): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (byteLength(manager) > managerMaximum) errors.push(fieldErrors.tooLong(path, managerMaximum));
  for (const { 0: character, index } of manager.matchAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu)) {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const position = byteLength(manager.slice(0, index));
    const detail = `invalid character U+${code} (at position ${position})`;
    errors.push(fieldErrors.invalid(path, manager, detail));
  }
  return errors;
}

const immutableFields = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** What is wrong with the metadata of an update, given the metadata it replaces. */
export function validateObjectMetaUpdate(
  metadata: PartialObjectMeta,
  old: PartialObjectMeta,
  path: FieldPath = FieldPath.root("metadata"),
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if ((old.deletionTimestamp ?? undefined) !== undefined) {
    const kept = new Set(old.finalizers ?? []);
    const added = [...new Set(metadata.finalizers ?? [])].filter((finalizer) => !kept.has(finalizer)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(", ")}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(fieldErrors.forbidden(path.child("finalizers"), detail));
    }
  }
  if ((metadata.resourceVersion ?? "") === "") {
    const detail = "must be specified for an update";
    errors.push(fieldErrors.invalid(path.child("resourceVersion"), "", detail));
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0)) {
    const detail = "must not be decremented";
    errors.push(fieldErrors.invalid(path.child("generation"), metadata.generation ?? 0, detail));
  }
  for (const field of immutableFields) {
    if ((metadata[field] ?? undefined) === (old[field] ?? undefined)) continue;
    const absent = field.startsWith("deletion") || field === "creationTimestamp" ? null : "";
    errors.push(fieldErrors.invalid(path.child(field), metadata[field] ?? absent, "field is immutable"));
  }
  errors.push(...validateSharedMeta(metadata, path));
  errors.push(...validateManagedFields(metadata.managedFields ?? [], path.child("managedFields")));
  return errors;
}
