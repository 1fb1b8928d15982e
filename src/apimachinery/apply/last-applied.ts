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

/** The object with the annotation brought up to date, if the live object has it. */
export function withLastApplied(
  object: JsonObject,
  sources: { readonly live: JsonObject; readonly applied: JsonObject },
): JsonObject {
  const previous = annotationsOf(sources.live)[annotation];
  if (typeof previous !== "string" || previous === "") return object;
  const metadata = objectAt(sources.applied, "metadata");
  const { [annotation]: _, ...annotations } = objectAt(metadata, "annotations");
  const configuration = { ...sources.applied, metadata: { ...metadata, annotations } };
  const text = `${JSON.stringify(sortedKeys(configuration))}\n`;
  const others = annotationsOf(object);
  const size = Object.entries({ ...others, [annotation]: text }).reduce(
    (sum, [key, value]) => sum + key.length + value.length,
    0,
  );
  const { [annotation]: __, ...without } = others;
  const updated: JsonObject = size > maximumAnnotations ? without : { ...others, [annotation]: text };
  return { ...object, metadata: { ...objectAt(object, "metadata"), annotations: updated } };
}

function sortedKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sortedKeys(value[key] ?? null)]));
}
