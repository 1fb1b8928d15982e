/** Bytes or values that are no object of the type asked for; the message is in Go's words. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  /** Whether not even a kind could be found in the bytes. */
  readonly kindUnknown: boolean;

  constructor(message: string, { kindUnknown = false }: { readonly kindUnknown?: boolean } = {}) {
    super(message);
    this.kindUnknown = kindUnknown;
  }
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
  if (value === null || (typeof value === "object" && !Array.isArray(value))) return undefined;
  const type = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `${noKind}json: cannot unmarshal ${type} into Go value of type ${kindStruct}`;
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

/** What a client is told, with status 400, of an object that does not fit its kind. */
export function cannotBeHandled(
  kind: { readonly version: string; readonly kind: string },
  error: { readonly message: string },
): string {
  return `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${error.message}`;
}
