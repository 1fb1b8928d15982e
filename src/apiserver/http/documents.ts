import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { ApiError } from "../../apimachinery/index.ts";
import type { Discovery, DiscoveryPage } from "../discovery/index.ts";
import { encodeAny, typeOfObject } from "./encode.ts";
import type { Exchange, ResponseHeaders } from "./exchange.ts";
import type { HealthChecks } from "./health.ts";
import {
  admit,
  mediaTypesOf,
  negotiateAggregated,
  negotiatePlain,
  onlyAccepted,
  plainJson,
} from "./negotiate.ts";
import type { Negotiated, Offer } from "./negotiate.ts";
import { acceptsGzip, gzipped, send, sendObject } from "./respond.ts";

/** Serves documents below `/openapi` and elsewhere: undefined for paths that are not its own. */
export interface DocumentSource {
  get(
    path: string,
    asked: { readonly accept: string | undefined; readonly query: URLSearchParams },
  ): Document | undefined | Promise<Document | undefined>;
}

/** A document as it is sent. */
export interface Document {
  /** 200 unless it is said. */
  readonly status?: number;
  readonly bytes: Uint8Array;
  /** Whether the bytes are compressed: they are sent as they are to those who accept that. */
  readonly gzipped?: boolean;
  readonly contentType: string;
  /** With quotes, as the header has it; or empty. */
  readonly etag: string;
  /** Whether upstream's router stands before it, which lets through GET and this type alone. */
  readonly routed?: boolean;
  readonly headers?: ResponseHeaders;
}

interface DocumentRequest {
  readonly exchange: Exchange;
  readonly encoded: EncodedPages;
  readonly headers: ResponseHeaders;
  readonly offer: Pick<Offer, "cbor">;
}

interface Documents {
  readonly discovery: () => Discovery;
  readonly documents: readonly DocumentSource[];
  readonly version: object;
  readonly health: HealthChecks;
}

/** Answers a request for a document; false when no document is at the path. */
export async function serveDocument(request: DocumentRequest, all: Documents): Promise<boolean> {
  const { exchange } = request;
  const { path } = exchange;
  if (path === "/version" || path === "/version/") {
    routeDocument(exchange, [plainJson.mediaType]);
    await sendRaw(request, all.version);
    return true;
  }
  if (path === "/" || path === "/index.html") {
    await sendRaw(request, { paths: indexOf(all) });
    return true;
  }
  const page = isDiscovery.test(path) ? all.discovery().page(path) : undefined;
  if (page) {
    await sendDiscovery(request, page);
    return true;
  }
  const asked = { accept: exchange.headers.accept, query: exchange.query };
  for (const source of all.documents) {
    const document = await source.get(path, asked);
    if (!document) continue;
    await sendDocument(request, document);
    return true;
  }
  return false;
}

const isDiscovery = /^\/apis?(?:\/|$)/;

/** All paths that are no resources, as people find them at the root. */
function indexOf({ discovery, health }: Documents): readonly string[] {
  const checks = Object.entries(health).flatMap(([group, members]) => [
    `/${group}`,
    ...members.map(({ name }) => `/${group}/${name}`),
  ]);
  return [...discovery().paths(), ...otherPaths, ...checks].sort();
}

const otherPaths = [
  "/.well-known/openid-configuration",
  "/flagz",
  "/metrics",
  "/metrics/slis",
  "/openapi/v2",
  "/openapi/v3",
  "/openapi/v3/",
  "/openid/v1/jwks",
  "/statusz",
  "/version",
  "/version/",
];

/** Refuses what upstream's router does not let through to a document: other methods than GET, other encodings. */
function routeDocument(exchange: Exchange, produced: readonly string[]): void {
  if (exchange.method !== "GET") throw ApiError.noSuchMethod();
  admit(exchange.headers.accept, produced);
}

/** Answers a page of discovery in the form and the encoding that the client asks for. */
async function sendDiscovery(request: DocumentRequest, page: DiscoveryPage): Promise<void> {
  const { exchange, headers, offer } = request;
  const types = mediaTypesOf(offer);
  if (page.routed) routeDocument(exchange, types);
  const whole = page.aggregated && negotiateAggregated(exchange, offer);
  if (page.aggregated === undefined || whole === undefined) {
    const negotiated = negotiatePlain(exchange, offer);
    if (negotiated === undefined) throw onlyAccepted(types);
    return sendPage(request, { document: page.document, negotiated, contentType: negotiated.mediaType });
  }
  const { document, etag } = page.aggregated;
  const all = { ...headers, etag, vary: "Accept", "cache-control": "public" };
  if (exchange.headers["if-none-match"] === etag) return exchange.respond(304, all);
  const contentType = `${whole.mediaType};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`;
  return sendPage({ ...request, headers: all }, { document, negotiated: whole, contentType });
}

async function sendPage(
  { exchange, headers, encoded }: DocumentRequest,
  page: { document: object; negotiated: Negotiated; contentType: string },
): Promise<void> {
  const { document, negotiated, contentType } = page;
  const body = await encoded.get(document, negotiated);
  return send(exchange, { status: 200, contentType, headers, body });
}

/** Pages of discovery in the encodings that were asked for; a page is made anew when it changes, and its bytes go with it. */
export class EncodedPages {
  private readonly pages = new WeakMap<object, Map<string, Promise<Uint8Array>>>();

  get(document: object, negotiated: Negotiated): Promise<Uint8Array> {
    let forms = this.pages.get(document);
    if (!forms) this.pages.set(document, (forms = new Map()));
    const form = `${negotiated.mediaType} ${negotiated.pretty}`;
    const known = forms.get(form);
    if (known) return known;
    const made = encodeAny(document, negotiated, typeOfObject({ apiVersion: "v1", ...document }));
    forms.set(form, made);
    // Whoever asks next tries anew.
    made.catch(() => forms.delete(form));
    return made;
  }
}

const decompress = promisify(gunzip);

/** Answers a document whose bytes are made. */
async function sendDocument(
  { exchange, headers }: Pick<DocumentRequest, "exchange" | "headers">,
  document: Document,
): Promise<void> {
  const { status = 200, bytes, etag, contentType } = document;
  if (document.routed) routeDocument(exchange, [contentType]);
  const all = { ...headers, ...document.headers, ...(etag === "" ? {} : { etag }) };
  if (status !== 200) return exchange.respond(status, all, bytes);
  if (etag !== "" && matches(exchange.headers["if-none-match"], etag)) return exchange.respond(304, all);
  if (document.gzipped !== true) return send(exchange, { status, contentType, headers: all, body: bytes });
  const typed = { ...all, "content-type": contentType };
  if (acceptsGzip(exchange)) return exchange.respond(status, gzipped(typed), bytes);
  return exchange.respond(status, typed, await decompress(bytes));
}

/** Whether one of the tags that a client has is the document's. */
const matches = (tags: string | undefined, etag: string): boolean =>
  tags?.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag) ?? false;

/** Answers what is no object of the API: always JSON, for people to read. */
function sendRaw(
  { exchange, headers }: Pick<DocumentRequest, "exchange" | "headers">,
  document: object,
): Promise<void> {
  return sendObject(exchange, document, { status: 200, negotiated: { ...plainJson, pretty: true }, headers });
}
