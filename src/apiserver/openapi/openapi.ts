import { rootOf } from "./operations.ts";
import { encodeJson, type JsonObject, type SchemaRegistry } from "../../apimachinery/index.ts";
import { accepts, contentHash, parseAccept, type ServedResource } from "../discovery/index.ts";
import type { CustomSchemas } from "./custom.ts";
import type { GroupVersion } from "./definitions.ts";
import { rootOperations } from "./roots.ts";
import type { Operation } from "./operations.ts";
import { openApiV2, openApiV3, type DocumentOptions } from "./documents.ts";
import { grouped } from "./grouped.ts";
import { translated } from "./translate.ts";
import { withRemote, type RemoteOpenApi, type Swagger } from "./remote.ts";
import { encodeOpenApiV2 } from "./proto-v2.ts";
import { encodeOpenApiV3 } from "./proto-v3.ts";

/** What the server serves, as OpenAPI. Made anew when that changes; documents are built when first asked for. */
export interface OpenApi {
  /** The answer to a request for a path; undefined when there is no document. */
  get(path: string, asked: OpenApiRequest): Promise<OpenApiAnswer | undefined>;
}

export interface OpenApiRequest {
  readonly accept: string | undefined;
  readonly query: URLSearchParams;
}

export interface OpenApiAnswer {
  readonly status: 200 | 301 | 406;
  readonly bytes: Uint8Array;
  /** Whether the bytes are compressed. */
  readonly gzipped: boolean;
  readonly contentType: string;
  /** With quotes, as the header has it. */
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OpenApiOptions {
  readonly resources: readonly ServedResource[];
  readonly schemas: SchemaRegistry;
  readonly custom?: CustomSchemas;
  /** What extension servers say of themselves. */
  readonly remote?: readonly RemoteOpenApi[];
  /** `v1.36.0`. */
  readonly version: string;
  /** Whether clients may speak CBOR; default: false. */
  readonly cbor?: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Lets others have their turn while a document is built. */
  readonly pause: () => Promise<void>;
  /** Makes gzip of bytes. */
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
}

interface Encoding {
  /** What clients ask for; the older names have an `@`, which is not allowed in media types. */
  readonly names: readonly string[];
  readonly contentType: string;
  encode(document: JsonObject): Uint8Array;
}

const json: Encoding = { names: ["application/json"], contentType: "application/json", encode: encodeJson };

function protobuf(version: "v2" | "v3", encode: Encoding["encode"]): Encoding {
  const contentType = `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf`;
  return { names: [contentType, contentType.replace(`${version}.v1`, `${version}@v1`)], contentType, encode };
}

const encodings = {
  v2: [json, protobuf("v2", encodeOpenApiV2)],
  v3: [json, protobuf("v3", encodeOpenApiV3)],
};

const refused: OpenApiAnswer = {
  status: 406,
  bytes: new Uint8Array(),
  gzipped: false,
  contentType: "",
  etag: "",
  headers: { vary: "Accept" },
};

/** What one document is about. */
type Part = Pick<DocumentOptions, "resources" | "roots"> & { readonly roots: readonly Operation[] };

const year = 365 * 24 * 60 * 60 * 1_000;

export function createOpenApi(options: OpenApiOptions): OpenApi {
  return new Documents(options);
}

/** Few clients ask, so documents are kept compressed, and only those that someone has asked for. */
class Documents implements OpenApi {
  readonly #options: OpenApiOptions;
  readonly #served: readonly GroupVersion[];
  readonly #roots: ReadonlyMap<string, Operation>;
  /** By path: `api/v1`, `apis/apps/v1`, `apis/apps`, `version`. */
  readonly #versions: ReadonlyMap<string, Part>;
  /** What extension servers say that know no version 3, by path. */
  readonly #translated: ReadonlyMap<string, Swagger>;
  readonly #made = new Map<string, Promise<Uint8Array>>();
  readonly #hashes = new Map<string, string>();
  readonly #lastModified: string;
  #indexed: { readonly bytes: Uint8Array; readonly hash: string } | undefined;

