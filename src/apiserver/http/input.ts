import { invariant } from "../../base/index.ts";
import { ApiError, fieldErrors, FieldPath } from "../../apimachinery/index.ts";
import { validateFieldManager } from "../../apimachinery/names/index.ts";
import type { FieldError, JsonValue } from "../../apimachinery/index.ts";
import {
  cborNames,
  DecodeError,
  decodeCbor,
  decodeCborValue,
  decodeProtobuf,
  decodeValue,
  readEnvelope,
  readYaml,
  unreadableKind,
  yamlProblem,
} from "../../apimachinery/codec/index.ts";
import { goKind } from "../../apimachinery/patch/index.ts";
import { schemas } from "../../api/index.ts";
import type { YamlDocument } from "../../apimachinery/codec/index.ts";
import type { Patch } from "../../api/index.ts";
import { EncodedInput } from "../registry/coding.ts";
import type { Input } from "../registry/coding.ts";
import type { RequestOptions } from "../registry/context.ts";
import { dryRunErrors } from "../registry/deletion-options.ts";
import { decodePatchBody } from "../registry/patch-body.ts";
import type { Exchange } from "./exchange.ts";
import { flagOf } from "./query.ts";
import { mediaTypesOf } from "./negotiate.ts";
import type { MediaType, Offer } from "./negotiate.ts";

const token = String.raw`[!#$%&'*+\-.^_\`|~\w]+`;
/** A media type with well-formed parameters (RFC 2045). */
const mediaTypePattern = new RegExp(
  String.raw`^\s*(${token}(?:/${token})?)\s*(?:;\s*${token}\s*=\s*(?:${token}|"(?:[^"\\]|\\.)*")\s*)*;?\s*$`,
);

/** The encoding of a request's body, JSON unless it says so; throws `UnsupportedMediaType`. */
export function mediaTypeOf(exchange: Exchange, offer: Pick<Offer, "cbor">): MediaType {
  const header = exchange.headers["content-type"] || "application/json";
  const type = mediaTypePattern.exec(header)?.[1]?.toLowerCase();
  const types = mediaTypesOf(offer);
  const found = types.find((known) => known === type);
  if (found === undefined) throw unsupported(types.join(", "));
  return found;
}

/** The body of a write: JSON bytes as they came, anything else with a way to read it. */
export async function readInput(
  exchange: Exchange,
  expected: { readonly apiVersion: string; readonly kind: string },
  offer: Pick<Offer, "cbor">,
): Promise<Input> {
  const mediaType = mediaTypeOf(exchange, offer);
  const bytes = await exchange.body();
  switch (mediaType) {
    case "application/json":
      return bytes;
    case "application/cbor":
      return new EncodedInput(bytes, {
        names: () => cborNames(bytes),
        decode: (type, options) => decodeCbor(bytes, type, options),
      });
    case "application/yaml":
      return yamlInput(bytes);
    case "application/vnd.kubernetes.protobuf":
      return new EncodedInput(bytes, {
        names: () => readEnvelope(bytes),
        decode: () => ({ object: decodeProtobuf(bytes, schemas, expected), problems: [] }),
      });
  }
}

async function yamlInput(bytes: Uint8Array): Promise<Input> {
  let document: YamlDocument;
  try {
    document = await readYaml(Buffer.from(bytes).toString());
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const refuse = () => {
      throw error;
    };
    return new EncodedInput(bytes, { names: refuse, decode: refuse });
  }
  const { value, duplicates } = document;
  return new EncodedInput(bytes, {
    names() {
      const message = unreadableKind(() => value);
      if (message !== undefined) throw new DecodeError(message);
      return value;
    },
    decode(type, options) {
      const { object, problems } = decodeValue(value, type, options);
      return { object, problems: options.strict ? [...yamlProblem(duplicates()), ...problems] : problems };
    },
  });
}

/** The value of a body in YAML; throws `DecodeError`. */
export const yamlDocument = async (bytes: Uint8Array): Promise<unknown> =>
  (await readYaml(Buffer.from(bytes).toString())).value;

