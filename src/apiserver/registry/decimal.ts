const zero = 0x30;

/** How many decimal digits a whole number has. */
export function digitsOf(value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  return digits;
}

/** Writes a whole number in decimal digits; returns where they end. */
export function writeNumber(bytes: Uint8Array, start: number, value: number): number {
  const end = start + digitsOf(value);
  let rest = value;
  for (let at = end - 1; at >= start; at--) {
    const tenth = Math.floor(rest / 10);
    bytes[at] = zero + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}
