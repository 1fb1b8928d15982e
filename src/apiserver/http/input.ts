import { ApiError } from "../../apimachinery/index.ts";
import {
  cannotBeHandled,
  DecodeError,
  decodeJson,
  decodeProtobuf,
  decodeYaml,
  isProtobuf,
  parseJson,
  unrecognized,
} from "../../apimachinery/codec/index.ts";
import { schemas } from "../../api/index.ts";
import type { DeleteOptions, Patch } from "../../api/index.ts";
import type { Input } from "../registry/coding.ts";
import type { RequestOptions } from "../registry/context.ts";
import type { Exchange } from "./exchange.ts";

const accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

function mediaTypeOf(exchange: Exchange): string {
  const header = exchange.headers["content-type"] ?? "application/json";
  const end = header.indexOf(";");
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

/** An error of decoding as `BadRequest`. */
function decoding<T>(kind: { readonly version: string; readonly kind: string }, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw ApiError.badRequest(cannotBeHandled(kind, error));
  }
}

/** Decodes an object whose kind the bytes must show; else they are said to be unrecognized. */
async function recognizing<T>(
  kind: { readonly kind: string },
  { body, decode }: { readonly body: Uint8Array; readonly decode: () => T | Promise<T> },
): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw ApiError.badRequest(unrecognized(kind, { body, message: error.message }));
  }
}

/** The body of a write: JSON bytes as they came, anything else as a value. */
export async function readInput(
  exchange: Exchange,
  expected: { readonly apiVersion: string; readonly version: string; readonly kind: string },
): Promise<Input> {
  const bytes = await exchange.body();
  switch (mediaTypeOf(exchange)) {
    case "application/json":
    case "":
    case "*/*":
      return bytes;
    case "application/yaml":
      return recognizing(expected, { body: bytes, decode: () => yamlDocument(bytes) }) as Promise<object>;
    case "application/vnd.kubernetes.protobuf":
      if (!isProtobuf(bytes)) {
        return recognizing(expected, {
          body: bytes,
          decode: () => decodeProtobuf(bytes, schemas, expected),
        });
      }
      return decoding(expected, () => decodeProtobuf(bytes, schemas, expected));
    default:
      throw unsupported(accepted);
  }
}

const yamlDocument = (bytes: Uint8Array): Promise<unknown> => decodeYaml(Buffer.from(bytes).toString());

async function yamlValue(bytes: Uint8Array): Promise<unknown> {
  try {
    return await yamlDocument(bytes);
  } catch (error) {
    if (error instanceof DecodeError) throw ApiError.badRequest(error.message);
    throw error;
  }
}

