import { isProtobuf } from "../../apimachinery/codec/index.ts";
import type { Random } from "../../base/index.ts";

/** A field of the envelope that nobody else has: readers skip what they do not know. */
const fieldNumber = 27_509;
const markLength = 8;
const fieldHead = varints(fieldNumber * 8 + 2, markLength);
const [space, tab] = [0x20, 0x09];

/**
 * Makes every value that is written differ from all others, so that a store can tell from what a key holds whose write
 * it was when no answer came: two servers may well write the same object at the same time. Envelopes get a field of
 * their own, JSON gets white space behind it.
 */
export function createValueMarker(random: Random): (value: Uint8Array) => Uint8Array {
  const session = Math.floor(random.next() * 2 ** 32);
  let count = 0;
  return (value) => {
    const mark = new DataView(new ArrayBuffer(markLength));
    mark.setUint32(0, session);
    mark.setUint32(4, count++ >>> 0);
    const bytes = new Uint8Array(mark.buffer);
    return joined(value, isProtobuf(value) ? joined(fieldHead, bytes) : blankText(bytes));
  };
}

/** JSON without the white space behind it. */
export function withoutMark(json: Uint8Array): Uint8Array {
  let { length } = json;
  while (length > 0 && (json[length - 1] === space || json[length - 1] === tab)) length--;
  return length === json.length ? json : json.subarray(0, length);
}

/** Bits as white space. */
function blankText(bytes: Uint8Array): Uint8Array {
  const text = new Uint8Array(bytes.length * 8);
  for (let bit = 0; bit < text.length; bit++) text[bit] = (bytes[bit >> 3]! >> (bit & 7)) & 1 ? tab : space;
  return text;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function varints(...numbers: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (let number of numbers) {
    for (; number > 127; number >>>= 7) bytes.push((number & 127) | 128);
    bytes.push(number);
  }
  return Uint8Array.from(bytes);
}
