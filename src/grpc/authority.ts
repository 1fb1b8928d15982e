/**
 * Clients of Go put what they were told to connect to into `:authority`, such as `http://10.0.0.1:2379` or the path
 * of a socket; a slash is not allowed there, and Node.js refuses the call. So slashes become dots before it looks:
 * one for one, so that no length changes, in plain text as in HPACK's Huffman code (RFC 7541), where both have six bits.
 */

const frameHeaderLength = 9;
const prefaceLength = 24;
const headersType = 1;
const flag = { endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;
const priorityLength = 5;
/** Larger blocks of headers pass as they are. */
const largestBlock = 16_384;
/** Place of `:authority` in HPACK's static table. */
const authorityIndex = 1;
const slash = "/".charCodeAt(0);
const dot = ".".charCodeAt(0);
const slashCode = 0x18;
const dotCode = 0x17;

/** Mends the bytes that a client of HTTP/2 sends, from its preface on. */
export class AuthorityMender {
  private held: Buffer = Buffer.alloc(0);
  /** Bytes that are none of a header's. */
  private passing = prefaceLength;

  /** The bytes that can go on; what belongs to a frame of headers that is not whole waits. */
  mend(chunk: Buffer): Buffer {
    if (this.held.length === 0 && this.passing >= chunk.length) {
      this.passing -= chunk.length;
      return chunk;
    }
    const bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    let at = 0;
    for (;;) {
      const step = Math.min(this.passing, bytes.length - at);
      at += step;
      this.passing -= step;
      if (this.passing > 0 || bytes.length - at < frameHeaderLength) break;
      const length = frameHeaderLength + bytes.readUIntBE(at, 3);
      const isBlock = bytes[at + 3] === headersType && length <= largestBlock;
      if (isBlock && bytes.length - at < length) break;
      if (isBlock) mendFrame(bytes.subarray(at, at + length));
      this.passing = length;
    }
    this.held = bytes.subarray(at);
    return bytes.subarray(0, at);
  }
}

function mendFrame(frame: Buffer): void {
  const flags = frame[4]!;
  if ((flags & flag.endHeaders) === 0) return;
  let start = frameHeaderLength;
  let end = frame.length;
  if (flags & flag.padded) end -= frame[start++]!;
  if (flags & flag.priority) start += priorityLength;
  mendBlock(frame, { start, end });
}

/** Walks over a block of headers; no table is needed to find a literal value. */
function mendBlock(bytes: Buffer, { start, end }: { readonly start: number; readonly end: number }): void {
  let at = start;
  /** An integer of HPACK, whose first byte has so many bits of it. */
  const integer = (prefix: number): number => {
    const most = (1 << prefix) - 1;
    let value = bytes[at++]! & most;
    if (value < most) return value;
    for (let shift = 0; at < end; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    return value;
  };
  const text = (): { readonly isCoded: boolean; readonly start: number; readonly end: number } => {
    const isCoded = bytes[at]! >= 128;
    const length = integer(7);
    const from = at;
    at = Math.min(at + length, end);
    return { isCoded, start: from, end: at };
  };
  for (;;) {
    if (at >= end) return;
    const first = bytes[at]!;
    if (first >= 0x80) integer(7);
    else if (first >= 0x20 && first < 0x40) integer(5);
    else {
      const index = integer(first >= 0x40 ? 6 : 4);
      if (index === 0) text();
      const value = text();
      if (index !== authorityIndex) continue;
      if (value.isCoded) mendCoded(bytes.subarray(value.start, value.end));
      else
        for (let place = value.start; place < value.end; place++)
          if (bytes[place] === slash) bytes[place] = dot;
    }
  }
}

/** Lengths of HPACK's codes, and the greatest code of each: it is a canonical Huffman code. */
const greatestCodes: readonly (readonly [bits: number, greatest: number])[] = [
  [5, 0x9],
  [6, 0x2d],
  [7, 0x7b],
  [8, 0xfd],
  [10, 0x3fc],
  [11, 0x7fc],
  [12, 0xffb],
  [13, 0x1ffd],
  [14, 0x3ffd],
];

function mendCoded(value: Buffer): void {
  const end = value.length * 8;
  const codeAt = (position: number, bits: number) => {
    let code = 0;
    for (let bit = position; bit < position + bits; bit++) {
      code = (code << 1) | ((value[bit >> 3]! >> (7 - (bit & 7))) & 1);
    }
    return code;
  };
  for (let position = 0; ;) {
    const length = greatestCodes.find(
      ([bits, greatest]) => position + bits <= end && codeAt(position, bits) <= greatest,
    )?.[0];
    // What follows is padding, or nothing that a name or an address has.
    if (length === undefined) return;
    if (length === 6 && codeAt(position, length) === slashCode) flip(value, { position, length });
    position += length;
  }
}

function flip(
  value: Buffer,
  { position, length }: { readonly position: number; readonly length: number },
): void {
  const difference = slashCode ^ dotCode;
  for (let bit = 0; bit < length; bit++) {
    const place = position + bit;
    if ((difference >> (length - 1 - bit)) & 1) value[place >> 3]! ^= 1 << (7 - (place & 7));
  }
}
