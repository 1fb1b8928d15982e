import { coerceEmbedded } from "./embedded.ts";
import { nodeOf, type SchemaNode } from "./node.ts";
import { isFields, isValues, mapFields, mapValues, type Fields } from "./values.ts";

const resourceFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** As many unknown fields as upstream reports. */
const mostReported = 100;

/** Hears of a field that is dropped. */
type Report = (path: string) => void;

/** The object without the fields that its schema does not know; the same object where it has none. */
export const pruned = <T extends object>(object: T, node: SchemaNode): T => prunedValue(object, node) as T;

/** Any value without the fields that its schema does not know. */
export const prunedValue = (value: unknown, node: SchemaNode): unknown =>
  prune(value, { node, path: "", keeps: false }, undefined);

/** What strict validation says of the fields that pruning drops. */
export function unknownFields(object: object, node: SchemaNode): readonly string[] {
  const found: string[] = [];
  const embedded: string[] = [];
  const kept = prune(object, { node, path: "", keeps: false }, (path) => found.push(path));
  coerceEmbedded(kept, { node, path: undefined }, { drops: true, report: (path) => embedded.push(path) });
  return [...found.sort(), ...embedded.sort()]
    .slice(0, mostReported)
    .map((path) => `unknown field ${JSON.stringify(path)}`);
}

interface Place {
  readonly node: SchemaNode | undefined;
  readonly path: string;
  /** Whether unknown fields stay: of lists whose elements are in what preserves them. */
  readonly keeps: boolean;
}

function prune(value: unknown, place: Place, report: Report | undefined): unknown {
  const { node, path } = place;
  const keeps = place.keeps || node?.preservesUnknown === true;
  if (isValues(value)) {
    if (keeps && !node?.items) return value;
    return mapValues(value, (element, index) =>
      prune(element, { node: node?.items, path: `${path}[${index}]`, keeps }, report),
    );
  }
  return isFields(value) ? pruneFields(value, { node, path, keeps }, report) : value;
}

function pruneFields(fields: Fields, { node, path, keeps }: Place, report: Report | undefined): Fields {
  return mapFields(fields, (value, name) => {
    if (node?.isResource && resourceFields.has(name)) return value;
    const at = path === "" ? name : `${path}.${name}`;
    const known = node && nodeOf(node, name);
    if (known) return prune(value, { node: known, path: at, keeps: false }, report);
    if (keeps) return value;
    // Where any value may stand, nothing is known of its fields.
    if (node?.hasValues) return prune(value, { node: undefined, path: at, keeps: false }, report);
    report?.(at);
    return undefined;
  });
}
