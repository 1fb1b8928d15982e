import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { immutable, oneOf } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fillMissing } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import { PriorityClass } from "../types/scheduling-v1.ts";

const highestUserPriority = 1_000_000_000;
const systemPrefix = "system-";
const policies = ["PreemptLowerPriority", "Never"];
/** The classes of the system, by name, with their fixed priorities. */
const systemClasses: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

/** The rules of priority classes. */
export const priorityClassDefinition = defineResource<PriorityClass>({
  resource: PriorityClass,
  defaults: (object) => fillMissing(object, { preemptionPolicy: "PreemptLowerPriority" }),
  // Nothing that may change counts.
  tracksGeneration: false,
  prepareForCreate: (object) => ({ ...object, metadata: { ...object.metadata, generation: 1 } }),
  validateCreate: validate,
  validateUpdate: (object, old) => [
    ...((object.value ?? 0) === (old.value ?? 0)
      ? []
      : [fieldErrors.forbidden(FieldPath.root("value"), "may not be changed in an update.")]),
    ...immutable(FieldPath.root("preemptionPolicy"), object.preemptionPolicy, old.preemptionPolicy),
  ],
  columns: [
    nameColumn,
    column("Value", "The priority", { type: "integer", value: (object) => object.value ?? 0 }),
    column("Global-Default", "Whether pods without a class get this one", {
      type: "boolean",
      value: (object) => object.globalDefault ?? false,
    }),
    ageColumn,
    column("PreemptionPolicy", "Whether pods of the class may push others out", {
      value: (object) => object.preemptionPolicy ?? "",
    }),
  ],
});

function validate(object: PriorityClass): readonly FieldError[] {
  const { name } = object.metadata;
  const errors: FieldError[] = [];
  const value = object.value ?? 0;
  if (name.startsWith(systemPrefix)) {
    const problem = systemProblem(object);
    if (problem !== undefined) {
      const why = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${problem}`;
      errors.push(fieldErrors.forbidden(FieldPath.root("metadata").child("name"), why));
    }
  } else if (value > highestUserPriority) {
    const why = `maximum allowed value of a user defined priority is ${highestUserPriority}`;
    errors.push(fieldErrors.forbidden(FieldPath.root("value"), why));
  }
  const { preemptionPolicy } = object;
  if (preemptionPolicy === undefined) return errors;
  return [...errors, ...oneOf(FieldPath.root("preemptionPolicy"), preemptionPolicy, policies)];
}

/** Why a class is none of the system's. */
function systemProblem({ metadata: { name }, value, globalDefault }: PriorityClass): string | undefined {
  const fixed = systemClasses[name];
  if (fixed === undefined) return `${name} is not a known system priority class`;
  if (fixed !== value) return `value of ${name} PriorityClass must be ${fixed}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
