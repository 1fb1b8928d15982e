import { FieldPath, fieldErrors, type FieldError } from "../../../apimachinery/index.ts";
import { isNamed, nodeOf, type SchemaNode } from "./node.ts";
import { isFields, isValues } from "./values.ts";

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

/** What is wrong with the sets, and the lists with keys, within a value: nothing may be in them twice. */
export function validateLists(value: unknown, node: SchemaNode): readonly FieldError[] {
  const errors: FieldError[] = [];
  visit(value, { node, path: undefined, errors });
  return errors;
}

interface Place {
  readonly node: SchemaNode;
  readonly path: FieldPath | undefined;
  readonly errors: FieldError[];
}

function visit(value: unknown, { node, path, errors }: Place): void {
  if (!node.hasUniqueLists) return;
  if (isValues(value)) {
    const at = path ?? FieldPath.empty;
    errors.push(...duplicatesIn(value, { node, path: at }));
    if (!node.items) return;
    for (const [index, element] of value.entries()) {
      visit(element, { node: node.items, path: at.index(index), errors });
    }
  } else if (isFields(value)) {
    for (const name of Object.keys(value)) {
      const known = nodeOf(node, name);
      if (!known?.hasUniqueLists) continue;
      const at = path ? (isNamed(node, name) ? path.child(name) : path.key(name)) : FieldPath.root(name);
      visit(value[name], { node: known, path: at, errors });
    }
  }
}

/** Elements that sets and lists with keys have more than once. */
function duplicatesIn(
  list: readonly unknown[],
  { node, path }: { readonly node: SchemaNode; readonly path: FieldPath },
): readonly FieldError[] {
  const listType = node.schema["x-kubernetes-list-type"];
  if (listType !== "set" && listType !== "map") return [];
  const keys = node.schema["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Map<string, number>();
  const errors: FieldError[] = [];
  for (const [index, element] of list.entries()) {
    if (listType === "map" && element !== null && !isFields(element)) {
      const why = "must be an object for an array of list-type map";
      return [fieldErrors.invalid(path.index(index), element, why)];
    }
    const value = listType === "map" ? present(element, keys) : element;
    const identity = identityOf(value);
    const times = (seen.get(identity) ?? 0) + 1;
    seen.set(identity, times);
    // However often it stands there, it is told once.
    if (times === 2) errors.push(fieldErrors.duplicate(path.index(index), value));
  }
  return errors;
}

const present = (element: unknown, keys: readonly string[]): object =>
  isFields(element)
    ? Object.fromEntries(keys.filter((key) => key in element).map((key) => [key, element[key]]))
    : {};
