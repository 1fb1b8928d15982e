import { ApiError, encodeJson, type SchemaRegistry } from "../../apimachinery/index.ts";
import {
  accepts,
  contentHash,
  parseAccept,
  type CachedDocument,
  type ServedResource,
} from "../discovery/index.ts";
import type { CustomSchemas } from "./custom.ts";
import type { GroupVersion } from "./definitions.ts";
import { openApiV2, openApiV3, type DocumentOptions } from "./documents.ts";
import { encodeOpenApiV2 } from "./proto-v2.ts";

/** What the server serves, as OpenAPI. Made anew when that changes; documents are built when first asked for. */
export interface OpenApi {
  /** The document of a path; undefined when there is none. Throws ApiError when no accepted form is offered. */
  get(path: string, accept: string | undefined): CachedDocument | undefined;
}

export interface OpenApiOptions {
  readonly resources: readonly ServedResource[];
  readonly schemas: SchemaRegistry;
  readonly custom?: CustomSchemas;
  /** `v1.36.0`. */
  readonly version: string;
}

const json = "application/json";
const protobufV2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/** As clients wrote it until 1.26: the `@` is not allowed in media types. */
const protobufV2Old = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

export function createOpenApi(options: OpenApiOptions): OpenApi {
  const versions = groupVersionsOf(options.resources);
  const documents = new Map<string, CachedDocument>();
  const cached = (key: string, make: () => CachedDocument): CachedDocument => {
    const document = documents.get(key) ?? make();
    documents.set(key, document);
    return document;
  };
  const optionsFor = (resources: readonly ServedResource[]): DocumentOptions => ({
    resources,
    schemas: options.schemas,
    custom: options.custom ?? new Map(),
    served: [...versions.values()].map(({ group, version }) => ({ group, version })),
    version: options.version,
  });

  function version2(accept: string | undefined): CachedDocument {
    for (const range of parseAccept(accept)) {
      const wantsProtobuf = range.type === protobufV2Old || range.type === protobufV2;
      if (!wantsProtobuf && !accepts(range, json)) continue;
      return cached(`v2 ${wantsProtobuf}`, () => {
        const document = openApiV2(optionsFor(options.resources));
        return wantsProtobuf
          ? sealed(encodeOpenApiV2(document), protobufV2)
          : sealed(encodeJson(document), json);
      });
    }
    throw ApiError.notAcceptable(`only the following media types are accepted: ${json}, ${protobufV2}`);
  }

  function version3(path: string): CachedDocument | undefined {
    const found = versions.get(path);
    return (
      found && cached(`v3 ${path}`, () => sealed(encodeJson(openApiV3(optionsFor(found.resources))), json))
    );
  }

  /** The hash in an address stands for the content; what is served does not change, so its list will do. */
  function index(): CachedDocument {
    return cached("v3", () => {
      const paths = [...versions].map(([path, { resources }]) => {
        const hash = contentHash(encodeJson([options.version, resources, customOf(options, resources)]));
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
      });
      return sealed(encodeJson({ paths: Object.fromEntries(paths) }), json);
    });
  }

  return {
    get(path, accept) {
      if (path === "/openapi/v2") return version2(accept);
      if (path !== "/openapi/v3" && !path.startsWith("/openapi/v3/")) return undefined;
      const document = path === "/openapi/v3" ? index() : version3(path.slice("/openapi/v3/".length));
      if (document !== undefined && !parseAccept(accept).some((range) => accepts(range, json)))
        throw ApiError.notAcceptable(`only the following media types are accepted: ${json}`);
      return document;
    },
  };
}

interface ServedGroupVersion extends GroupVersion {
  readonly resources: readonly ServedResource[];
}

/** By path: `api/v1`, `apis/apps/v1`. */
function groupVersionsOf(resources: readonly ServedResource[]): ReadonlyMap<string, ServedGroupVersion> {
  const versions = new Map<string, { group: string; version: string; resources: ServedResource[] }>();
  for (const resource of resources) {
    const { group, version } = resource;
    const path = group === "" ? `api/${version}` : `apis/${group}/${version}`;
    const found = versions.get(path) ?? { group, version, resources: [] };
    found.resources.push(resource);
    versions.set(path, found);
  }
  return versions;
}

function customOf(options: OpenApiOptions, resources: readonly ServedResource[]): readonly unknown[] {
  return resources.map(
    ({ group, version, kind }) => options.custom?.get(`${group}/${version}/${kind}`) ?? null,
  );
}

function sealed(bytes: Uint8Array, contentType: string): CachedDocument {
  return { bytes, contentType, etag: `"${contentHash(bytes)}"` };
}
