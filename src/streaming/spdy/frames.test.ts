import { constants, createDeflate } from "node:zlib";
import type { Deflate } from "node:zlib";
import { createInflate } from "node:zlib";
import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import { spdyDictionary } from "./dictionary.ts";
import { SpdyDecoder, SpdyEncoder } from "./frames.ts";
import type { SpdyFrame } from "./frames.ts";
import { HeaderBlockWriter } from "./header-block.ts";
import { Inflater } from "./inflate.ts";

const bytes = (...values: number[]) => Uint8Array.of(...values);

const frames: readonly SpdyFrame[] = [
  { type: "synStream", stream: 1, headers: { streamtype: "error" }, last: false },
  { type: "synStream", stream: 3, headers: { streamtype: "data", port: "80", requestid: "0" }, last: true },
  { type: "synReply", stream: 1, headers: {}, last: false },
  { type: "data", stream: 1, data: bytes(1, 2, 3), last: false },
  { type: "data", stream: 1, data: bytes(), last: true },
  { type: "headers", stream: 3, headers: { "x-ü": "wert" }, last: false },
  { type: "reset", stream: 3, status: 5 },
  { type: "settings", values: new Map([[4, 100]]) },
  { type: "ping", id: 0x8000_0001 },
  { type: "windowUpdate", stream: 1, delta: 65536 },
  { type: "goAway", lastStream: 3, status: 0 },
];

function joined(all: readonly SpdyFrame[]): SpdyFrame[] {
  return all.map((frame) => ("headers" in frame ? { ...frame, headers: { ...frame.headers } } : frame));
}

test.each([1, 2, 7, 10_000])("frames survive the wire in pieces of %d bytes", (size) => {
  const encoder = new SpdyEncoder();
  const wire = Buffer.concat(frames.map((frame) => encoder.encode(frame)));
  const decoder = new SpdyDecoder();
  const seen: SpdyFrame[] = [];
  for (let at = 0; at < wire.length; at += size) seen.push(...decoder.push(wire.subarray(at, at + size)));
  const data = seen.filter((frame) => frame.type === "data");
  expect(Buffer.concat(data.map((frame) => frame.data))).toEqual(Buffer.from([1, 2, 3]));
  expect(data.map(({ last }) => last).indexOf(true)).toBe(data.length - 1);
  expect(joined(seen).filter(({ type }) => type !== "data")).toEqual(
    joined(frames).filter(({ type }) => type !== "data"),
  );
});

test("a SYN_STREAM begins as the draft says", () => {
  const wire = new SpdyEncoder().encode({ type: "synStream", stream: 5, headers: {}, last: true });
  expect([...wire.subarray(0, 5)]).toEqual([0x80, 3, 0, 1, 1]);
  expect([...wire.subarray(8, 18)]).toEqual([0, 0, 0, 5, 0, 0, 0, 0, 0, 0]);
});

test.each([
  { name: "another version", wire: bytes(0x80, 2, 0, 1, 0, 0, 0, 0), error: "not SPDY/3" },
  { name: "a huge control frame", wire: bytes(0x80, 3, 0, 1, 0, 255, 0, 0), error: "too large" },
  { name: "a short reset", wire: bytes(0x80, 3, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1), error: "too short" },
  {
    name: "headers that are not compressed",
    wire: bytes(0x80, 3, 0, 2, 0, 0, 0, 6, 0, 0, 0, 1, 1, 1),
    error: "not a zlib stream",
  },
])("$name is refused", ({ wire, error }) => {
  expect(() => new SpdyDecoder().push(wire)).toThrow(error);
});

const flushed = (deflate: Deflate, text: Buffer) =>
  new Promise<Buffer>((resolve) => {
    const parts: Buffer[] = [];
    const collect = (part: Buffer) => void parts.push(part);
    deflate.on("data", collect);
    deflate.write(text);
    deflate.flush(constants.Z_SYNC_FLUSH, () => {
      deflate.off("data", collect);
      resolve(Buffer.concat(parts));
    });
  });

test.each([0, 1, 6, 9])("reads what zlib writes at level %d", async (level) => {
  const random = seededRandom(level);
  const deflate = createDeflate({ level, dictionary: Buffer.from(spdyDictionary) });
  const inflater = new Inflater(spdyDictionary);
  for (let round = 0; round < 40; round++) {
    const length = Math.floor(random.next() ** 4 * 30_000);
    const alphabet = 1 + Math.floor(random.next() * 255);
    const text = Buffer.from(Array.from({ length }, () => Math.floor(random.next() * alphabet)));
    const plain =
      round % 3 === 0 ? Buffer.from("content-type: text/plain; charset=utf-8, accept-encoding") : text;
    const compressed = await flushed(deflate, plain);
    expect(Buffer.from(inflater.inflate(compressed)).equals(plain)).toBe(true);
  }
  deflate.close();
});

test("zlib reads what we write", async () => {
  const inflate = createInflate({ dictionary: Buffer.from(spdyDictionary) });
  const writer = new HeaderBlockWriter();
  inflate.write(writer.write({ streamType: "stdin" }));
  inflate.write(writer.write({ long: "x".repeat(70_000) }));
  const parts: Buffer[] = [];
  inflate.on("data", (part: Buffer) => void parts.push(part));
  await new Promise<void>((resolve) => inflate.flush(() => resolve()));
  const text = Buffer.concat(parts).toString("latin1");
  expect(text.startsWith("\0\0\0\x01\0\0\0\x0astreamtype\0\0\0\x05stdin\0\0\0\x01\0\0\0\x04long")).toBe(true);
  expect(text.endsWith("x".repeat(70_000))).toBe(true);
  inflate.close();
});
