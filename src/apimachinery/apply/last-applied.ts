import type { JsonObject, JsonValue } from "../json.ts";
import { isJsonObject } from "./layout.ts";

const annotation = "kubectl.kubernetes.io/last-applied-configuration";
/** Annotations together may be this long. */
const maximumAnnotations = 256 * 1024;

const objectAt = (object: JsonObject, key: string): JsonObject => {
  const value = object[key];
  return isJsonObject(value) ? value : {};
};

const annotationsOf = (object: JsonObject) => objectAt(objectAt(object, "metadata"), "annotations");

/** The configuration that client-side apply left in an annotation, if it is of this version. */
export function lastAppliedOf(live: JsonObject, apiVersion: string): JsonObject | undefined {
  const text = annotationsOf(live)[annotation];
  if (typeof text !== "string" || text === "") return undefined;
  try {
    const object = JSON.parse(text) as JsonValue;
    return isJsonObject(object) && object["apiVersion"] === apiVersion ? object : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The object with the annotation brought up to date, if it has it. */
export function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
  const { [annotation]: previous, ...others } = annotationsOf(object);
  if (typeof previous !== "string" || previous === "") return object;
  const text = configurationText(applied);
  if (text === previous) return object;
  const size = Object.entries({ ...others, [annotation]: text }).reduce(
    (sum, [key, value]) => sum + key.length + (typeof value === "string" ? value.length : 0),
    0,
  );
  const annotations: JsonObject = size > maximumAnnotations ? others : { ...others, [annotation]: text };
  return { ...object, metadata: { ...objectAt(object, "metadata"), annotations } };
}

/** What the annotation says of a configuration: its JSON, but for the annotation itself. */
function configurationText(applied: JsonObject): string {
  const metadata = applied["metadata"];
  if (!isJsonObject(metadata) || !isJsonObject(metadata["annotations"])) {
    return `${JSON.stringify(sortedKeys(applied))}\n`;
  }
  const { [annotation]: _, ...annotations } = metadata["annotations"];
  return `${JSON.stringify(sortedKeys({ ...applied, metadata: { ...metadata, annotations } }))}\n`;
}

function sortedKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sortedKeys(value[key] ?? null)]));
}
