/** A cost or a size between two bounds; both saturate at the greatest integer of 64 bits. */
export interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

/** Beyond this nothing is counted. */
export const mostCounted = 2n ** 64n - 1n;

const saturated = (value: bigint): bigint => (value > mostCounted ? mostCounted : value);

export const fixed = (value: number | bigint): Range => ({ min: BigInt(value), max: BigInt(value) });

/** What may be anything. */
export const unknown: Range = { min: 0n, max: mostCounted };

export const zero: Range = fixed(0);

export const plus = (...ranges: readonly Range[]): Range =>
  ranges.reduce(
    (one, other) => ({ min: saturated(one.min + other.min), max: saturated(one.max + other.max) }),
    zero,
  );

export const times = (one: Range, other: Range): Range => ({
  min: saturated(one.min * other.min),
  max: saturated(one.max * other.max),
});

/** Multiplies by a factor that need not be whole; rounded up. */
export const scaled = ({ min, max }: Range, factor: number): Range => ({
  min: scaledValue(min, factor),
  max: scaledValue(max, factor),
});

function scaledValue(value: bigint, factor: number): bigint {
  const product = Math.ceil(Number(value) * factor);
  return product >= 2 ** 64 ? mostCounted : BigInt(product);
}

/** The range that holds both. */
export const union = (one: Range, other: Range): Range => ({
  min: one.min < other.min ? one.min : other.min,
  max: one.max > other.max ? one.max : other.max,
});
