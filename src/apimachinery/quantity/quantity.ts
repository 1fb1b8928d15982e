/** How a quantity is written: `12M`, `12Mi` or `12e6`. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** An exact amount in billionths, and the family of suffixes it was written with. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
  /** The text it was parsed from, where upstream keeps that instead of the canonical form. */
  readonly text?: string;
}

/** Text that is no quantity. */
export class QuantityError extends Error {
  override readonly name = "QuantityError";
}

const splitPattern = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";
const wrongFormat = `quantities must match the regular expression '${splitPattern}'`;
const wrongSuffix = "unable to parse quantity's suffix";

const quantityPattern =
  /^([+-]?)0*((?:[1-9][0-9]*)?)(?:(\.)([0-9]*))?((?:[eEinumkKMGTP]+[-+]?[0-9]*|[-+][0-9]*)?)$/;
const exponentPattern = /^[eE]([-+]?[0-9]+)$/;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, power]) => [power, suffix]));
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;

const nanosPerUnit = 1_000_000_000n;
const nanoDigits = 9;
const largestBinary = (2n ** 63n - 1n) * nanosPerUnit;
/** Digits that upstream's fast path takes; it keeps the text of canonical numbers up to here. */
const fastDigits = 18;
/** Longer quantities are refused, and exponents beyond this: no resource needs them and they would cost memory. */
const longestQuantity = 1024;
const largestExponent = 1024;

interface Suffix {
  readonly format: QuantityFormat;
  /** Power of ten, or of two for `BinarySI`. */
  readonly exponent: number;
}

function parseSuffix(suffix: string): Suffix {
  const decimal = decimalExponents[suffix];
  if (decimal !== undefined) return { format: "DecimalSI", exponent: decimal };
  const binary = binarySuffixes.indexOf(suffix as (typeof binarySuffixes)[number]);
  if (binary > 0) return { format: "BinarySI", exponent: 10 * binary };
  const exponent = Number(exponentPattern.exec(suffix)?.[1] ?? Number.NaN);
  if (!(Math.abs(exponent) <= largestExponent)) throw new QuantityError(wrongSuffix);
  return { format: "DecimalExponent", exponent };
}

const isDigits = (text: string): boolean => {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 48 || code > 57) return false;
  }
  return text !== "";
};

/** Reads `1`, `100m`, `1.5Gi`, `12e6`; JSON numbers too. Throws `QuantityError` in upstream's words. */
export function parseQuantity(source: string | number): Quantity {
  const text = String(source);
  if (text.length < 16 && isDigits(text) && text.charCodeAt(0) !== 48 && !text.endsWith("000")) {
    return { nanos: BigInt(text) * nanosPerUnit, format: "DecimalSI", text };
  }
  const match = text === "" || text.length > longestQuantity ? null : quantityPattern.exec(text);
  if (match === null) throw new QuantityError(wrongFormat);
  const [, sign = "", stripped = "", , fraction = "", suffixText = ""] = match;
  const whole = stripped === "" ? "0" : stripped;
  const suffix = parseSuffix(suffixText);
  const digits = BigInt(whole + fraction);
  const magnitude = capped(scaled(digits, fraction.length, suffix), suffix.format);
  const format = belowOne(magnitude, suffix.format) ? "DecimalSI" : suffix.format;
  const nanos = sign === "-" ? -magnitude : magnitude;
  return keepsText(whole, fraction, suffix, digits) ? { nanos, format, text } : { nanos, format };
}

/** In billionths, rounded up: who asks for too little still gets something. */
function scaled(digits: bigint, fractionDigits: number, suffix: Suffix): bigint {
  const binary = suffix.format === "BinarySI";
  const mantissa = binary ? digits << BigInt(suffix.exponent) : digits;
  const power = nanoDigits - fractionDigits + (binary ? 0 : suffix.exponent);
  if (power >= 0) return mantissa * 10n ** BigInt(power);
  return divideUp(mantissa, 10n ** BigInt(-power));
}

const divideUp = (value: bigint, divisor: bigint) => {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value > 0n ? quotient + 1n : quotient - 1n;
};

const capped = (nanos: bigint, format: QuantityFormat) =>
  format === "BinarySI" && nanos > largestBinary ? largestBinary : nanos;

const belowOne = (nanos: bigint, format: QuantityFormat) =>
  format === "BinarySI" && nanos > 0n && nanos < nanosPerUnit;

