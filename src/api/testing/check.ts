import type { FieldError, KubernetesObject } from "../../apimachinery/index.ts";
import { fieldErrorMessage } from "../../apimachinery/index.ts";
import type { RequestContext, ResourceDefinition } from "../definition.ts";

/** When tests of definitions take place. */
export const testNow = Date.parse("2026-01-01T00:00:00Z");

/** A plain object as a client may send it, frozen in depth. */
export type Sketch = Readonly<Record<string, unknown>>;

const create: RequestContext = { now: testNow, operation: "create" };
const update: RequestContext = { now: testNow, operation: "update" };

/** An object of a kind with defaults filled in; fails when the input would be changed in place. */
export function defaulted<T extends KubernetesObject>(definition: ResourceDefinition<T>, sketch: Sketch): T {
  const object = frozen({ metadata: { name: "x", namespace: "default" }, ...sketch }) as unknown as T;
  return definition.defaults === undefined ? object : definition.defaults(object);
}

/** An object as it is stored when it is created. */
export function created<T extends KubernetesObject>(definition: ResourceDefinition<T>, sketch: Sketch): T {
  const object = frozen(defaulted(definition, sketch));
  return definition.prepareForCreate === undefined ? object : definition.prepareForCreate(object, create);
}

/** What is wrong with a new object, one `field: message` a line. */
export function creationProblems<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
  sketch: Sketch,
): readonly string[] {
  const object = frozen(created(definition, sketch));
  const whole = definition.validate?.(object, create) ?? [];
  return texts([...whole, ...(definition.validateCreate?.(object, create) ?? [])]);
}

/** What is wrong with an update from one object to another. */
export function updateProblems<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
  sketches: { old: Sketch; next: Sketch },
): readonly string[] {
  const old = frozen(created(definition, sketches.old));
  const next = frozen(defaulted(definition, sketches.next));
  const prepared = frozen(definition.prepareForUpdate?.(next, old, update) ?? next);
  const whole = definition.validate?.(prepared, update) ?? [];
  const changes = definition.validateUpdate?.(prepared, old, update) ?? [];
  const wholes = definition.repeatsChecks ? [...whole, ...whole] : whole;
  return texts(definition.updateErrorsFirst ? [...changes, ...wholes] : [...wholes, ...changes]);
}

/** What is wrong with an update of the status from one object to another. */
export function statusProblems<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
  sketches: { old: Sketch; next: Sketch },
): readonly string[] {
  const context: RequestContext = { ...update, subresource: "status" };
  const old = frozen(defaulted(definition, sketches.old));
  const next = frozen(defaulted(definition, sketches.next));
  const prepared = frozen(definition.prepareForStatusUpdate?.(next, old, context) ?? next);
  return texts(definition.validateUpdate?.(prepared, old, context) ?? []);
}

/** The warnings that a new object brings, or one that replaces an old one. */
export function warningsOf<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
  sketch: Sketch,
  old?: Sketch,
): readonly string[] {
  const object = frozen(defaulted(definition, sketch));
  return definition.warnings?.(object, old && frozen(defaulted(definition, old))) ?? [];
}

/** The row of an object, as `kubectl get -o wide` shows it; `columns` names those wanted. */
export function cells<T extends KubernetesObject>(
  definition: ResourceDefinition<T>,
  sketch: Sketch,
): Readonly<Record<string, string | number | boolean | null>> {
  const object = frozen({ metadata: { name: "x", namespace: "default" }, ...sketch }) as unknown as T;
  return Object.fromEntries(
    (definition.columns ?? []).map((column) => [column.name, column.value(object, testNow)]),
  );
}

function texts(errors: readonly FieldError[]): readonly string[] {
  return errors.map((error) => `${error.field}: ${fieldErrorMessage(error)}`);
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) frozen(child);
  return Object.freeze(value);
}