function unsupported(types: string): ApiError {
  return ApiError.unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${types}`,
  );
}

const applyCbor = "application/apply-patch+cbor";
const patchTypes: Readonly<Record<string, Patch["type"]>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
  [applyCbor]: "apply",
};

/** Whether a type of patches is one of configurations that are applied. */
export const isApply = (name: string): boolean => patchTypes[name] === "apply";

/** What a request's patch is encoded in: the header up to its parameters, letter for letter. */
function patchTypeOf(exchange: Exchange): string {
  return (exchange.headers["content-type"] ?? "").split(";")[0] ?? "";
}

/** The type of a request's patch; upstream's router looks at it before anything else. */
export function routePatch(
  exchange: Exchange,
  options: { readonly custom: boolean; readonly cbor: boolean },
): string {
  const known = Object.keys(patchTypes).filter(
    (name) => (!options.custom || patchTypes[name] !== "strategic") && (options.cbor || name !== applyCbor),
  );
  const name = patchTypeOf(exchange);
  // Custom resources have no router before their handler.
  if (options.custom && !known.includes(name)) throw unsupported(known.join(", "));
  if (!known.includes(name.trim())) throw ApiError.unsupportedMediaType("415: Unsupported Media Type", {});
  // The router trims, its handler does not.
  if (!known.includes(name)) throw unsupported(known.join(", "));
  return name;
}

/** The patch that a request carries, of a type that is known. */
export async function readPatch(exchange: Exchange, name: string): Promise<Patch> {
  const type = patchTypes[name];
  invariant(type !== undefined, "the type of a patch is known");
  const bytes = await exchange.body();
  const strict = exchange.query.get("fieldValidation") !== "Ignore";
  if (type === "apply") {
    const force = flagOf(exchange.query, "force") ?? false;
    if (name === applyCbor) return { type, body: cborConfiguration(bytes), force };
    return { type, force, ...(await applyConfiguration(bytes, { strict })) };
  }
  return decodePatchBody(type, bytes, { strict });
}

/** The configuration that an apply in CBOR carries. */
function cborConfiguration(bytes: Uint8Array): object {
  const refused = (message: string) => ApiError.badRequest(`error decoding CBOR: ${message}`);
  let value: unknown;
  try {
    value = decodeCborValue(bytes) ?? {};
  } catch (error) {
    if (error instanceof DecodeError) throw refused(error.message);
    throw error;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  const found = Array.isArray(value) ? "array" : typeof value === "string" ? "byte string" : "primitives";
  throw refused(`cbor: cannot unmarshal ${found} into Go value of type map[string]interface {}`);
}

/** The configuration that an apply carries: nothing at all is one without any fields. */
async function applyConfiguration(
  bytes: Uint8Array,
  { strict }: { readonly strict: boolean },
): Promise<{ readonly body: object; readonly problems: readonly string[] }> {
  const refused = (message: string) => ApiError.badRequest(`error decoding YAML: ${message}`);
  let document: YamlDocument;
  try {
    document = await readYaml(Buffer.from(bytes).toString());
  } catch (error) {
    if (error instanceof DecodeError) throw refused(`error converting YAML to JSON: ${error.message}`);
    throw error;
  }
  const value = document.value ?? {};
  if (typeof value === "object" && !Array.isArray(value)) {
    return { body: value, problems: strict ? yamlProblem(document.duplicates()) : [] };
  }
  const kind = goKind(value as JsonValue);
  const words = `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
  throw refused(`error unmarshaling JSON: while decoding JSON: ${words}`);
}

const optionsKinds: Readonly<Record<string, string>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
};

const nothingAsked = {};

/** What a request says of a write besides its body. */
export function writeOptions(
  exchange: Exchange,
): Required<Pick<RequestOptions, "dryRun" | "fieldManager" | "fieldValidation" | "asked">> {
  const { query } = exchange;
  const manager = query.get("fieldManager") ?? "";
  const [dryRun, validation] = [query.getAll("dryRun"), query.get("fieldValidation") ?? ""];
  const errors = [
    ...(exchange.method === "PATCH" ? patchOptionErrors(exchange, manager) : []),
    ...managerErrors(manager),
    ...dryRunErrors(dryRun),
    ...fieldValidationErrors(validation),
  ];
  const kind = optionsKinds[exchange.method] ?? "CreateOptions";
  if (errors.length > 0) throw ApiError.invalid({ group: "meta.k8s.io", kind }, "", errors);
  const known = manager === "" ? managerOf(exchange.headers["user-agent"]) : manager;
  return {
    dryRun: dryRun.length > 0,
    fieldManager: known === "" ? "unknown" : known,
    fieldValidation: validation === "Ignore" || validation === "Strict" ? validation : "Warn",
    asked:
      manager === "" && validation === ""
        ? nothingAsked
        : { fieldManager: manager, fieldValidation: validation },
  };
}

function patchOptionErrors(exchange: Exchange, manager: string): readonly FieldError[] {
  if (isApply(patchTypeOf(exchange))) {
    if (manager !== "") return [];
    return [fieldErrors.required(FieldPath.root("fieldManager"), "is required for apply patch")];
  }
  if (exchange.query.get("force") === null) return [];
  return [fieldErrors.forbidden(FieldPath.root("force"), "may not be specified for non-apply patch")];
}

const longestManager = 128;
const encoder = new TextEncoder();
/** Names of nearly all clients: nothing in them needs a closer look. */
const plainName = /^[ -~]{0,128}$/;
/** What Go's `unicode.IsPrint` does not print. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

function managerErrors(manager: string): readonly FieldError[] {
  return plainName.test(manager) ? [] : validateFieldManager(manager, FieldPath.root("fieldManager"));
}

/** A client that does not name itself as manager is known by the program in its User-Agent. */
function managerOf(userAgent: string | undefined): string {
  const [program = ""] = (userAgent ?? "").split("/", 1);
  if (plainName.test(program)) return program;
  let name = "";
  let length = 0;
  for (const character of program) {
    if (unprintable.test(character)) continue;
    length += encoder.encode(character).length;
    if (length > longestManager) break;
    name += character;
  }
  return name;
}

const fieldValidations: readonly string[] = ["", "Ignore", "Strict", "Warn"];

function fieldValidationErrors(value: string): readonly FieldError[] {
  if (fieldValidations.includes(value)) return [];
  return [fieldErrors.notSupported(FieldPath.root("fieldValidation"), value, fieldValidations)];
}
