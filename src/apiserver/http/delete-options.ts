import { ApiError, fieldErrors, FieldPath } from "../../apimachinery/index.ts";
import type { FieldError, StructType } from "../../apimachinery/index.ts";
import {
  DecodeError,
  decodeCbor,
  decodeProtobuf,
  decodeValue,
  parseJson,
  unreadableKind,
} from "../../apimachinery/codec/index.ts";
import { schemas } from "../../api/index.ts";
import type { DeleteOptions } from "../../api/index.ts";
import type { Exchange } from "./exchange.ts";
import { dryRunErrors, mediaTypeOf, yamlDocument } from "./input.ts";
import type { MediaType, Offer } from "./negotiate.ts";
import { flagOf, integerOf } from "./query.ts";

/** What a client says of a deletion, and whether it was said in the old way that dependents go too. */
export interface Deletion {
  readonly options: DeleteOptions & { readonly dryRun: boolean };
  readonly cascades: boolean;
}

interface Sent {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: DeleteOptions["preconditions"];
  readonly dryRun?: readonly string[];
}

/** Options of a deletion: those of the body or, where there is none, of the query. */
export async function readDeletion(exchange: Exchange, offer: Pick<Offer, "cbor">): Promise<Deletion> {
  const bytes = await exchange.body();
  const sent = bytes.length > 0 ? await inBody(bytes, mediaTypeOf(exchange, offer)) : inQuery(exchange.query);
  const errors = deletionErrors(sent);
  if (errors.length > 0) {
    throw ApiError.invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  }
  const { gracePeriodSeconds, orphanDependents, preconditions, dryRun = [] } = sent;
  const orphaned = orphanDependents === undefined ? undefined : orphanDependents ? "Orphan" : "Background";
  const policy = (sent.propagationPolicy as DeleteOptions["propagationPolicy"]) ?? orphaned;
  return {
    options: {
      dryRun: dryRun.length > 0,
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(policy === undefined ? {} : { propagationPolicy: policy }),
      ...(preconditions === undefined ? {} : { preconditions }),
    },
    cascades: orphanDependents === false,
  };
}

function inQuery(query: URLSearchParams): Sent {
  if (query.size === 0) return {};
  const gracePeriodSeconds = integerOf(query, "gracePeriodSeconds");
  const orphanDependents = flagOf(query, "orphanDependents");
  const propagationPolicy = query.get("propagationPolicy") ?? undefined;
  return {
    dryRun: query.getAll("dryRun"),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
  };
}

const kindName = "DeleteOptions";

async function inBody(bytes: Uint8Array, media: MediaType): Promise<Sent> {
  const type = schemas.typeOf({ group: "", version: "v1", kind: kindName });
  if (!type) return {};
  try {
    return await decoded(bytes, { media, type });
  } catch (error) {
    if (error instanceof DecodeError) throw ApiError.badRequest(error.message);
    throw error;
  }
}

async function decoded(
  bytes: Uint8Array,
  { media, type }: { readonly media: MediaType; readonly type: StructType },
): Promise<Sent> {
  if (media === "application/cbor") return decodeCbor(bytes, type).object;
  if (media === "application/vnd.kubernetes.protobuf") {
    return decodeProtobuf(bytes, schemas, { apiVersion: "v1", kind: kindName });
  }
  let value: unknown;
  const isYaml = media === "application/yaml";
  const read = isYaml ? await yamlDocument(bytes) : undefined;
  const unreadable = unreadableKind(() => (value = isYaml ? read : parseJson(bytes)));
  if (unreadable !== undefined) throw new DecodeError(unreadable);
  const { kind, apiVersion } = (value ?? {}) as Sent;
  // Options are the same in every group.
  if (kind === undefined || kind === "" || kind === kindName) return decodeValue(value ?? {}, type).object;
  const version = JSON.stringify(apiVersion || "meta.k8s.io/v1");
  const where = 'in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"';
  throw new DecodeError(`no kind ${JSON.stringify(kind)} is registered for version ${version} ${where}`);
}

const policyPath = FieldPath.root("propagationPolicy");
const policies = ["Foreground", "Background", "Orphan", "nil"];

function deletionErrors({ propagationPolicy, orphanDependents, dryRun = [] }: Sent): readonly FieldError[] {
  const errors = [...dryRunErrors(dryRun)];
  if (propagationPolicy === undefined) return errors;
  const isKnown = propagationPolicy !== "nil" && policies.includes(propagationPolicy);
  if (!isKnown) errors.unshift(fieldErrors.notSupported(policyPath, propagationPolicy, policies));
  if (orphanDependents !== undefined) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    errors.unshift(fieldErrors.invalid(policyPath, propagationPolicy, why));
  }
  return errors;
}
