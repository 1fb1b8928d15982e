/** A hash of 128 bits in upper-case hexadecimal: tells documents apart, protects nothing. */
export function contentHash(bytes: Uint8Array): string {
  let [a, b, c, d] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35];
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x27d4eb2f);
    c = Math.imul(c ^ byte, 0x165667b1);
    d = Math.imul(d ^ byte, 0x2c1b3c6d);
  }
  let previous = bytes.length;
  return [a, b, c, d]
    .map((lane) => {
      previous = Math.imul(previous ^ lane ^ (lane >>> 15), 0x2c1b3c6d);
      return (previous ^ (previous >>> 13)) >>> 0;
    })
    .map((lane) => lane.toString(16).padStart(8, "0").toUpperCase())
    .join("");
}
