/** A hash of 128 bits in upper-case hexadecimal: tells documents apart, protects nothing. */
export function contentHash(bytes: Uint8Array): string {
  const lanes = new Uint32Array([0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35]);
  const primes = [0x01000193, 0x27d4eb2f, 0x165667b1, 0x2c1b3c6d] as const;
  for (const byte of bytes) {
    for (let lane = 0; lane < 4; lane++)
      lanes[lane] = Math.imul((lanes[lane] ?? 0) ^ (byte + lane), primes[lane] ?? 1);
  }
  let previous = bytes.length;
  return [...lanes]
    .map((lane) => {
      previous = Math.imul(previous ^ lane ^ (lane >>> 15), 0x2c1b3c6d) >>> 0;
      return (previous ^ (previous >>> 13)) >>> 0;
    })
    .map((lane) => lane.toString(16).padStart(8, "0").toUpperCase())
    .join("");
}
