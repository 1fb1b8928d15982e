import { constants } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { describe, expect, test } from "vitest";
import { nodeClient, openWire, settle } from "./session-suite.ts";
import type { ServerStream } from "./server-stream.ts";

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks and gathers the answer; rejects with the code of a reset. */
function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = client.request(headers, { endStream: body === undefined });
    let got: IncomingHttpHeaders = {};
    const parts: Buffer[] = [];
    stream.on("response", (head) => (got = head));
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("error", reject);
    stream.on("close", () => {
      if (stream.rstCode === 0) resolve({ headers: got, body: Buffer.concat(parts) });
      else reject(new Error(`code ${stream.rstCode}`));
    });
    if (body) stream.end(body);
  });
}

function bodyOf(stream: ServerStream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    stream.read({
      data(piece) {
        parts.push(Uint8Array.from(piece));
        stream.consumed(piece.length);
      },
      end: () => resolve(Buffer.concat(parts)),
      broken: () => reject(new Error("broken")),
    });
  });
}

const echo = (stream: ServerStream) =>
  void bodyOf(stream).then(
    (body) => stream.respond(200, { "x-method": stream.head.method, "content-type": "text/plain" }, body),
    () => {},
  );

const pattern = (size: number) => Buffer.from(Array.from({ length: size }, (_, index) => (index * 7) % 251));

describe("with Node.js's client", () => {
  test.each([0, 1, 16_384, 16_385, 69_999, 1_000_000])(
    "a body of %d bytes goes there and back",
    async (size) => {
      const wire = openWire(echo);
      const client = nodeClient(wire);
      const body = pattern(size);
      const answer = await ask(client, { ":method": "POST", ":path": "/echo?x=1" }, body);
      expect(answer.headers).toMatchObject({ ":status": 200, "x-method": "POST" });
      expect(answer.body.equals(body)).toBe(true);
      expect(wire.streams[0]?.closed).toBe(true);
      client.destroy();
    },
  );

  test("headers come as they were sent, whatever is in them", async () => {
    const wire = openWire((stream) => stream.respond(204, {}));
    const client = nodeClient(wire);
    const all = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte > 0x20 && byte !== 0x7f);
    for (const byte of all) {
      const value = "a".repeat(40) + String.fromCharCode(byte);
      await ask(client, {
        ":path": "/",
        "x-value": value,
        "x-twice": ["one", "two"],
        cookie: ["a=1", "b=2"],
      });
      const head = wire.streams.at(-1)!.head;
      expect(head.headers).toMatchObject({ "x-value": value, "x-twice": "one, two", cookie: "a=1; b=2" });
      expect(head.raw.filter((text) => text === "x-twice")).toHaveLength(2);
    }
    client.destroy();
  });

  test("many at once, and each has its own answer", async () => {
    const wire = openWire(echo, { concurrentStreams: 100 });
    const client = nodeClient(wire, { settings: { initialWindowSize: 1_000, headerTableSize: 100 } });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        ask(client, { ":method": "PUT", ":path": "/" }, pattern(index * 300)),
      ),
    );
    expect(answers.map(({ body }) => body.length)).toEqual(answers.map((_, index) => index * 300));
    client.destroy();
  });

  test("what is written piece by piece comes at once, and waits for room", async () => {
    let drained = 0;
    const wire = openWire((stream) => {
      stream.begin(200, { "content-type": "text/event-stream" });
      expect(stream.write(Buffer.from("first"))).toBe(true);
    });
    const client = nodeClient(wire);
    const request = client.request({ ":path": "/" });
    await new Promise((resolve) => request.once("data", resolve));
    const [stream] = wire.streams;
    request.pause();
    expect(stream!.write(pattern(300_000))).toBe(false);
    stream!.onDrain(() => (drained += 1));
    await settle();
    expect(drained).toBe(0);
    let size = 0;
    request.on("data", (part: Buffer) => (size += part.length));
    request.resume();
    stream!.end();
    await new Promise((resolve) => request.once("close", resolve));
    expect({ size, drained }).toEqual({ size: 300_000, drained: 1 });
    client.destroy();
  });

  test("large answers take turns with small ones", async () => {
    const wire = openWire((stream) =>
      stream.respond(200, {}, pattern(stream.head.path === "/large" ? 900_000 : 10)),
    );
    const client = nodeClient(wire, { settings: { initialWindowSize: 2 ** 20 } });
    client.setLocalWindowSize(2 ** 20);
    const order: string[] = [];
    const paths = ["/large", "/small"];
    await Promise.all(paths.map((path) => ask(client, { ":path": path }).then(() => order.push(path))));
    expect(order).toEqual(["/small", "/large"]);
    client.destroy();
  });

  test("an answer before the end of the request ends it without an error", async () => {
    const wire = openWire((stream) => stream.respond(413, {}, Buffer.from("no")));
    const client = nodeClient(wire);
    const request = client.request({ ":method": "POST", ":path": "/" });
    const status = await new Promise((resolve) =>
      request.once("response", (head) => resolve(head[":status"])),
    );
    request.resume();
    await new Promise((resolve) => request.once("close", resolve));
    expect([status, request.rstCode]).toEqual([413, constants.NGHTTP2_NO_ERROR]);
    client.destroy();
  });

  test("either side may break off", async () => {
    const wire = openWire((stream) => {
      if (stream.head.path === "/broken") stream.reset();
      else stream.begin(200, {});
    });
    const client = nodeClient(wire);
    await expect(ask(client, { ":path": "/broken" })).rejects.toThrow("NGHTTP2_INTERNAL_ERROR");
    const request = client.request({ ":path": "/" });
    await new Promise((resolve) => request.once("response", resolve));
    let closed = false;
    wire.streams[1]!.onClose(() => (closed = true));
    request.close(constants.NGHTTP2_CANCEL);
    await settle();
    expect(closed).toBe(true);
    expect(wire.streams[1]!.write(pattern(10))).toBe(true);
    client.destroy();
  });

  test("bodies that nobody reads stop at the window", async () => {
    const wire = openWire();
    const client = nodeClient(wire);
    const request = client.request({ ":method": "POST", ":path": "/" });
    request.end(pattern(500_000));
    await settle();
    let got = 0;
    wire.streams[0]!.read({ data: (piece) => (got += piece.length), end() {}, broken() {} });
    await settle();
    expect(got).toBeLessThanOrEqual(70_000);
    expect(got).toBeGreaterThan(50_000);
    client.destroy();
  });

  test("a server that closes answers what was asked and takes no more", async () => {
    const wire = openWire();
    const client = nodeClient(wire);
    const answer = ask(client, { ":path": "/" });
    await settle();
    wire.session.close();
    await settle();
    expect(client.closed).toBe(true);
    wire.streams[0]!.respond(200, {}, Buffer.from("late"));
    expect((await answer).body.toString()).toBe("late");
    await settle();
    expect(wire.server.writableEnded).toBe(true);
    client.destroy();
  });

  test("a client that is sent away still gets what it had asked for meanwhile", async () => {
    const wire = openWire(echo);
    const client = nodeClient(wire);
    await ask(client, { ":path": "/" });
    wire.session.leave();
    await settle();
    expect([client.closed, wire.server.writableEnded]).toEqual([true, false]);
    await wire.clock.advance(1_000);
    await settle();
    expect(wire.server.writableEnded).toBe(true);
    client.destroy();
  });
});
