/** One element of DER: its tag, and what is inside. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** All of it, with its tag and length. */
  readonly bytes: Uint8Array;
}

/** Bytes that are no DER. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export const sequenceTag = 0x30;

const longLength = 0x80;
/** Bytes of a length; more than this no certificate needs. */
const longestLength = 3;

/** The elements one after the other. */
export function readElements(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  let position = 0;
  while (position < bytes.length) {
    const start = position;
    const { tag, length, content } = readHeader(bytes, position);
    position = content + length;
    if (position > bytes.length) throw new DerError("asn1: syntax error: data truncated");
    const [inside, whole] = [bytes.subarray(content, position), bytes.subarray(start, position)];
    elements.push({ tag, content: inside, bytes: whole });
  }
  return elements;
}

function readHeader(bytes: Uint8Array, at: number): { tag: number; length: number; content: number } {
  let position = at;
  const next = (): number => {
    const byte = bytes[position++];
    if (byte === undefined) throw new DerError("asn1: syntax error: truncated tag or length");
    return byte;
  };
  const tag = next();
  let length = next();
  if (length >= longLength) {
    const count = length - longLength;
    if (count === 0 || count > longestLength) throw new DerError("asn1: structure error: length too large");
    length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + next();
  }
  return { tag, length, content: position };
}

/** The only element that the bytes are. */
export function readElement(bytes: Uint8Array): DerElement {
  const [first, ...others] = readElements(bytes);
  if (!first) throw new DerError("asn1: syntax error: sequence truncated");
  if (others.length > 0) throw new DerError("asn1: syntax error: trailing data");
  return first;
}

/** What is in a sequence of a struct that upstream calls by `name`; errors are in its words. */
export function readSequence(bytes: Uint8Array, name: string): readonly DerElement[] {
  if (bytes.length === 0) throw new DerError("asn1: syntax error: sequence truncated");
  const { tag, length, content } = readHeader(bytes, 0);
  if (tag !== sequenceTag) {
    const [kind, number] = [tag >> 6, tag & 0x1f];
    const found = `{class:${kind} tag:${number} length:${length} isCompound:${(tag & 0x20) !== 0}}`;
    const wanted =
      "{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false}";
    throw new DerError(
      `asn1: structure error: tags don't match (16 vs ${found}) ${wanted} ${name} @${content}`,
    );
  }
  if (content + length > bytes.length) throw new DerError("asn1: syntax error: data truncated");
  return readElements(bytes.subarray(content, content + length));
}

/** `2.5.4.3` */
export function objectIdentifier(content: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= longLength) continue;
    numbers.push(value);
    value = 0;
  }
  const [head = 0, ...rest] = numbers;
  const first = Math.min(Math.floor(head / 40), 2);
  return [first, head - first * 40, ...rest].join(".");
}

export const textOf = (content: Uint8Array): string => new TextDecoder().decode(content);

/** The bits of a bit string, as bytes. */
export const bitsOf = (content: Uint8Array): Uint8Array => content.subarray(1);
