import { nodeOf, type SchemaNode } from "./node.ts";
import { isFields, isValues, mapFields, mapValues, type Fields } from "./values.ts";

/**
 * The object with the defaults of its schema, and without nulls that are no values; the same object where nothing is
 * missing.
 */
export function withDefaults<T extends object>(object: T, node: SchemaNode): T {
  return fill(object, node) as T;
}

const isBareNull = (value: unknown, node: SchemaNode | undefined): boolean =>
  value === null && node !== undefined && !node.nullable;

const defaultOf = ({ schema }: SchemaNode): unknown => schema.default ?? undefined;

/** The object without nulls that are no values, but for those that a default will stand for. */
export const withoutNulls = <T extends object>(object: T, node: SchemaNode): T => dropped(object, node) as T;

function dropped(value: unknown, node: SchemaNode | undefined): unknown {
  if (!node) return value;
  if (isValues(value)) {
    const { items } = node;
    return items ? mapValues(value, (element) => dropped(element, items)) : value;
  }
  if (!isFields(value)) return value;
  return mapFields(value, (field, name) => {
    const known = nodeOf(node, name);
    const isGone = known && isBareNull(field, known) && defaultOf(known) === undefined;
    return isGone ? undefined : dropped(field, known);
  });
}

function fill(value: unknown, node: SchemaNode | undefined): unknown {
  if (!node) return value;
  if (isValues(value)) return fillList(value, node);
  return isFields(value) ? fillFields(value, node) : value;
}

function fillList(list: readonly unknown[], { items }: SchemaNode): readonly unknown[] {
  if (!items) return list;
  return mapValues(list, (element) => {
    const filled = isBareNull(element, items) ? (defaultOf(items) ?? element) : element;
    return fill(filled, items);
  });
}

function fillFields(fields: Fields, node: SchemaNode): Fields {
  const present = mapFields(fields, (value, name) => {
    const known = nodeOf(node, name);
    if (!isBareNull(value, known) || !known) return fill(value, known);
    const standing = defaultOf(known);
    return standing === undefined ? undefined : fill(standing, known);
  });
  if (!node.hasDefaults) return present;
  let filled: Record<string, unknown> | undefined;
  for (const [name, property] of node.properties) {
    const value = defaultOf(property);
    if (value === undefined || present[name] !== undefined) continue;
    (filled ??= { ...present })[name] = fill(value, property);
  }
  return filled ?? present;
}
