import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { VirtualClock } from "../base/index.ts";
import { createForwarder } from "./forwarder.ts";

const query = Buffer.from([0x12, 0x34, 1, 0, 0, 0]);
const answerTo = (bytes: Uint8Array) => Buffer.concat([bytes.subarray(0, 2), Buffer.from("answer")]);
const answer = answerTo(query);

/** A resolver on an address of loopback; the first takes any free port. */
async function udpResolver(
  reply: (query: Buffer, send: (bytes: Uint8Array) => void) => void,
  { address = "127.0.0.1", port = 0 } = {},
): Promise<{ port: number; asked: number }> {
  const socket: Socket = createSocket("udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  const resolver = { port: socket.address().port, asked: 0 };
  socket.on("message", (bytes, { port: from, address: to }) => {
    resolver.asked++;
    reply(bytes, (sent) => socket.send(sent, from, to));
  });
  onTestFinished(() => void socket.close());
  return resolver;
}

async function tcpResolver(pieces: (answer: Buffer) => readonly Buffer[]): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (bytes) => {
      const length = Buffer.alloc(2);
      const sent = answerTo(bytes.subarray(2));
      length.writeUInt16BE(sent.length);
      for (const piece of pieces(Buffer.concat([length, sent]))) socket.write(piece);
      socket.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

const clock = () => new VirtualClock();

test("asks the first resolver alone while it answers", async () => {
  const first = await udpResolver((bytes, send) => send(answerTo(bytes)));
  const second = await udpResolver((bytes, send) => send(answerTo(bytes)), {
    address: "127.0.0.2",
    port: first.port,
  });
  const resolvers = ["127.0.0.1", "127.0.0.2"];
  const forwarder = createForwarder({ resolvers, port: first.port, clock: clock() });
  expect(Buffer.from(await forwarder.forward(query, "udp"))).toEqual(answer);
  expect([first.asked, second.asked]).toEqual([1, 0]);
});

test("asks the next resolver when one cannot be reached or is silent", async () => {
  const time = clock();
  const silent = await udpResolver(() => void time.advance(2000), { address: "127.0.0.2" });
  const { port } = silent;
  await udpResolver((bytes, send) => send(answerTo(bytes)), { address: "127.0.0.3", port });
  // Nobody listens on the first address.
  const forwarder = createForwarder({
    resolvers: ["127.0.0.1", "127.0.0.2", "127.0.0.3"],
    port,
    clock: time,
  });
  expect(Buffer.from(await forwarder.forward(query, "udp"))).toEqual(answer);
  expect(silent.asked).toBe(1);
});

test("an answer to another question is not taken", async () => {
  const { port } = await udpResolver((bytes, send) => {
    send(answerTo(Buffer.from([0x43, 0x21])));
    send(answerTo(bytes));
  });
  const forwarder = createForwarder({ resolvers: ["127.0.0.1"], port, clock: clock() });
  expect(Buffer.from(await forwarder.forward(query, "udp"))).toEqual(answer);
});

test("answers over TCP may come in pieces", async () => {
  const port = await tcpResolver((bytes) => [bytes.subarray(0, 1), bytes.subarray(1, 4), bytes.subarray(4)]);
  const forwarder = createForwarder({ resolvers: ["127.0.0.1"], port, clock: clock() });
  expect(Buffer.from(await forwarder.forward(query, "tcp"))).toEqual(answer);
});

test("fails when no resolver answers, is known, or has an address that can be reached", async () => {
  const port = await tcpResolver((bytes) => [bytes.subarray(0, 4)]);
  const forward = (resolvers: readonly string[], transport: "udp" | "tcp") =>
    createForwarder({ resolvers, port, clock: clock() }).forward(query, transport);
  await expect(forward([], "udp")).rejects.toThrow("no resolver to forward to");
  await expect(forward(["127.0.0.1"], "tcp")).rejects.toThrow("127.0.0.1 closed the connection");
  await expect(forward(["127.0.0.1"], "udp")).rejects.toThrow("ECONNREFUSED");
  await expect(forward(["no such address"], "udp")).rejects.toThrow();
});

test("only so many queries are under way at once", async () => {
  const time = clock();
  const { port } = await udpResolver(() => undefined);
  const forwarder = createForwarder({ resolvers: ["127.0.0.1"], port, clock: time });
  const waiting = Array.from({ length: 1000 }, () => forwarder.forward(query, "udp"));
  const settled = Promise.allSettled(waiting);
  await expect(forwarder.forward(query, "udp")).rejects.toThrow("too many queries under way");
  await time.advance(2000);
  expect((await settled).every(({ status }) => status === "rejected")).toBe(true);
});
