import { createGzip, gzip } from "node:zlib";
import { invariant } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { drained } from "./drained.ts";
import { encodeAny } from "./encode.ts";
import type { Piece } from "./encode.ts";
import type { BodyStream, Exchange, ResponseHeaders } from "./exchange.ts";
import { negotiatePlain, plainJson } from "./negotiate.ts";
import type { Negotiated, Offer } from "./negotiate.ts";

/** Bodies larger than this are compressed for those who accept it. */
const compressFrom = 128 * 1024;
const gzipOptions = { level: 1 };
/** The headers of an answer that is compressed. */
export const gzipped = (headers: ResponseHeaders): ResponseHeaders => ({
  ...headers,
  "content-encoding": "gzip",
  vary: headers["vary"] === undefined ? "Accept-Encoding" : `${String(headers["vary"])}, Accept-Encoding`,
});

/** Whether the client takes compressed answers. */
export const acceptsGzip = ({ headers }: Exchange): boolean =>
  headers["accept-encoding"]?.split(",").some((coding) => coding.trim() === "gzip") ?? false;

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
  const headers: ResponseHeaders = { "content-type": answer.contentType, ...answer.headers };
  if (body.length <= compressFrom || !acceptsGzip(exchange)) {
    exchange.respond(status, headers, body);
    return;
  }
  const compressed = await new Promise<Uint8Array>((resolve, reject) => {
    gzip(body, gzipOptions, (error, result) => (error ? reject(error) : resolve(result)));
  });
  exchange.respond(status, gzipped(headers), compressed);
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
    readonly pieces: Iterator<Piece, void, void>;
  },
): Promise<void> {
  const { pieces, status, contentType } = answer;
  const first = pieces.next();
  invariant(!first.done, "a body without pieces");
  if (first.value.last) return send(exchange, { ...answer, body: first.value.bytes });
  const headers = { ...answer.headers, "content-type": contentType };
  if (exchange.method === "HEAD") return exchange.respond(status, headers);
  const { signal } = exchange;
  const zips = acceptsGzip(exchange);
  const body = exchange.stream(status, zips ? gzipped(headers) : headers);
  const target = zips ? zipped(body, signal) : body;
  for (let next: IteratorResult<Piece, void> = first; !next.done; next = pieces.next()) {
    // The piece must be out before the next one is made.
    if (!target.write(next.value.bytes)) await drained(target, signal);
    if (signal.aborted) return;
  }
  target.end();
}

/** A body that is compressed on its way into another. */
function zipped(body: BodyStream, signal: AbortSignal): Pick<BodyStream, "write" | "end" | "onDrain"> {
  const gzip = createGzip(gzipOptions);
  gzip.on("data", (chunk: Uint8Array) => {
    if (body.write(chunk)) return;
    gzip.pause();
    void drained(body, signal).then(() => gzip.resume());
  });
  gzip.on("end", () => body.end());
  signal.addEventListener("abort", () => gzip.destroy(), { once: true });
  return {
    write: (bytes) => gzip.write(bytes),
    end: () => void gzip.end(),
    onDrain: (action) => void gzip.once("drain", action),
  };
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
