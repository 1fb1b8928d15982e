import { ApiError } from "../../apimachinery/index.ts";
import type { JsonValue } from "../../apimachinery/index.ts";
import { DecodeError, parseJson } from "../../apimachinery/codec/index.ts";
import { goKind } from "../../apimachinery/patch/index.ts";

/** Where a list goes on, relative to where its keys start. */
export interface ContinueToken {
  /** The revision of the list; below zero: whatever is present when the token is used. */
  readonly revision: number;
  readonly start: string;
}

/** In a token: go on with what there is when the token is used. */
export const presentRevision = -1;
const tokenVersion = "meta.k8s.io/v1";

/** The token that goes on after a key. */
export function continueAfter(
  key: string,
  { prefix, revision }: { prefix: string; revision: number },
): string {
  return encodeToken({ revision, start: `${key.slice(prefix.length)}\u0000` });
}

/** A token as clients get it: base64 of JSON without padding. */
export function encodeToken({ revision, start }: ContinueToken): string {
  const bytes = new TextEncoder().encode(JSON.stringify({ v: tokenVersion, rv: revision, start }));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What a client's token says. */
export function decodeToken(text: string): ContinueToken {
  const { v = "", rv = 0, start = "" } = fieldsOf(parsed(bytesOf(text)));
  if (v !== tokenVersion) throw invalid(`server does not recognize this encoded version ${v}`);
  if (rv === 0) throw invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (start === "") throw invalid("encoded start key empty (version meta.k8s.io/v1)");
  // A key must not lead out of where the list is.
  const segments = (start.startsWith("/") ? start.slice(1) : start).split("/");
  if (segments.some((segment) => ["", ".", ".."].includes(segment))) throw invalid(start);
  return { revision: rv, start: segments.join("/") };
}

const invalid = (why: string) =>
  ApiError.badRequest(`invalid continue token: continue key is not valid: ${why}`);

/** The bytes of a token, a character each. */
function bytesOf(text: string): string {
  const foreign = text.search(/[^\w-]/);
  const ending = text.length % 4 === 1 ? text.length - 1 : -1;
  const wrong = foreign < 0 ? ending : foreign;
  if (wrong >= 0) throw invalid(`illegal base64 data at input byte ${wrong}`);
  return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
}

function parsed(bytes: string): JsonValue {
  try {
    return JSON.parse(
      new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))),
    ) as JsonValue;
  } catch {
    try {
      // Go names the byte that it stumbles over.
      return parseJson(bytes) as JsonValue;
    } catch (error) {
      if (error instanceof DecodeError) throw invalid(error.message);
      throw error;
    }
  }
}

const fieldKinds = { v: "string", rv: "int64", start: "string" } as const;

function fieldsOf(value: JsonValue): { readonly v?: string; readonly rv?: number; readonly start?: string } {
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalid(`json: cannot unmarshal ${goKind(value)} into Go value of type storage.continueToken`);
  }
  const token = value as Readonly<Record<string, JsonValue>>;
  for (const [name, kind] of Object.entries(fieldKinds)) {
    const field = token[name] ?? undefined;
    if (field === undefined || (kind === "int64" ? Number.isInteger(field) : typeof field === kind)) continue;
    const found = typeof field === "number" && kind === "int64" ? `number ${field}` : goKind(field);
    const where = `Go struct field continueToken.${name} of type ${kind}`;
    throw invalid(`json: cannot unmarshal ${found} into ${where}`);
  }
  return token;
}