function unsupported(types: string): ApiError {
  return ApiError.unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${types}`,
  );
}

const patchTypes: Readonly<Record<string, Patch["type"]>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** The patch that a request carries. */
export async function readPatch(exchange: Exchange, options: { readonly custom: boolean }): Promise<Patch> {
  const type = patchTypes[mediaTypeOf(exchange)];
  if (type === undefined || (type === "strategic" && options.custom)) {
    const known = Object.keys(patchTypes).filter(
      (name) => !options.custom || name !== "application/strategic-merge-patch+json",
    );
    throw unsupported(known.join(", "));
  }
  const bytes = await exchange.body();
  if (type === "apply") {
    const body = (await yamlValue(bytes)) as object;
    return { type, body, force: exchange.query.get("force") === "true" };
  }
  let body: unknown;
  try {
    body = parseJson(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw ApiError.badRequest(`error decoding patch: ${error.message}`);
  }
  if (type === "json") {
    if (!Array.isArray(body)) {
      throw ApiError.badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
    }
    return { type, body: body as object[] };
  }
  if (typeof body !== "object" || body === null) throw ApiError.badRequest("Invalid JSON Patch");
  if (Array.isArray(body)) {
    const words = "json: cannot unmarshal array into Go value of type map[string]interface {}";
    throw ApiError.badRequest(`error decoding patch: ${words}`);
  }
  return { type, body };
}

/** What a request says of a write besides its body. */
export function writeOptions(
  exchange: Exchange,
): Pick<RequestOptions, "dryRun" | "fieldManager" | "fieldValidation"> {
  const { query } = exchange;
  const manager = query.get("fieldManager") || managerOf(exchange.headers["user-agent"]);
  return {
    dryRun: dryRunOf(query.getAll("dryRun")),
    ...(manager === "" ? {} : { fieldManager: manager }),
    fieldValidation: fieldValidationOf(query.get("fieldValidation")),
  };
}

const longestManager = 128;

/** A client that does not name itself as manager is known by the program in its User-Agent. */
function managerOf(userAgent: string | undefined): string {
  const program = (userAgent ?? "").split("/")[0] ?? "";
  return (program === "" ? "unknown" : program).slice(0, longestManager);
}

function dryRunOf(values: readonly string[]): boolean {
  for (const value of values) {
    if (value === "All") continue;
    throw ApiError.invalid({ group: "meta.k8s.io", kind: "CreateOptions" }, "", [
      {
        type: "FieldValueNotSupported",
        field: "dryRun",
        badValue: values,
        detail: 'supported values: "All"',
      },
    ]);
  }
  return values.length > 0;
}

function fieldValidationOf(value: string | null): "Ignore" | "Warn" | "Strict" {
  if (value === null || value === "") return "Warn";
  if (value === "Ignore" || value === "Warn" || value === "Strict") return value;
  throw ApiError.invalid({ group: "meta.k8s.io", kind: "CreateOptions" }, "", [
    {
      type: "FieldValueNotSupported",
      field: "fieldValidation",
      badValue: value,
      detail: 'supported values: "", "Ignore", "Strict", "Warn"',
    },
  ]);
}

interface SentDeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: DeleteOptions["propagationPolicy"];
  readonly orphanDependents?: boolean;
  readonly preconditions?: DeleteOptions["preconditions"];
  readonly dryRun?: readonly string[];
}

const policies: readonly string[] = ["Orphan", "Background", "Foreground"];

/** Delete options from the body or, where there is none, from the query. */
export async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const bytes = await exchange.body();
  const { query } = exchange;
  const kind = { group: "", version: "v1", kind: "DeleteOptions" };
  const type = schemas.typeOf(kind);
  let sent: SentDeleteOptions;
  if (bytes.length > 0 && type) {
    const media = mediaTypeOf(exchange);
    if (media === "application/vnd.kubernetes.protobuf") {
      const fallback = { apiVersion: "v1", kind: "DeleteOptions" };
      sent = decoding(kind, () => decodeProtobuf(bytes, schemas, fallback)) as SentDeleteOptions;
    } else if (media === "application/yaml") {
      sent = (await yamlValue(bytes)) as SentDeleteOptions;
    } else sent = decoding(kind, () => decodeJson(bytes, type).object) as SentDeleteOptions;
  } else {
    const grace = query.get("gracePeriodSeconds");
    const policy = query.get("propagationPolicy") as DeleteOptions["propagationPolicy"] | null;
    const orphan = query.get("orphanDependents");
    sent = {
      ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
      ...(policy ? { propagationPolicy: policy } : {}),
      ...(orphan === null ? {} : { orphanDependents: orphan === "true" }),
    };
  }
  const dryRun = dryRunOf([...(sent.dryRun ?? []), ...(bytes.length > 0 ? [] : query.getAll("dryRun"))]);
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions } = sent;
  if (propagationPolicy && !policies.includes(propagationPolicy)) {
    throw ApiError.invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", [
      {
        type: "FieldValueInvalid",
        field: "propagationPolicy",
        badValue: propagationPolicy,
        detail: `must be one of ["Background", "Foreground", "Orphan"]`,
      },
    ]);
  }
  const orphaned = orphanDependents === undefined ? undefined : orphanDependents ? "Orphan" : "Background";
  const policy = propagationPolicy ?? orphaned;
  return {
    dryRun,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}
