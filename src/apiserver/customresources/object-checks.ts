import {
  FieldPath,
  fieldErrorMessage,
  fieldErrors,
  goQuote,
  isQualifiedName,
  type FieldError,
  type KubernetesObject,
} from "../../apimachinery/index.ts";
import {
  coerceEmbedded,
  hasRules,
  unknownFields,
  validateByRules,
  validateBySchema,
  validateEmbedded,
  validateLists,
} from "../../api/index.ts";
import type { RequestContext, ResourceDefinition, SchemaNode } from "../../api/index.ts";
import type { CustomResourceDefinitionVersion } from "../../api/types/apiextensions-v1.ts";
import type { RuleUse } from "../registry/context.ts";
import { scaleSpecErrors, scaleStatusErrors } from "./scale-checks.ts";

type Checks = Pick<
  ResourceDefinition,
  "coerce" | "unknownFields" | "validateCreate" | "validateUpdate" | "warnings" | "statusWarnings"
>;

/** What is checked of a version's objects. */
export function objectChecks(
  version: CustomResourceDefinitionVersion,
  { node, ruleUse }: { readonly node: SchemaNode; readonly ruleUse: RuleUse },
): Checks {
  const { scale } = version.subresources ?? {};
  const spec = (object: object) => (scale ? scaleSpecErrors(object, scale) : []);
  const status = (object: object) => (scale ? scaleStatusErrors(object, scale) : []);
  const embedded = (object: object) => validateEmbedded(object, { node, path: undefined });
  // What rules say of a change that is let pass is told after it has been checked.
  const warnings = new WeakMap<object, readonly string[]>();

  const changeErrors = (object: object, old: object, context: RequestContext) => {
    const isStatus = context.subresource === "status";
    const errors = isStatus
      ? [...statusErrors(object, old, node), ...status(object)]
      : [...validateBySchema(object, node, { old }), ...spec(object), ...status(object), ...embedded(object)];
    if (validateLists(old, node).length === 0) errors.push(...validateLists(object, node));
    const warned: string[] = [];
    const warn = (error: FieldError) => void warned.push(`${error.field}: ${fieldErrorMessage(error)}`);
    const all = withRules(errors, node, () =>
      validateByRules(object, node, { old, warn, observer: ruleUse.observer }),
    );
    if (warned.length > 0) warnings.set(object, warned);
    return all;
  };
  const warningsOf = (object: KubernetesObject, old: KubernetesObject | undefined) => [
    ...(warnings.get(object) ?? []),
    ...finalizerWarnings(object, old),
  ];
  return {
    coerce: (object) => coerceEmbedded(object, { node, path: undefined }, { drops: false }) as typeof object,
    unknownFields: (object) => unknownFields(object, node),
    validateCreate(object) {
      const errors = [
        ...validateBySchema(object, node),
        ...spec(object),
        ...status(object),
        ...embedded(object),
        ...validateLists(object, node),
      ];
      return withRules(errors, node, () => validateByRules(object, node, { observer: ruleUse.observer }));
    },
    validateUpdate: changeErrors,
    warnings: warningsOf,
    statusWarnings: (object) => warnings.get(object) ?? [],
  };
}

function statusErrors(object: object, old: object, { properties }: SchemaNode): readonly FieldError[] {
  const node = properties.get("status");
  const { status } = object as { readonly status?: unknown };
  if (!node || status === undefined) return [];
  const { status: before } = old as { readonly status?: unknown };
  const at = FieldPath.root("status");
  return validateBySchema(status, node, { at, ...(before === undefined ? {} : { old: before }) });
}

/** Mistakes of a kind that rules could stumble over. */
const blocking: ReadonlySet<FieldError["type"]> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

const unchecked = fieldErrors.invalid(
  FieldPath.root("<nil>"),
  null,
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
);

function withRules(
  errors: readonly FieldError[],
  node: SchemaNode,
  evaluate: () => readonly FieldError[],
): readonly FieldError[] {
  if (!hasRules(node)) return errors;
  return [...errors, ...(errors.some(({ type }) => blocking.has(type)) ? [unchecked] : evaluate())];
}

/** Kubernetes' own finalizers, which need no domain. */
const knownFinalizers: ReadonlySet<string> = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

function finalizerWarnings(object: KubernetesObject, old: KubernetesObject | undefined): readonly string[] {
  const before = old?.metadata.finalizers ?? [];
  const added = (object.metadata.finalizers ?? []).filter((finalizer) => !before.includes(finalizer));
  return [...new Set(added)].sort().flatMap((finalizer) => {
    const about = `metadata.finalizers: ${goQuote(finalizer)}`;
    const isPlain = !finalizer.includes("/") && !knownFinalizers.has(finalizer);
    const prefer =
      "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers";
    return [...isQualifiedName(finalizer), ...(isPlain ? [prefer] : [])].map((why) => `${about}: ${why}`);
  });
}
