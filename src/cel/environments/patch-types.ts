import { entriesOf, shownKey } from "../values/maps.ts";
import { adapt, elementsOf, isMap, type ObjectValue, type Value } from "../values/value.ts";

/** Names of the types of which objects were made; the objects themselves are plain. */
const typeNames = new WeakMap<object, string>();

/** Makes an object of a type. */
export function objectOfType(typeName: string, fields: ObjectValue): Value {
  typeNames.set(fields, typeName);
  return fields;
}

/**
 * What is wrong with the types of a patch: an object within it must be of the type that the fields on the way to it
 * name, like `Object.spec.template`. Lists and maps on the way have no names.
 */
export function patchTypeProblems(patch: Value): readonly string[] {
  const root = typeof patch === "object" && patch !== null ? typeNames.get(patch) : undefined;
  return root === undefined ? [] : problemsWithin(patch, root);
}

function problemsWithin(value: Value, expected: string): readonly string[] {
  const elements = elementsOf(value);
  if (elements) return elements.flatMap((element) => problemsWithin(adapt(element), expected));
  if (!isMap(value)) return [];
  const name = typeNames.get(value);
  const within = [...entriesOf(value)].flatMap(([key, entry]) =>
    problemsWithin(entry, name === undefined ? expected : `${expected}.${shownKey(key)}`),
  );
  if (name === undefined || name === expected) return within;
  const why = `unexpected type name "${name}", expected "${expected}", which matches field name path from root Object type`;
  return [why, ...within];
}
