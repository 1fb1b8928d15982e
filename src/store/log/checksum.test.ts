import { describe, expect, it, vi } from "vitest";
import { crc32, crc32c } from "./checksum.ts";

const digits = new TextEncoder().encode("123456789");

/** The check values of the catalogue of parametrised CRC algorithms. */
it.each([
  [crc32, 0xcbf43926],
  [crc32c, 0xe3069283],
])("%o knows the check value, in parts too", (checksum, expected) => {
  expect(checksum(digits)).toBe(expected);
  const head = checksum(digits, { end: 4 });
  expect(checksum(digits, { start: 4, seed: head })).toBe(expected);
});

describe("without zlib's own", () => {
  it("is the same", async () => {
    vi.resetModules();
    vi.doMock("node:zlib", () => ({ crc32: undefined }));
    const portable = await import("./checksum.ts");
    vi.doUnmock("node:zlib");
    const bytes = Uint8Array.from({ length: 1_001 }, (_, index) => (index * 31) & 255);
    const range = { start: 3, end: 998, seed: 0xfedcba98 };
    expect(portable.crc32(bytes, range)).toBe(crc32(bytes, range));
  });
});
