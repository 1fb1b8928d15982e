import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { nonNegativeFields } from "./checks.ts";

/** Counts of a status that may not be greater than another one, which the message names. */
export interface Ceiling<T> {
  readonly fields: readonly (keyof T & string)[];
  readonly most: keyof T & string;
  readonly name: string;
}

/** What must hold of the counts in a workload's status. */
export interface CountRules<T> {
  readonly counts: readonly (keyof T & string)[];
  readonly ceilings?: readonly Ceiling<T>[];
}

/** Of what replicates pods: no more of them are ready than there are. */
export const replicaCeilings = [
  {
    fields: ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
    most: "replicas",
    name: "status.replicas",
  },
  { fields: ["availableReplicas"], most: "readyReplicas", name: "readyReplicas" },
] as const;

const path = FieldPath.root("status");

type Collisions = { readonly collisionCount?: number } | undefined;

interface Counted<T> {
  readonly status?: T;
}

/** The check of the counts in a workload's status. */
export function countChecks<T extends object>({
  counts,
  ceilings = [],
}: CountRules<T>): (object: Counted<T>, old: Counted<T>) => FieldError[] {
  return ({ status }, { status: old }) => [
    ...nonNegativeFields(path, status, counts),
    ...ceilings.flatMap((ceiling) => exceeding(status, ceiling)),
    ...validateCollisions(status, old),
  ];
}

function exceeding<T extends object>(
  status: T | undefined,
  { fields, most, name }: Ceiling<T>,
): FieldError[] {
  const numberOf = (field: keyof T & string) => (status?.[field] as number | undefined) ?? 0;
  return fields
    .filter((field) => numberOf(field) > numberOf(most))
    .map((field) =>
      fieldErrors.invalid(path.child(field), numberOf(field), `cannot be greater than ${name}`),
    );
}

/** Checks that collisions do not become fewer. */
function validateCollisions(status: Collisions, old: Collisions): FieldError[] {
  const [count, before] = [status?.collisionCount, old?.collisionCount];
  if (before === undefined || (count !== undefined && count >= before)) return [];
  return [fieldErrors.invalid(path.child("collisionCount"), count ?? 0, "cannot be decremented")];
}
