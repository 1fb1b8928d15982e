import { ApiError } from "../../apimachinery/index.ts";
import type { StructType } from "../../apimachinery/index.ts";
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
import { deletionOptions } from "../registry/deletion-options.ts";
import type { SentDeleteOptions } from "../registry/deletion-options.ts";
import { mediaTypeOf, yamlDocument } from "./input.ts";
import type { MediaType, Offer } from "./negotiate.ts";
import { flagOf, integerOf } from "./query.ts";

/** What a client says of a deletion, and whether it was said in the old way that dependents go too. */
export interface Deletion {
  readonly options: DeleteOptions & { readonly dryRun: boolean };
  readonly cascades: boolean;
}

/** Options of a deletion: those of the body or, where there is none, of the query. */
export async function readDeletion(exchange: Exchange, offer: Pick<Offer, "cbor">): Promise<Deletion> {
  const bytes = await exchange.body();
  const sent = bytes.length > 0 ? await inBody(bytes, mediaTypeOf(exchange, offer)) : inQuery(exchange.query);
  return { options: deletionOptions(sent), cascades: sent.orphanDependents === false };
}

function inQuery(query: URLSearchParams): SentDeleteOptions {
  if (query.size === 0) return {};
  const gracePeriodSeconds = integerOf(query, "gracePeriodSeconds");
  const orphanDependents = flagOf(query, "orphanDependents");
  const propagationPolicy = query.get("propagationPolicy") ?? undefined;
  const [uid, resourceVersion] = [query.get("uid"), query.get("resourceVersion")];
  const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  return {
    dryRun: query.getAll("dryRun"),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(uid || resourceVersion ? { preconditions } : {}),
  };
}

const kindName = "DeleteOptions";

async function inBody(bytes: Uint8Array, media: MediaType): Promise<SentDeleteOptions> {
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
): Promise<SentDeleteOptions> {
  if (media === "application/cbor") return decodeCbor(bytes, type).object;
  if (media === "application/vnd.kubernetes.protobuf") {
    return decodeProtobuf(bytes, schemas, { apiVersion: "v1", kind: kindName });
  }
  let value: unknown;
  const isYaml = media === "application/yaml";
  const read = isYaml ? await yamlDocument(bytes) : undefined;
  const unreadable = unreadableKind(() => (value = isYaml ? read : parseJson(bytes)));
  if (unreadable !== undefined) throw new DecodeError(unreadable);
  const { kind, apiVersion } = (value ?? {}) as SentDeleteOptions;
  // Options are the same in every group.
  if (kind === undefined || kind === "" || kind === kindName) return decodeValue(value ?? {}, type).object;
  const version = JSON.stringify(apiVersion || "meta.k8s.io/v1");
  const where = 'in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"';
  throw new DecodeError(`no kind ${JSON.stringify(kind)} is registered for version ${version} ${where}`);
}
