import type { JsonValue } from "../json.ts";
import { goKind } from "../patch/json.ts";
/** Bytes or values that are no object of the type asked for; the message is in Go's words. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** What a client is told, with status 400, of bytes in which neither kind nor version can be found. */
export function unrecognized(
  kind: { readonly kind: string },
  options: { readonly body: Uint8Array; readonly message: string },
): string {
  const { body, message } = options;
  return `the object provided is unrecognized (must be of type ${kind.kind}): ${message} (${summary(body)})`;
}

/** What `json` says when the bytes are no JSON object whose kind and version are texts; undefined when they are. */
export function unreadableKind(read: () => unknown): string | undefined {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return `${noKind}${error.message}`;
  }
  if (value === null) return undefined;
  if (typeof value === "object" && !Array.isArray(value)) return unreadableName(value);
  const type = goKind(value as JsonValue);
  return `${noKind}json: cannot unmarshal ${type} into Go value of type ${kindStruct}`;
}

/** What is wrong with the names in an object: they are texts, and a version has a group at most. */
function unreadableName(value: object): string | undefined {
  const names = value as Readonly<Record<string, unknown>>;
  for (const field of ["kind", "apiVersion"]) {
    const name = names[field] ?? "";
    if (typeof name === "string") continue;
    const type = goKind(name as JsonValue);
    return `${noKind}json: cannot unmarshal ${type} into Go struct field .${field} of type string`;
  }
  const apiVersion = names["apiVersion"] as string | undefined;
  if (apiVersion === undefined || apiVersion === null || apiVersion.split("/").length <= 2) return undefined;
  return `unexpected GroupVersion string: ${apiVersion}`;
}

const noKind = "couldn't get version/kind; json parse error: ";
const kindStruct =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
const summaryBytes = 30;

/** The first bytes: JSON objects as text, anything else in hexadecimal digits. */
function summary(body: Uint8Array): string {
  if (body.length === 0) return "<empty>";
  const start = body.subarray(0, summaryBytes);
  const more = body.length > summaryBytes ? " ..." : "";
  if (body[0] === 0x7b) return `${new TextDecoder().decode(start)}${more}`;
  return `${Array.from(start, (byte) => byte.toString(16).padStart(2, "0")).join("")}${more}`;
}
