import { Duplex, type Readable } from "node:stream";
import { expect, test } from "vitest";
import { SpdyConnection } from "./connection.ts";
import type { SpdyStream } from "./connection.ts";

/** Two ends of one connection in memory. */
function socketPair(): [Duplex, Duplex] {
  const waiting: (() => void)[][] = [[], []];
  const ends: Duplex[] = [0, 1].map(
    (side) =>
      new Duplex({
        allowHalfOpen: true,
        read: () => {
          for (const go of waiting[side]!.splice(0)) go();
        },
        write(chunk: Buffer, _encoding, done) {
          const peer = ends[1 - side]!;
          if (peer.push(chunk)) done();
          else waiting[1 - side]!.push(done);
        },
        final(done) {
          ends[1 - side]!.push(null);
          done();
        },
      }),
  );
  return [ends[0]!, ends[1]!];
}

async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  // The loop must not end the stream's other half.
  for await (const part of stream.iterator({ destroyOnReturn: false })) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function pair(onStream: (stream: SpdyStream) => void) {
  const [left, right] = socketPair();
  const client = new SpdyConnection(left, { role: "client" });
  const server = new SpdyConnection(right, { role: "server", onStream });
  return { client, server };
}

test("streams carry headers and bytes both ways, and close by halves", async () => {
  const types: string[] = [];
  const { client, server } = pair((stream) => {
    types.push(stream.headers["streamtype"] ?? "");
    if (stream.headers["streamtype"] === "stdin") {
      void textOf(stream).then((text) => stream.end(`got ${text.length}`));
    } else stream.end("no such thing");
  });
  const error = client.createStream({ streamType: "error" });
  const stdin = client.createStream({ streamType: "stdin" });
  stdin.write("x".repeat(300_000));
  stdin.end("y");
  expect(await Promise.all([textOf(error), textOf(stdin)])).toEqual(["no such thing", "got 300001"]);
  expect(types).toEqual(["error", "stdin"]);
  client.close();
  await Promise.all([client.closed, server.closed]);
});

test("what was sent before a reset and before the connection's end is still read", async () => {
  const { client, server } = pair((stream) => {
    stream.write("status", () => stream.destroy());
  });
  const stream = client.createStream({ streamtype: "error" });
  expect(await textOf(stream)).toBe("status");
  const { client: other, server: ending } = pair((opened) => {
    opened.write("last words", () => ending.close());
  });
  expect(await textOf(other.createStream({}))).toBe("last words");
  await Promise.all([other.closed, ending.closed]);
  client.close();
  await Promise.all([client.closed, server.closed]);
});

test("a stream that is not read stops the sender", async () => {
  let opened: SpdyStream | undefined;
  const { client, server } = pair((stream) => (opened = stream));
  const stream = client.createStream({});
  let taken = 0;
  const chunk = Buffer.alloc(64 * 1024);
  const total = 64;
  const sent = (async () => {
    for (let count = 0; count < total; count++) {
      await new Promise<void>((resolve) => void stream.write(chunk, () => resolve()));
      taken++;
    }
    stream.end();
  })();
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(taken).toBeLessThan(16);
  expect((await textOf(opened!)).length).toBe(total * chunk.length);
  await sent;
  client.destroy();
  server.destroy();
  await Promise.all([client.closed, server.closed]);
});

test("streams end when the connection is lost", async () => {
  const { client, server } = pair(() => undefined);
  const stream = client.createStream({});
  server.destroy();
  client.destroy();
  expect(await textOf(stream)).toBe("");
  expect(await textOf(client.createStream({}))).toBe("");
});
