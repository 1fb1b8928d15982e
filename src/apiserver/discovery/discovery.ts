import { schemas } from "../../api/index.ts";
import { ApiError, encodeJson, encodeProtobuf } from "../../apimachinery/index.ts";
import { accepts, parseAccept, type MediaRange } from "./accept.ts";
import { contentHash } from "./content-hash.ts";
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from "./documents.ts";
import { groupsOf, type ServedResource } from "./group-versions.ts";

/** A document ready to be sent; the same one for the same choice, so that it is encoded once. */
export interface CachedDocument {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** With quotes, as the header has it. */
  readonly etag: string;
}

/** What the server serves, as documents. Made anew when that changes. */
export interface Discovery {
  /** The document of a path; undefined when there is none. Throws ApiError when no accepted form is offered. */
  get(path: string, accept: string | undefined): CachedDocument | undefined;
}

export interface DiscoveryOptions {
  /** All resources that are served, custom ones too. */
  readonly resources: readonly ServedResource[];
  /** Group versions of aggregated servers that do not answer. */
  readonly stale?: readonly { readonly group: string; readonly version: string }[];
  /** `host:port` that `/api` names. */
  readonly serverAddress: string;
}

const json = "application/json";
const protobuf = "application/vnd.kubernetes.protobuf";
const notAcceptable = `only the following media types are accepted: ${json}, application/yaml, ${protobuf}`;

type Form =
  | { readonly type: "plain"; readonly encoding: Encoding }
  | { readonly type: "aggregated"; readonly version: "v2" | "v2beta1"; readonly encoding: Encoding };
type Encoding = typeof json | typeof protobuf;

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const groups = groupsOf(options.resources, options.stale);
  const documents = new Map<string, CachedDocument>();

  function plainDocument(path: string): object | undefined {
    const [root, first, second, ...rest] = path.slice(1).split("/");
    if (rest.length > 0) return undefined;
    if (root === "api" && second === undefined) {
      if (first === undefined) return apiVersions(options.serverAddress);
      const core = groups.find((group) => group.name === "");
      const served = core?.versions.find(({ version }) => version === first);
      return served === undefined ? undefined : apiResourceList(served, groups);
    }
    if (root !== "apis") return undefined;
    if (first === undefined) return apiGroupList(groups);
    const group = groups.find(({ name }) => name === first && name !== "");
    if (group === undefined || second === undefined) return group && apiGroup(group);
    const served = group.versions.find(({ version }) => version === second);
    return served === undefined ? undefined : apiResourceList(served, groups);
  }

  function build(path: string, form: Form): CachedDocument | undefined {
    if (form.type === "plain") {
      const document = plainDocument(path);
      return document && encoded(document, form, form.encoding);
    }
    const chosen = groups.filter((group) => (group.name === "") === (path === "/api"));
    const contentType = `${form.encoding};g=apidiscovery.k8s.io;v=${form.version};as=APIGroupDiscoveryList`;
    return encoded(aggregatedDiscovery(chosen, form.version), form, contentType);
  }

  return {
    get(path, accept) {
      const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
      const aggregates = trimmed === "/api" || trimmed === "/apis";
      const form = formOf(parseAccept(accept), aggregates);
      if (form === undefined) {
        if (plainDocument(trimmed) === undefined) return undefined;
        throw ApiError.notAcceptable(notAcceptable);
      }
      const key = `${trimmed} ${JSON.stringify(form)}`;
      const known = documents.get(key);
      if (known !== undefined) return known;
      const built = build(trimmed, form);
      // Only what exists is kept: the map is bounded by the groups there are.
      if (built !== undefined) documents.set(key, built);
      return built;
    },
  };
}

/** The first choice that can be served. */
function formOf(ranges: readonly MediaRange[], aggregates: boolean): Form | undefined {
  for (const range of ranges) {
    const encoding = accepts(range, json) ? json : accepts(range, protobuf) ? protobuf : undefined;
    if (encoding === undefined) continue;
    const as = range.parameters.get("as");
    if (as === undefined) return { type: "plain", encoding };
    const version = range.parameters.get("v");
    const isDiscovery = as === "APIGroupDiscoveryList" && range.parameters.get("g") === "apidiscovery.k8s.io";
    if (aggregates && isDiscovery && (version === "v2" || version === "v2beta1"))
      return { type: "aggregated", version, encoding };
  }
  return undefined;
}

function encoded(document: object, form: Form, contentType: string): CachedDocument {
  const bytes = form.encoding === json ? encodeJson(document) : encodeAsProtobuf(document);
  return { bytes, contentType, etag: `"${contentHash(bytes)}"` };
}

function encodeAsProtobuf(document: object): Uint8Array {
  const { kind, apiVersion = "v1" } = document as { kind: string; apiVersion?: string };
  const cut = apiVersion.indexOf("/");
  const group = cut < 0 ? "" : apiVersion.slice(0, cut);
  const type = schemas.typeOf({ group, version: apiVersion.slice(cut + 1), kind });
  if (type === undefined) throw ApiError.notAcceptable(notAcceptable);
  return encodeProtobuf({ ...document, apiVersion }, type);
}
