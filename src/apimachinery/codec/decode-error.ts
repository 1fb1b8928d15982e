/** Bytes or values that are no object of the type asked for; the message is in Go's words. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** What a client is told, with status 400, of an object that does not fit its kind. */
export function cannotBeHandled(
  kind: { readonly version: string; readonly kind: string },
  error: { readonly message: string },
): string {
  return `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${error.message}`;
}
