import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1035Label,
  isDNS1123Subdomain,
  nilList,
} from "../../apimachinery/index.ts";
import { immutable, invalidFor, invalidJoined, mixedCaseProblems, oneOf } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { parseGoUrl } from "../common/go-url.ts";
import {
  hasAcceptedReview,
  validateReviewVersions,
  validateWebhookClient,
} from "../common/webhook-client.ts";
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from "../types/apiextensions-v1.ts";
import { hasDefaults, hasUnknownInDefaults } from "./default-validation.ts";
import { internalSpec, shownVersions } from "./internal-spec.ts";
import type { InternalSpec } from "./internal-spec.ts";
import { hasAtomicItems, validateKeys } from "./list-validation.ts";
import { schemaTypes } from "./schema-validation.ts";
import { anySchema } from "./schema-walk.ts";
import { structureProblem, validateStructure } from "./structural.ts";
import type { DefinitionRules } from "./version-validation.ts";
import {
  validateColumns,
  validateRootSchema,
  validateSelectableFields,
  validateSubresources,
  validateVersion,
} from "./version-validation.ts";

const approvalAnnotation = "api-approved.kubernetes.io";
const specPath = FieldPath.root("spec");
const statusPath = FieldPath.root("status");

interface Rules extends DefinitionRules {
  readonly schemas: boolean;
  readonly acceptedReview: boolean;
}

const strict: Rules = {
  schemas: true,
  acceptedReview: true,
  structural: true,
  unknownInDefaults: false,
  validTypes: true,
  atomicSets: true,
  listKeys: true,
};

/** Checks a new definition. */
export function validateDefinition(definition: CustomResourceDefinition): readonly FieldError[] {
  const { metadata, spec, status } = definition;
  const errors: FieldError[] = [];
  for (const field of ["generateName", "name"] as const) {
    const name = metadata[field];
    if (!name || name === `${spec.names?.plural ?? ""}.${spec.group}`) continue;
    const at = FieldPath.root("metadata").child(field);
    errors.push(fieldErrors.invalid(at, name, 'must be spec.names.plural+"."+spec.group'));
  }
  return [
    ...errors,
    ...validateSpec(internalSpec(spec), strict),
    ...validateDefinitionStatus(status),
    ...validateStoredVersions(status, spec.versions ?? []),
    ...validateApproval(definition),
    ...validatePreservation(definition),
  ];
}

/** Checks a change of a definition: what was there before a rule came may stay, its names may not change. */
export function validateDefinitionUpdate(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition,
): readonly FieldError[] {
  const { spec, status } = definition;
  const isEstablished = (old.status?.conditions ?? []).some(
    (condition) => condition.type === "Established" && condition.status === "True",
  );
  const errors = validateSpec(internalSpec(spec), {
    ...rulesAfter(old),
    unchanged: unchangedVersions(spec.versions ?? [], old.spec.versions ?? []),
  });
  if (isEstablished) {
    errors.push(
      ...immutable(specPath.child("scope"), spec.scope, old.spec.scope),
      ...immutable(specPath.child("names", "kind"), spec.names.kind, old.spec.names.kind),
    );
  }
  return [
    ...errors,
    ...immutable(specPath.child("group"), spec.group, old.spec.group),
    ...immutable(specPath.child("names", "plural"), spec.names.plural, old.spec.names.plural),
    ...validateDefinitionStatus(status),
    ...validateStoredVersions(status, spec.versions ?? []),
    ...validateApproval(definition, old),
    ...validatePreservation(definition, old),
  ];
}

/** Checks what a definition's status says of its names. */
export function validateDefinitionStatus(
  status: CustomResourceDefinitionStatus | undefined,
): readonly FieldError[] {
  return validateNames(status?.acceptedNames, statusPath.child("acceptedNames"));
}

function rulesAfter({ spec }: CustomResourceDefinition): Rules {
  const schemas = (spec.versions ?? []).map(({ schema }) => schema?.openAPIV3Schema);
  const none = (test: (schema: JSONSchemaProps) => boolean) =>
    !schemas.some((schema) => anySchema(schema, test));
  const isStructural = (schema: JSONSchemaProps) =>
    structureProblem(schema) === undefined && validateStructure(schema, specPath).length === 0;
  return {
    schemas: schemas.every((schema) => schema !== undefined),
    acceptedReview: hasAcceptedReview(spec.conversion?.webhook?.conversionReviewVersions),
    unknownInDefaults: schemas.some(hasUnknownInDefaults),
    structural: schemas.every((schema) => schema === undefined || isStructural(schema)),
    validTypes: none(({ type }) => Boolean(type) && !schemaTypes.includes(type ?? "")),
    atomicSets: none((schema) => schema["x-kubernetes-list-type"] === "set" && !hasAtomicItems(schema)),
    listKeys: none((schema) => validateKeys(schema, specPath).length > 0),
  };
}