  constructor(options: OpenApiOptions) {
    this.#options = options;
    const byVersion = grouped(options.resources, (resource) => rootOf(resource).slice(1));
    this.#served = [...byVersion.values()].flatMap(([first]) => first ?? []);
    this.#roots = rootOperations(this.#served);
    const parts = Array.from(this.#roots, ([key, root]): [string, Part] => [
      key,
      { roots: [root], resources: byVersion.get(key) ?? [] },
    ]);
    this.#versions = new Map(parts.sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#translated = new Map(
      (options.remote ?? []).flatMap((one) =>
        one.isTranslated && one.swagger ? [[rootOf(one).slice(1), one.swagger] as const] : [],
      ),
    );
    this.#lastModified = new Date(options.now()).toUTCString();
  }

  async get(path: string, asked: OpenApiRequest): Promise<OpenApiAnswer | undefined> {
    if (path === "/openapi/v2") {
      const { resources } = this.#options;
      return this.#document("v2", asked, { key: "", part: { resources, roots: [...this.#roots.values()] } });
    }
    if (path === "/openapi/v3" || path === "/openapi/v3/") return this.#index();
    return path.startsWith("/openapi/v3/")
      ? this.#version(path.slice("/openapi/v3/".length), asked)
      : undefined;
  }

  /** A document of one group version. Its address may name its hash: then it never changes. */
  async #version(key: string, asked: OpenApiRequest): Promise<OpenApiAnswer | undefined> {
    const found = this.#versions.get(key);
    const swagger = this.#translated.get(key);
    if (found === undefined && swagger === undefined) return undefined;
    const answer = found
      ? await this.#document("v3", asked, { key, part: found })
      : await this.#translation(key, asked, swagger!);
    const hash = asked.query.get("hash");
    if (!hash || answer.status !== 200) return answer;
    const current = found ? this.#hashOf(key, found) : hashOf(swagger!);
    if (hash !== current) {
      return { ...refused, status: 301, headers: { ...refused.headers, location: addressOf(key, current) } };
    }
    const expires = new Date(this.#options.now() + year).toUTCString();
    return { ...answer, headers: { ...answer.headers, "cache-control": "public, immutable", expires } };
  }

  #index(): Promise<OpenApiAnswer> {
    this.#indexed ??= this.#makeIndex();
    const { bytes, hash } = this.#indexed;
    return this.#answer("index", { contentType: json.contentType, make: async () => bytes, hash });
  }

  #makeIndex(): { readonly bytes: Uint8Array; readonly hash: string } {
    const paths = Array.from(
      this.#versions,
      ([key, part]) => [key, { serverRelativeURL: addressOf(key, this.#hashOf(key, part)) }] as const,
    );
    const { remote = [] } = this.#options;
    const elsewhere = remote.flatMap((one) =>
      one.address === undefined ? [] : [[rootOf(one).slice(1), { serverRelativeURL: one.address }] as const],
    );
    const translations = Array.from(
      this.#translated,
      ([key, swagger]) => [key, { serverRelativeURL: addressOf(key, hashOf(swagger)) }] as const,
    );
    const all = [...paths, ...elsewhere, ...translations].sort(([a], [b]) => (a < b ? -1 : 1));
    const bytes = encodeJson({ paths: Object.fromEntries(all) });
    return { bytes, hash: contentHash(bytes) };
  }

  async #document(
    dialect: "v2" | "v3",
    { accept }: OpenApiRequest,
    { key, part }: { readonly key: string; readonly part: Part },
  ): Promise<OpenApiAnswer> {
    const encoding = chosen(accept, encodings[dialect]);
    if (encoding === undefined) return refused;
    const { custom = new Map(), cbor = false, remote = [], ...options } = this.#options;
    const from: DocumentOptions = { ...options, custom, cbor, served: this.#served, ...part };
    return this.#answer(`${dialect} ${key}`, {
      contentType: encoding.contentType,
      make: async () => encoding.encode(await (dialect === "v2" ? merged(from, remote) : openApiV3(from))),
      hash: this.#hashOf(key, part),
    });
  }

  /** What an extension server says in version 2, in version 3. */
  async #translation(key: string, { accept }: OpenApiRequest, swagger: Swagger): Promise<OpenApiAnswer> {
    const encoding = chosen(accept, encodings.v3);
    if (encoding === undefined) return refused;
    return this.#answer(`v3 ${key}`, {
      contentType: encoding.contentType,
      make: async () => encoding.encode(translated(swagger)),
      hash: hashOf(swagger),
    });
  }

  async #answer(
    key: string,
    { contentType, make, hash }: { contentType: string; make: () => Promise<Uint8Array>; hash: string },
  ): Promise<OpenApiAnswer> {
    const name = `${key} ${contentType}`;
    const made = this.#made.get(name) ?? make().then(this.#options.compress);
    this.#made.set(name, made);
    try {
      const bytes = await made;
      const headers = { vary: "Accept", "last-modified": this.#lastModified };
      return { status: 200, bytes, gzipped: true, contentType, etag: `"${hash}"`, headers };
    } catch (error) {
      // Whoever asks next tries anew.
      this.#made.delete(name);
      throw error;
    }
  }

  /** Stands for the content without building it: nothing else goes into a document. */
  #hashOf(key: string, { resources, roots }: Part): string {
    const { version, custom, cbor } = this.#options;
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    const kinds = resources.map((resource) => {
      const { group, version: of, kind } = resource;
      return hashOfKind(resource, custom?.get(`${group}/${of}/${kind}`));
    });
    const remote = key === "" ? (this.#options.remote ?? []).map(({ swagger }) => swagger ?? null) : [];
    const paths = roots.map(({ path }) => path);
    const hash = contentHash(encodeJson([version, cbor, paths, kinds, remote]));
    this.#hashes.set(key, hash);
    return hash;
  }
}

/** Of what thousands of definitions define is looked at again only what has changed. */
const kindHashes = new WeakMap<
  ServedResource,
  { readonly schema: JsonObject | undefined; readonly hash: string }
>();

function hashOfKind(resource: ServedResource, schema: JsonObject | undefined): string {
  const known = kindHashes.get(resource);
  if (known && known.schema === schema) return known.hash;
  const hash = contentHash(encodeJson([resource, schema ?? null]));
  kindHashes.set(resource, { schema, hash });
  return hash;
}

/** The document of everything, with what extension servers say. */
async function merged(options: DocumentOptions, remote: readonly RemoteOpenApi[]): Promise<JsonObject> {
  let document = await openApiV2(options);
  for (const { swagger } of remote) if (swagger) document = withRemote(document, swagger);
  return document;
}

function chosen(accept: string | undefined, offered: readonly Encoding[]): Encoding | undefined {
  for (const range of parseAccept(accept)) {
    for (const encoding of offered) if (encoding.names.some((name) => accepts(range, name))) return encoding;
  }
  return undefined;
}

const hashOf = (swagger: Swagger) => contentHash(encodeJson(swagger));

const addressOf = (key: string, hash: string) => `/openapi/v3/${key}?hash=${hash}`;
