import { FieldPath, fieldErrors, type FieldError } from "../../../apimachinery/index.ts";
import type { SchemaNode } from "./node.ts";
import { isFields } from "./values.ts";

/** The values by which the element of a list is found again: those of its keys. */
export function keyValues(element: unknown, { items, schema }: SchemaNode): Record<string, unknown> {
  const fields = isFields(element) ? element : {};
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  return Object.fromEntries(
    keys
      .map((key) => [key, fields[key] ?? items?.properties.get(key)?.schema.default] as const)
      .filter(([, value]) => value !== undefined && value !== null),
  );
}

/** Text that is the same for the same values. */
export const identityOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    isFields(inner) ? Object.fromEntries(Object.entries(inner).sort(byName)) : inner,
  );

const byName = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);

/** Elements that sets and lists with keys have more than once. */
export function duplicatesIn(
  list: readonly unknown[],
  { node, path }: { readonly node: SchemaNode; readonly path: string },
): readonly FieldError[] {
  const listType = node.schema["x-kubernetes-list-type"];
  if (listType !== "set" && listType !== "map") return [];
  const seen = new Map<string, number>();
  const errors: FieldError[] = [];
  for (const [index, element] of list.entries()) {
    const value = listType === "map" ? keyValues(element, node) : element;
    const identity = identityOf(value);
    const times = (seen.get(identity) ?? 0) + 1;
    seen.set(identity, times);
    // However often it stands there, it is told once.
    if (times === 2) errors.push(fieldErrors.duplicate(FieldPath.root(path).index(index), value));
  }
  return errors;
}
