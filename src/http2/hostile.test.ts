import { expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import { errorCode } from "./errors.ts";
import { flag, frameType } from "./frames.ts";
import {
  block,
  frame,
  getHead,
  greeting,
  headers,
  openWire,
  postHead,
  rawClient,
  settings,
  settle,
} from "./session-suite.ts";
import type { ServerStream } from "./server-stream.ts";

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const whole = flag.endHeaders | flag.endStream;
const get = (stream: number) => headers(stream, getHead, whole);
const post = (stream: number, extra: readonly (readonly [string, string])[] = []) =>
  headers(stream, [...postHead, ...extra]);
const setting = (name: number, value: number) => Buffer.concat([Buffer.of(0, name), word(value)]);

const answerAll = (stream: ServerStream) => stream.respond(200, {}, Buffer.from("answer"));

/** What breaks the rules of a connection, with which it ends (RFC 9113). */
const ends: Record<string, readonly [code: number, ...frames: Buffer[]]> = {
  "no settings first": [errorCode.protocolError, frame(frameType.ping, 0, Buffer.alloc(8))],
  "settings of a stream": [errorCode.protocolError, frame(frameType.settings, 1)],
  "settings that are cut off": [errorCode.frameSizeError, settings(Buffer.alloc(5))],
  "an answer to settings with settings": [
    errorCode.frameSizeError,
    settings(),
    frame(frameType.settings, 0, Buffer.alloc(6), flag.ack),
  ],
  "a window that is too large": [errorCode.flowControlError, settings(setting(4, 2 ** 31))],
  "a frame size that is too small": [errorCode.protocolError, settings(setting(5, 100))],
  "push that is neither on nor off": [errorCode.protocolError, settings(setting(2, 2))],
  "a frame that is too large": [
    errorCode.frameSizeError,
    settings(),
    Buffer.from("00ffff000000000001", "hex"),
  ],
  "a request of an even stream": [errorCode.protocolError, settings(), get(2)],
  "a request of no stream": [errorCode.protocolError, settings(), get(0)],
  "data of no stream": [errorCode.protocolError, settings(), frame(frameType.data, 1, Buffer.alloc(1))],
  "a reset of no stream": [errorCode.protocolError, settings(), frame(frameType.resetStream, 1, word(8))],
  "a reset that is cut off": [
    errorCode.frameSizeError,
    settings(),
    get(1),
    frame(frameType.resetStream, 1, Buffer.alloc(3)),
  ],
  "a promise": [errorCode.protocolError, settings(), frame(frameType.pushPromise, 1, Buffer.alloc(4))],
  "a ping that is cut off": [errorCode.frameSizeError, settings(), frame(frameType.ping, 0, Buffer.alloc(7))],
  "a window of no stream": [errorCode.protocolError, settings(), frame(frameType.windowUpdate, 5, word(1))],
  "a window of all that does not change": [
    errorCode.protocolError,
    settings(),
    frame(frameType.windowUpdate, 0, word(0)),
  ],
  "a window of all that overflows": [
    errorCode.flowControlError,
    settings(),
    frame(frameType.windowUpdate, 0, word(2 ** 31 - 1)),
  ],
  "headers that are no code": [
    errorCode.compressionError,
    settings(),
    frame(frameType.headers, 1, Buffer.of(0x80), whole),
  ],
  "more padding than payload": [
    errorCode.protocolError,
    settings(),
    frame(frameType.headers, 1, Buffer.of(9, 0), whole | flag.padded),
  ],
  "headers within headers": [errorCode.protocolError, settings(), headers(1, getHead, 0), get(3)],
  "a continuation of nothing": [errorCode.protocolError, settings(), frame(frameType.continuation, 1)],
  "headers without end": [
    errorCode.enhanceYourCalm,
    settings(),
    headers(1, getHead, 0),
    ...Array.from({ length: 2_000 }, () => frame(frameType.continuation, 1)),
  ],
  "headers larger than may be": [
    errorCode.enhanceYourCalm,
    settings(),
    headers(1, getHead, 0),
    ...Array.from({ length: 2 }, () => frame(frameType.continuation, 1, Buffer.alloc(16_000, 0x82))),
  ],
  "pings without end": [
    errorCode.enhanceYourCalm,
    settings(),
    ...Array.from({ length: 3_000 }, () => frame(frameType.ping, 0, Buffer.alloc(8))),
  ],
  "settings without end": [errorCode.enhanceYourCalm, ...Array.from({ length: 3_000 }, () => settings())],
  "priorities without end": [
    errorCode.enhanceYourCalm,
    settings(),
    ...Array.from({ length: 3_000 }, () => frame(frameType.priority, 1, Buffer.alloc(5))),
  ],
  "empty data without end": [
    errorCode.enhanceYourCalm,
    settings(),
    post(1),
    ...Array.from({ length: 3_000 }, () => frame(frameType.data, 1)),
  ],
  "requests that are reset at once": [
    errorCode.enhanceYourCalm,
    settings(),
    ...Array.from({ length: 3_000 }, (_, index) =>
      Buffer.concat([post(2 * index + 1), frame(frameType.resetStream, 2 * index + 1, word(8))]),
    ),
  ],
};

test.each(Object.entries(ends))("%s ends the connection", async (_, [code, ...frames]) => {
  const wire = openWire();
  const client = rawClient(wire);
  client.send(greeting, ...frames);
  await settle();
  const farewell = client.frames().find(({ type }) => type === frameType.goAway);
  expect(farewell?.payload.readUInt32BE(4)).toBe(code);
  expect(wire.server.writableEnded).toBe(true);
  expect(wire.streams.every(({ closed }) => closed)).toBe(true);
  wire.client.destroy();
});

/** What breaks the rules of a request, with which that ends. */
const resets: Record<string, readonly [code: number, ...frames: Buffer[]]> = {
  "more data than was said": [
    errorCode.protocolError,
    post(1, [["content-length", "1"]]),
    frame(frameType.data, 1, Buffer.alloc(2)),
  ],
  "less data than was said": [
    errorCode.protocolError,
    post(1, [["content-length", "3"]]),
    frame(frameType.data, 1, Buffer.alloc(2), flag.endStream),
  ],
  "no data where some was said": [
    errorCode.protocolError,
    headers(1, [...postHead, ["content-length", "3"]], whole),
  ],
  "data after its end": [errorCode.streamClosed, get(1), frame(frameType.data, 1, Buffer.alloc(2))],
  "more data than its window": [
    errorCode.flowControlError,
    post(1),
    ...Array.from({ length: 5 }, () => frame(frameType.data, 1, Buffer.alloc(16_000))),
  ],
  "a window that overflows": [
    errorCode.flowControlError,
    post(1),
    frame(frameType.windowUpdate, 1, word(2 ** 31 - 1)),
  ],
  "a window that does not change": [
    errorCode.protocolError,
    post(1),
    frame(frameType.windowUpdate, 1, word(0)),
  ],
  "trailers that do not end it": [errorCode.protocolError, post(1), headers(1, [["x-a", "b"]])],
  "a name in capitals": [errorCode.protocolError, headers(1, [...getHead, ["X-A", "b"]], whole)],
  "a name that is none": [errorCode.protocolError, headers(1, [...getHead, ["x a", "b"]], whole)],
  "a value with a line break": [errorCode.protocolError, headers(1, [...getHead, ["x-a", "a\r\nb"]], whole)],
  "a header of the connection": [
    errorCode.protocolError,
    headers(1, [...getHead, ["connection", "close"]], whole),
  ],
  "encodings of transfer": [errorCode.protocolError, headers(1, [...getHead, ["te", "gzip"]], whole)],
  "no method": [errorCode.protocolError, headers(1, getHead.slice(1), whole)],
  "no path": [errorCode.protocolError, headers(1, getHead.slice(0, 2), whole)],
  "an unknown header of HTTP/2": [
    errorCode.protocolError,
    headers(1, [...getHead, [":status", "200"]], whole),
  ],
  "headers of HTTP/2 after others": [errorCode.protocolError, headers(1, [["x-a", "b"], ...getHead], whole)],
  "a method that comes twice": [errorCode.protocolError, headers(1, [...getHead, [":method", "PUT"]], whole)],
};

test.each(Object.entries(resets))("%s ends the request alone", async (_, [code, ...frames]) => {
  const wire = openWire((stream) => stream.head.path === "/after" && answerAll(stream));
  const client = rawClient(wire);
  client.send(greeting, settings(), ...frames);
  await settle();
  const reset = client.frames().find(({ type }) => type === frameType.resetStream);
  expect([reset?.stream, reset?.payload.readUInt32BE(0)]).toEqual([1, code]);
  const next = [getHead[0], getHead[1], [":path", "/after"]] as const;
  client.send(headers(3, next, whole));
  await settle();
  expect(
    client
      .frames()
      .findLast(({ stream }) => stream === 3)
      ?.payload.toString(),
  ).toBe("answer");
  wire.client.destroy();
});

test("requests beyond the limit are refused, and their headers still count", async () => {
  const wire = openWire();
  const client = rawClient(wire);
  client.send(greeting, settings(), ...Array.from({ length: 12 }, (_, index) => get(2 * index + 1)));
  await settle();
  const refused = client.frames().filter(({ type }) => type === frameType.resetStream);
  expect(refused.map(({ stream, payload }) => [stream, payload.readUInt32BE(0)])).toEqual([
    [21, errorCode.refusedStream],
    [23, errorCode.refusedStream],
  ]);
  wire.client.destroy();
});

test("headers that are too large once they are read are answered", async () => {
  const wire = openWire(answerAll);
  const client = rawClient(wire);
  // One of 5,000 bytes in the table, and then its index many times.
  const large = Buffer.concat([
    Buffer.from("4001787f", "hex"),
    Buffer.of(0xa1, 0x1e),
    Buffer.alloc(4_000, 0x61),
  ]);
  const payload = Buffer.concat([block(getHead), large, Buffer.alloc(10, 0xbe)]);
  client.send(greeting, settings(), frame(frameType.headers, 1, payload, whole));
  await settle();
  const [head, page] = client.frames().filter(({ stream }) => stream === 1);
  expect(head?.payload.includes("431")).toBe(true);
  expect(page?.payload.toString()).toBe("<h1>HTTP Error 431</h1><p>Request Header Field(s) Too Large</p>");
  expect(wire.streams).toEqual([]);
  wire.client.destroy();
});

test("what comes for a stream that was reset here is passed over", async () => {
  const wire = openWire((stream) =>
    stream.head.method === "POST" ? stream.respond(403, {}) : answerAll(stream),
  );
  const client = rawClient(wire);
  client.send(greeting, settings(), post(1));
  await settle();
  client.send(
    frame(frameType.data, 1, Buffer.alloc(10)),
    headers(1, [["x-trailer", "a"]], whole),
    frame(frameType.windowUpdate, 1, word(1)),
    get(3),
  );
  await settle();
  expect(client.frames().some(({ type }) => type === frameType.goAway)).toBe(false);
  expect(client.frames().at(-1)?.payload.toString()).toBe("answer");
  wire.client.destroy();
});

test("a client that does not greet is cut off, and so is one that is idle", async () => {
  const silent = openWire();
  await silent.clock.advance(10_000);
  expect(silent.server.destroyed).toBe(true);

  const idle = openWire();
  const client = rawClient(idle);
  client.send(greeting, settings());
  await settle();
  await idle.clock.advance(89_000);
  expect(idle.server.writableEnded).toBe(false);
  await idle.clock.advance(2_000);
  await settle();
  expect(client.frames().at(-1)).toMatchObject({ type: frameType.goAway });
  expect(idle.server.writableEnded).toBe(true);
  idle.client.destroy();
});

test("what is no HTTP/2 is told so", async () => {
  const wire = openWire();
  const client = rawClient(wire);
  client.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
  await settle();
  expect(wire.server.writableEnded).toBe(true);
  wire.client.destroy();
});

test("noise ends connections, and nothing else", async () => {
  const random = seededRandom(11);
  const below = (limit: number) => Math.floor(random.next() * limit);
  let ended = 0;
  for (let round = 0; round < 300; round += 1) {
    const wire = openWire(answerAll);
    const client = rawClient(wire);
    const parts = [greeting, settings()];
    for (let count = 0; count < 20; count += 1) {
      const noise = Buffer.from(Array.from({ length: below(30) }, () => below(256)));
      const usual = below(2) === 0 ? get(2 * count + 1) : post(2 * count + 1);
      parts.push(below(3) === 0 ? frame(below(12), below(8), noise, below(64)) : usual);
    }
    const all = Buffer.concat(parts);
    // In pieces of any size.
    for (let at = 0; at < all.length;) {
      const size = 1 + below(200);
      client.send(all.subarray(at, at + size));
      at += size;
    }
    await settle();
    if (wire.server.writableEnded) ended += 1;
    wire.client.destroy();
    await settle();
    expect(wire.streams.every(({ closed }) => closed)).toBe(true);
  }
  expect(ended).toBeGreaterThan(100);
});

test("answers that were about to go are not sent cut short when the connection ends", async () => {
  const wire = openWire(answerAll);
  const client = rawClient(wire);
  client.send(greeting, settings(), get(1), frame(frameType.pushPromise, 1, Buffer.alloc(4)));
  await settle();
  expect(wire.streams).toHaveLength(1);
  expect(client.frames().filter(({ stream }) => stream === 1)).toEqual([]);
  expect(client.frames().some(({ type }) => type === frameType.goAway)).toBe(true);
  wire.client.destroy();
});