function unchangedVersions(
  versions: readonly CustomResourceDefinitionVersion[],
  before: readonly CustomResourceDefinitionVersion[],
): ReadonlySet<string> {
  const isUnchanged = ({ name, schema }: CustomResourceDefinitionVersion) => {
    const old = before.find((version) => version.name === name);
    return old !== undefined && semanticallyEqual(old.schema, schema);
  };
  return new Set(versions.filter(isUnchanged).map(({ name }) => name));
}

function validateSpec(spec: InternalSpec, given: Rules): FieldError[] {
  const { common, conversion } = spec;
  const rules = { ...given, structural: given.structural || mustBeStructural(spec) };
  const errors = [
    ...validateGroup(spec.group ?? ""),
    ...oneOf(specPath.child("scope"), spec.scope, ["Cluster", "Namespaced"]),
    ...validatePresence(spec, rules),
    ...validateVersions(spec, rules),
    ...validateRequiredNames(spec.names, specPath.child("names")),
    ...validateRootSchema(common.schema?.openAPIV3Schema, specPath.child("validation"), {
      rules,
      hasStatus: [common, ...spec.versions].some(({ subresources }) => subresources?.status !== undefined),
      unchanged: spec.versions.every(({ name }) => rules.unchanged?.has(name)),
    }),
    ...validateSubresources(common.subresources, specPath.child("subresources")),
    ...validateColumns(common.additionalPrinterColumns, specPath.child("additionalPrinterColumns")),
    ...validateSelectableFields(common.selectableFields, specPath.child("selectableFields"), {
      schema: common.schema?.openAPIV3Schema,
      missing: "selectableFields may only be set when validations.schema is included",
    }),
  ];
  if (spec.preserveUnknownFields && conversion && conversion.strategy !== "None") {
    const at = specPath.child("conversion", "strategy");
    const why = "must be None if spec.preserveUnknownFields is true";
    errors.push(fieldErrors.invalid(at, conversion.strategy ?? "", why));
  }
  return [...errors, ...validateConversion(conversion, rules)];
}

/** Whether what a definition asks for can be done only with schemas that say what every field is. */
function mustBeStructural({ common, versions, preserveUnknownFields }: InternalSpec): boolean {
  const isExtended = (schema: JSONSchemaProps) =>
    extensions.some((field) => schema[field] !== undefined) ||
    (schema.default !== undefined && schema.default !== null);
  return (
    !preserveUnknownFields ||
    [common, ...versions].some(({ schema }) => anySchema(schema?.openAPIV3Schema, isExtended))
  );
}

const extensions = [
  "x-kubernetes-embedded-resource",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-validations",
] as const;

function validateGroup(group: string): FieldError[] {
  const at = specPath.child("group");
  if (group === "") return [fieldErrors.required(at)];
  const errors = invalidJoined(at, group, isDNS1123Subdomain(group));
  if (errors.length > 0 || group.includes(".")) return errors;
  return [fieldErrors.invalid(at, group, "should be a domain with at least one dot")];
}

function validatePresence(spec: InternalSpec, rules: Rules): FieldError[] {
  const { common, versions, preserveUnknownFields } = spec;
  const errors: FieldError[] = [];
  for (const [index, version] of versions.entries()) {
    if ((common.schema ?? version.schema)?.openAPIV3Schema !== undefined) continue;
    const at = specPath.child("versions").index(index).child("schema", "openAPIV3Schema");
    if (rules.schemas) errors.push(fieldErrors.required(at, "schemas are required"));
    else if (version.served && !preserveUnknownFields) {
      errors.push(fieldErrors.required(at, "because otherwise all fields are pruned"));
    }
  }
  const hasDefault = [common, ...versions].some(({ schema }) => hasDefaults(schema?.openAPIV3Schema));
  if (!hasDefault || !preserveUnknownFields) return errors;
  const why = "must be false in order to use defaults in the schema";
  return [...errors, fieldErrors.invalid(specPath.child("preserveUnknownFields"), true, why)];
}

