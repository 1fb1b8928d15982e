/** The only source of chance. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A version 4 UUID. */
  uuid(): string;
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

function uuidFrom(next: () => number): string {
  const bits = (count: number) => Math.floor(next() * 2 ** count);
  return [
    hex(bits(32), 8),
    hex(bits(16), 4),
    hex(0x4000 | bits(12), 4),
    hex(0x8000 | bits(14), 4),
    hex(bits(48), 12),
  ].join("-");
}

/** Unpredictable numbers, from the platform's generator. */
export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => globalThis.crypto.randomUUID(),
};

/** The same numbers for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, uuid: () => uuidFrom(next) };
}

/** Names' suffix alphabet: no vowels and no look-alikes, so that no words arise. */
const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A random lower-case suffix as Kubernetes appends to generated names. */
export function randomSuffix(random: Random, length = 5): string {
  let suffix = "";
  for (let index = 0; index < length; index++) {
    suffix += suffixAlphabet[Math.floor(random.next() * suffixAlphabet.length)];
  }
  return suffix;
}
