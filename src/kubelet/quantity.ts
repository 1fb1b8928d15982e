const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity of the API stands for; precise enough for what a node sets or shows. */
export function quantityValue(text: string | number): number {
  const match = /^([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([a-zA-Z]*))$/.exec(String(text));
  if (!match) return 0;
  const [, digits, exponent, suffix] = match;
  if (exponent !== undefined) return Number(`${digits}${exponent}`);
  return Number(digits) * (factors[suffix ?? ""] ?? 1);
}

/** A quantity of processors in thousandths, rounded up. */
export const milliValue = (text: string | number) => Math.ceil(round(quantityValue(text) * 1000));

/** A whole quantity, rounded up. */
export const wholeValue = (text: string | number) => Math.ceil(round(quantityValue(text)));

/** Takes off the noise of floating point. */
const round = (value: number) => Number(value.toPrecision(15));