function validateVersions(spec: InternalSpec, rules: Rules): FieldError[] {
  const { common, versions } = spec;
  const path = specPath.child("versions");
  const errors = versions.flatMap((version, index) => {
    const at = path.index(index);
    const subresources = common.subresources ?? version.subresources;
    const hasStatus = subresources?.status !== undefined;
    return [
      ...validateLabel(version.name, at.child("name")),
      ...validateVersion(version, at, { rules, hasStatus }),
    ];
  });
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(fieldErrors.invalid(path, shownVersions(versions), "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const why = "must have exactly one version marked as storage version";
    errors.push(fieldErrors.invalid(path, shownVersions(versions), why));
  }
  const first = versions[0]?.name ?? "";
  return first === "" ? errors : [...errors, ...validateLabel(first, specPath.child("version"))];
}

function validateLabel(label: string | undefined, path: FieldPath): FieldError[] {
  return invalidJoined(path, label ?? "", isDNS1035Label(label ?? ""));
}

function validateRequiredNames(
  names: CustomResourceDefinitionNames | undefined,
  path: FieldPath,
): FieldError[] {
  const missing = (["plural", "singular", "kind", "listKind"] as const).filter((field) => !names?.[field]);
  return [...missing.map((field) => fieldErrors.required(path.child(field))), ...validateNames(names, path)];
}

function validateNames(
  names: Partial<CustomResourceDefinitionNames> | undefined,
  path: FieldPath,
): FieldError[] {
  const { kind, listKind, shortNames = [], categories = [] } = names ?? {};
  const errors: FieldError[] = [];
  for (const field of ["plural", "singular"] as const) {
    const name = names?.[field];
    if (name) errors.push(...validateLabel(name, path.child(field)));
  }
  for (const field of ["kind", "listKind"] as const) {
    const name = names?.[field];
    if (name) errors.push(...invalidFor(path.child(field), name, mixedCaseProblems(name)));
  }
  for (const [index, name] of shortNames.entries()) {
    errors.push(...validateLabel(name, path.child("shortNames").index(index)));
  }
  if (kind && kind === listKind) {
    const why = "kind and listKind may not be the same";
    errors.push(fieldErrors.invalid(path.child("listKind"), listKind, why));
  }
  for (const [index, name] of categories.entries()) {
    errors.push(...validateLabel(name, path.child("categories").index(index)));
  }
  return errors;
}

function validateConversion(conversion: CustomResourceConversion | undefined, rules: Rules): FieldError[] {
  if (conversion === undefined) return [];
  const path = specPath.child("conversion");
  const client = path.child("webhookClientConfig");
  const reviews = path.child("conversionReviewVersions");
  const { clientConfig, conversionReviewVersions: versions } = conversion.webhook ?? {};
  const errors = oneOf(path.child("strategy"), conversion.strategy, ["None", "Webhook"]);
  if (conversion.strategy !== "Webhook") {
    const why = "should not be set when strategy is not set to Webhook";
    if (clientConfig) errors.push(fieldErrors.forbidden(client, why));
    return versions?.length ? [...errors, fieldErrors.forbidden(reviews, why)] : errors;
  }
  return [
    ...errors,
    ...(clientConfig
      ? validateWebhookClient(clientConfig, client)
      : [fieldErrors.required(client, "required when strategy is set to Webhook")]),
    ...validateReviewVersions(versions, reviews, { requireAccepted: rules.acceptedReview }),
  ];
}

function validateStoredVersions(
  status: CustomResourceDefinitionStatus | undefined,
  versions: readonly CustomResourceDefinitionVersion[],
): FieldError[] {
  const path = statusPath.child("storedVersions");
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) {
    const shown = status?.storedVersions ?? nilList;
    return [fieldErrors.invalid(path, shown, "must have at least one stored version")];
  }
  const known = new Set(versions.map(({ name }) => name));
  const missing = versions.filter(({ name, storage }) => storage && !stored.includes(name));
  return [
    ...missing.map(({ name }) => fieldErrors.invalid(path, stored, `must have the storage version ${name}`)),
    ...stored.flatMap((name, index) => {
      if (known.has(name)) return [];
      const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
      return [fieldErrors.invalid(path.index(index), name, why)];
    }),
  ];
}

type Approval = "invalid" | "approved" | "bypassed" | "missing";

function approvalOf({ metadata }: CustomResourceDefinition): Approval {
  const text = metadata.annotations?.[approvalAnnotation] ?? "";
  if (text === "") return "missing";
  if (text.startsWith("unapproved")) return "bypassed";
  const url = parseGoUrl(text);
  return "host" in url && url.host !== "" && url.scheme !== "" ? "approved" : "invalid";
}

/** Groups of the community are for kinds that the community has approved. */
function validateApproval(
  definition: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): FieldError[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(definition.spec.group ?? "")) return [];
  const approval = approvalOf(definition);
  if (old !== undefined && approvalOf(old) === approval) return [];
  const at = FieldPath.root("metadata").child("annotations").key(approvalAnnotation);
  const why = `protected groups must have approval annotation "${approvalAnnotation}"`;
  const more = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (approval === "missing") return [fieldErrors.required(at, `${why}, ${more}`)];
  if (approval !== "invalid") return [];
  const detail = `${why} with either a URL or a reason starting with "unapproved", ${more}`;
  return [fieldErrors.invalid(at, definition.metadata.annotations?.[approvalAnnotation], detail)];
}

function validatePreservation(
  definition: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): FieldError[] {
  if (old?.spec.preserveUnknownFields || !definition.spec.preserveUnknownFields) return [];
  const why =
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return [fieldErrors.invalid(specPath.child("preserveUnknownFields"), true, why)];
}