/** Upstream reuses the text of numbers that its quick test takes for canonical, e.g. `1.500` and `+5`. */
function keepsText(whole: string, fraction: string, suffix: Suffix, digits: bigint): boolean {
  if (suffix.format === "BinarySI") {
    const precision = 15 - whole.length - Math.trunc((suffix.exponent * 3) / 10) - 1;
    return fraction === "" && precision >= 0 && (digits & 7n) !== 0n;
  }
  const shifted = whole + fraction;
  const scale = suffix.exponent - fraction.length;
  if (shifted.length > fastDigits || scale < -nanoDigits || scale % 3 !== 0) return false;
  return !shifted.endsWith("000") && !shifted.startsWith("0");
}

/** The canonical text: no fraction, the largest suffix of its family that loses nothing. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  const { nanos, format } = quantity;
  if (nanos === 0n) return "0";
  if (format === "BinarySI" && isWhole(nanos) && magnitudeOf(nanos) >= 1024n * nanosPerUnit) {
    return formatBinary(nanos / nanosPerUnit);
  }
  return formatDecimal(nanos, format);
}

/** `parseQuantity` and `formatQuantity` in one: what a stored object holds. */
export function canonicalQuantity(source: string | number): string {
  return formatQuantity(parseQuantity(source));
}

const isWhole = (nanos: bigint) => nanos % nanosPerUnit === 0n;
const magnitudeOf = (value: bigint) => (value < 0n ? -value : value);

function formatBinary(units: bigint): string {
  let [mantissa, step] = [units, 0];
  while (step < binarySuffixes.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    step++;
  }
  return `${mantissa}${binarySuffixes[step]}`;
}

function formatDecimal(nanos: bigint, format: QuantityFormat): string {
  const asExponent = format === "DecimalExponent";
  const largest = asExponent ? Number.POSITIVE_INFINITY : 18;
  let [mantissa, power] = [nanos, -nanoDigits];
  while (power < largest && mantissa % 1000n === 0n) {
    mantissa /= 1000n;
    power += 3;
  }
  const suffix = asExponent ? (power === 0 ? "" : `e${power}`) : (decimalSuffixes.get(power) ?? "");
  return `${mantissa}${suffix}`;
}

/** Negative, zero or positive, as `one` is less than, equal to or more than `other`. */
export function compareQuantities(one: Quantity, other: Quantity): number {
  return one.nanos < other.nanos ? -1 : one.nanos > other.nanos ? 1 : 0;
}

/** The sum; zero takes the format of what is added to it. */
export function addQuantities(one: Quantity, other: Quantity): Quantity {
  return { nanos: one.nanos + other.nanos, format: one.nanos === 0n ? other.format : one.format };
}

/** The difference; zero takes the format of what is taken from it. */
export function subtractQuantities(one: Quantity, other: Quantity): Quantity {
  return { nanos: one.nanos - other.nanos, format: one.nanos === 0n ? other.format : one.format };
}

/** Whole units, rounded up (away from zero); exact to 2^53. */
export function value(quantity: Quantity): number {
  return Number(divideUp(quantity.nanos, nanosPerUnit));
}

/** Thousandths, rounded up (away from zero); exact to 2^53. */
export function milliValue(quantity: Quantity): number {
  return Number(divideUp(quantity.nanos, 1_000_000n));
}

const fastMultipliers: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/** Whole units of a quantity's text, without building the quantity where it is a plain integer with a suffix. */
export function valueOf(text: string): number {
  return plainInteger(text, 1) ?? value(parseQuantity(text));
}

/** Thousandths of a quantity's text; see `valueOf`. */
export function milliValueOf(text: string): number {
  if (text.endsWith("m")) {
    const amount = text.slice(0, -1);
    if (amount.length < 16 && isDigits(amount)) return Number(amount);
  }
  return plainInteger(text, 1000) ?? milliValue(parseQuantity(text));
}

function plainInteger(text: string, factor: number): number | undefined {
  let [amount, index] = [0, 0];
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 48 || code > 57) break;
    amount = amount * 10 + (code - 48);
  }
  const multiplier = index === 0 ? undefined : fastMultipliers[text.slice(index)];
  if (multiplier === undefined) return undefined;
  const result = amount * multiplier * factor;
  return result <= Number.MAX_SAFE_INTEGER ? result : undefined;
}
