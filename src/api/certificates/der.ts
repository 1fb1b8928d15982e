/** One element of DER: its tag, and what is inside. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Bytes that are no DER. */
export class DerError extends Error {
  override readonly name = "DerError";
}

const longLength = 0x80;
/** Bytes of a length; more than this no certificate needs. */
const longestLength = 3;

/** The elements one after the other. */
export function readElements(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  let position = 0;
  const next = (): number => {
    const byte = bytes[position++];
    if (byte === undefined) throw new DerError("asn1: syntax error: data truncated");
    return byte;
  };
  while (position < bytes.length) {
    const tag = next();
    let length = next();
    if (length >= longLength) {
      const count = length - longLength;
      if (count === 0 || count > longestLength) throw new DerError("asn1: structure error: length too large");
      length = 0;
      for (let index = 0; index < count; index++) length = length * 256 + next();
    }
    if (position + length > bytes.length) throw new DerError("asn1: syntax error: data truncated");
    elements.push({ tag, content: bytes.subarray(position, position + length) });
    position += length;
  }
  return elements;
}

/** The only element that the bytes are. */
export function readElement(bytes: Uint8Array): DerElement {
  const [first, ...others] = readElements(bytes);
  if (!first) throw new DerError("asn1: syntax error: sequence truncated");
  if (others.length > 0) throw new DerError("asn1: syntax error: trailing data");
  return first;
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
