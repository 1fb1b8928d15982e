import { randomBytes, timingSafeEqual } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Words of a key schedule: 18 subkeys, and four boxes of 256. */
const subkeys = 18;
const boxes = 4 * 256;
const saltBytes = 16;
const hashBytes = 23;
const blockWords = 6;
const encryptions = 64;
/** Rounds between two turns of the event loop: a password takes a tenth of a second. */
const roundsATurn = 32;
const longestPassword = 72;
const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const form = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;

/** Hashes a password as etcd does: bcrypt, 2^cost rounds. */
export async function hashPassword(password: string, cost: number): Promise<string> {
  return hashWith(password, { cost, salt: randomBytes(saltBytes) });
}

/** Whether the hash is of the password; nothing matches what is no hash. */
export async function matchesPassword(password: string, hash: string): Promise<boolean> {
  const [, cost, salt] = form.exec(hash) ?? [];
  if (cost === undefined || salt === undefined) return false;
  const other = await hashWith(password, { cost: Number(cost), salt: decoded(salt, saltBytes) });
  return timingSafeEqual(Buffer.from(other.slice(-31)), Buffer.from(hash.slice(-31)));
}

async function hashWith(
  password: string,
  { cost, salt }: { readonly cost: number; readonly salt: Uint8Array },
): Promise<string> {
  const key = cyclicWords(Buffer.from(`${password}\0`).subarray(0, longestPassword), subkeys);
  const saltWords = cyclicWords(salt, subkeys);
  const state = new Blowfish();
  state.expand(key, saltWords);
  const none = new Int32Array(subkeys);
  for (let round = 0; round < 2 ** cost; round++) {
    if (round % roundsATurn === 0) await nextTurn();
    state.expand(key, none);
    state.expand(saltWords, none);
  }
  const words = cyclicWords(Buffer.from("OrpheanBeholderScryDoubt"), blockWords);
  for (let time = 0; time < encryptions; time++) {
    for (let at = 0; at < blockWords; at += 2) state.encipher(words, at);
  }
  const bytes = Buffer.alloc(blockWords * 4);
  words.forEach((word, index) => bytes.writeInt32BE(word, index * 4));
  const rounds = String(cost).padStart(2, "0");
  return `$2a$${rounds}$${encoded(salt)}${encoded(bytes.subarray(0, hashBytes))}`;
}

/** Big-endian words of bytes that are repeated as needed. */
function cyclicWords(bytes: Uint8Array, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, word) => {
    let value = 0;
    for (let at = 0; at < 4; at++) value = (value << 8) | bytes[(word * 4 + at) % bytes.length]!;
    return value;
  });
}

class Blowfish {
  private readonly keys: Int32Array;
  private readonly table: Int32Array;

  constructor() {
    const digits = digitsOfPi();
    this.keys = digits.slice(0, subkeys);
    this.table = digits.slice(subkeys);
  }

  /** Mixes in a key, and a salt of which each block takes the next two words. */
  expand(key: Int32Array, salt: Int32Array): void {
    for (let at = 0; at < subkeys; at++) this.keys[at]! ^= key[at]!;
    const block = new Int32Array(2);
    let offset = 0;
    for (const words of [this.keys, this.table]) {
      for (let at = 0; at < words.length; at += 2) {
        block[0]! ^= salt[offset]!;
        block[1]! ^= salt[offset + 1]!;
        offset = (offset + 2) % 4;
        this.encipher(block, 0);
        words[at] = block[0]!;
        words[at + 1] = block[1]!;
      }
    }
  }

  encipher(block: Int32Array, at: number): void {
    const { keys, table } = this;
    let left = block[at]!;
    let right = block[at + 1]!;
    for (let round = 0; round < 16; round++) {
      left ^= keys[round]!;
      const mixed =
        (((table[left >>> 24]! + table[256 + ((left >>> 16) & 255)]!) ^ table[512 + ((left >>> 8) & 255)]!) +
          table[768 + (left & 255)]!) |
        0;
      const next = right ^ mixed;
      right = left;
      left = next;
    }
    block[at] = right ^ keys[17]!;
    block[at + 1] = left ^ keys[16]!;
  }
}

let piWords: Int32Array | undefined;

/** The fraction of pi in words, with which Blowfish starts; by Machin's formula. */
function digitsOfPi(): Int32Array {
  if (piWords) return piWords;
  const count = subkeys + boxes;
  const guard = 64n;
  const bits = BigInt(count * 32) + guard;
  const pi = 16n * arctangentOfInverse(5n, bits) - 4n * arctangentOfInverse(239n, bits);
  const hex = BigInt.asUintN(count * 32, pi >> guard)
    .toString(16)
    .padStart(count * 8, "0");
  piWords = Int32Array.from({ length: count }, (_, index) =>
    Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16),
  );
  return piWords;
}

function arctangentOfInverse(inverse: bigint, bits: bigint): bigint {
  let power = (1n << bits) / inverse;
  let sum = power;
  for (let divisor = 3n, sign = -1n; power > 0n; divisor += 2n, sign = -sign) {
    power /= inverse * inverse;
    sum += (sign * power) / divisor;
  }
  return sum;
}

/** Six bits a character, in bcrypt's own alphabet. */
function encoded(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      text += alphabet[(held >> bits) & 63];
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + alphabet[(held << (6 - bits)) & 63] : text;
}

function decoded(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    held = (held << 6) | alphabet.indexOf(letter);
    bits += 6;
    if (bits < 8 || at === length) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return bytes;
}
