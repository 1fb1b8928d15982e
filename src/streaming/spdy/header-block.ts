import { spdyDictionary, spdyZlibHeader } from "./dictionary.ts";
import { Inflater } from "./inflate.ts";

/** Headers of a stream; names are in lower case. */
export type SpdyHeaders = Readonly<Record<string, string>>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** More headers than this are refused. */
const mostHeaders = 256;
const largestStoredBlock = 0xffff;

/** A header block that breaks the protocol. */
export class HeaderBlockError extends Error {
  override readonly name = "HeaderBlockError";
}

/** Writes header blocks. They are stored, not compressed: streams of Kubernetes have two or three short headers. */
export class HeaderBlockWriter {
  private started = false;

  write(headers: SpdyHeaders): Uint8Array {
    const plain = encodeHeaders(headers);
    const parts: Uint8Array[] = [];
    if (!this.started) parts.push(spdyZlibHeader);
    this.started = true;
    for (let at = 0; at < plain.length; at += largestStoredBlock) {
      const piece = plain.subarray(at, at + largestStoredBlock);
      parts.push(storedBlockHead(piece.length), piece);
    }
    // An empty block is what flushes: readers hand out what came before.
    parts.push(storedBlockHead(0));
    return concat(parts);
  }
}

/** Reads header blocks; each connection needs its own, and every block must pass through it. */
export class HeaderBlockReader {
  private readonly inflater = new Inflater(spdyDictionary);

  read(block: Uint8Array): SpdyHeaders {
    return decodeHeaders(this.inflater.inflate(block));
  }
}

const storedBlockHead = (length: number) =>
  Uint8Array.of(0, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255);

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function encodeHeaders(headers: SpdyHeaders): Uint8Array {
  const parts = [uint32(Object.keys(headers).length)];
  for (const [name, value] of Object.entries(headers)) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = encoder.encode(text);
      parts.push(uint32(bytes.length), bytes);
    }
  }
  return concat(parts);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function decodeHeaders(bytes: Uint8Array): SpdyHeaders {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const number = () => {
    if (at + 4 > bytes.length) throw new HeaderBlockError("header block ends too early");
    at += 4;
    return view.getUint32(at - 4);
  };
  const text = () => {
    const length = number();
    if (at + length > bytes.length) throw new HeaderBlockError("header block ends too early");
    at += length;
    return decoder.decode(bytes.subarray(at - length, at));
  };
  const count = number();
  if (count > mostHeaders) throw new HeaderBlockError("too many headers");
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let index = 0; index < count; index++) {
    const name = text().toLowerCase();
    headers[name] = text();
  }
  return headers;
}
