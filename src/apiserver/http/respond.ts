import { Readable } from "node:stream";
import { createGzip, gzip } from "node:zlib";
import { ApiError } from "../../apimachinery/index.ts";
import { drained } from "./drained.ts";
import { encodeAny } from "./encode.ts";
import type { Exchange, ResponseHeaders } from "./exchange.ts";
import { negotiatePlain, plainJson } from "./negotiate.ts";
import type { Negotiated, Offer } from "./negotiate.ts";

/** Bodies larger than this are compressed for those who accept it. */
const compressFrom = 128 * 1024;
const gzipOptions = { level: 1 };
/** What tells clients that an answer is compressed. */
export const gzipHeaders = { "content-encoding": "gzip", vary: "Accept-Encoding" };

/** Whether the client takes compressed answers. */
export const acceptsGzip = ({ headers }: Exchange): boolean =>
  headers["accept-encoding"]?.includes("gzip") ?? false;

/** Writes a body, compressed when it is large and the client likes it. */
export async function send(
  exchange: Exchange,
  answer: {
    readonly status: number;
    readonly contentType: string;
    readonly headers: ResponseHeaders;
    readonly body: Uint8Array;
  },
): Promise<void> {
  const { status, body } = answer;
  const headers: ResponseHeaders = { ...answer.headers, "content-type": answer.contentType };
  if (body.length <= compressFrom || !acceptsGzip(exchange)) {
    exchange.respond(status, headers, body);
    return;
  }
  const compressed = await new Promise<Uint8Array>((resolve, reject) => {
    gzip(body, gzipOptions, (error, result) => (error ? reject(error) : resolve(result)));
  });
  const vary =
    headers["vary"] === undefined ? gzipHeaders.vary : `${String(headers["vary"])}, ${gzipHeaders.vary}`;
  exchange.respond(status, { ...headers, ...gzipHeaders, vary }, compressed);
}

/**
 * Writes a body that comes in pieces: one piece as a whole, more one after the other as the client takes them, so that
 * other requests have their turn in between.
 */
export async function sendPieces(
  exchange: Exchange,
  answer: {
    readonly status: number;
    readonly contentType: string;
    readonly headers: ResponseHeaders;
    readonly pieces: Iterator<Uint8Array>;
  },
): Promise<void> {
  const { pieces, status, contentType } = answer;
  const first = pieces.next();
  let next = pieces.next();
  if (first.done || next.done) return send(exchange, { ...answer, body: first.value ?? new Uint8Array() });
  const headers = { ...answer.headers, "content-type": contentType };
  if (exchange.method === "HEAD") return exchange.respond(status, headers);
  const { signal } = exchange;
  function* all() {
    yield first.value as Uint8Array;
    for (; !next.done; next = pieces.next()) yield next.value;
  }
  const zips = acceptsGzip(exchange);
  const source: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = zips
    ? Readable.from(all(), { objectMode: true }).pipe(createGzip(gzipOptions))
    : all();
  const body = exchange.stream(status, zips ? { ...headers, ...gzipHeaders } : headers);
  for await (const piece of source) {
    if (signal.aborted) return;
    if (!body.write(piece)) await drained(body, signal);
  }
  body.end();
}

export async function sendObject(
  exchange: Exchange,
  object: object,
  answer: { readonly status: number; readonly negotiated: Negotiated; readonly headers: ResponseHeaders },
): Promise<void> {
  const body = await encodeAny(object, answer.negotiated);
  const contentType = answer.negotiated.mediaType;
  await send(exchange, { status: answer.status, contentType, headers: answer.headers, body });
}

export function sendText(
  exchange: Exchange,
  answer: { readonly status: number; readonly text: string; readonly headers: ResponseHeaders },
): void {
  const headers = {
    ...answer.headers,
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  };
  exchange.respond(answer.status, headers, Buffer.from(answer.text));
}

/** Answers an error as a Status, in the encoding that the client accepts or else JSON with line breaks. */
export async function sendError(
  exchange: Exchange,
  error: ApiError,
  answer: { readonly headers: ResponseHeaders; readonly offer: Pick<Offer, "cbor"> },
): Promise<void> {
  if (exchange.answered) return;
  const { headers, offer } = answer;
  const negotiated = negotiatePlain(exchange, offer) ?? { ...plainJson, pretty: true };
  const retryAfter = error.status.details?.retryAfterSeconds;
  const all = retryAfter ? { ...headers, "retry-after": String(retryAfter) } : headers;
  await sendObject(exchange, error.status, { status: error.code, negotiated, headers: all });
}
