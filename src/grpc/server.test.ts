import { createServer, type Server } from "node:net";
import { request } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../base/index.ts";
import {
  type Channel,
  createCaller,
  createCodec,
  createGrpcServer,
  GrpcError,
  grpcCode,
  type GrpcServer,
  openChannel,
  serveMethods,
} from "./index.ts";

const codec = createCodec({ Text: { text: [1, "string"], count: [2, "int64"], bytes: [3, "bytes"] } });
const methods = {
  Echo: ["test.Service", "Text", "Text", "unary"],
  Refuse: ["test.Service", "Text", "Text", "unary"],
  Count: ["test.Service", "Text", "Text", "responses"],
  Talk: ["test.Service", "Text", "Text", "both"],
  Wait: ["test.Service", "Text", "Text", "unary"],
  Missing: ["test.Service", "Text", "Text", "unary"],
} as const;

let grpc: GrpcServer;
let listener: Server;
let channel: Channel;
let port: number;
let ended: string[];

beforeEach(async () => {
  ended = [];
  grpc = createGrpcServer({
    largestRequest: 3_000_000,
    logger: silentLogger,
    stoppedText: "the server stopped",
    http: ({ path }) => ({ status: path === "/health" ? 200 : 404, type: "text/plain", body: path }),
    methods: serveMethods(
      { codec, methods },
      {
        Echo: async (message, { headers }) => ({ ...message, text: message.text + (headers.token ?? "") }),
        Refuse: async ({ text }) => {
          throw new GrpcError(grpcCode.outOfRange, text);
        },
        Count: async ({ count }, { send }) => {
          for (let number = 1; number <= count; number++) await send({ count: number });
        },
        Talk: async (messages, { send, signal }) => {
          signal.addEventListener("abort", () => ended.push("talk"));
          for await (const { text } of messages) await send({ text: text.toUpperCase() });
        },
        Wait: (_message, { signal }) =>
          new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      },
    ),
  });
  listener = createServer((socket) => grpc.accept(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  port = (listener.address() as { port: number }).port;
  channel = openChannel(`127.0.0.1:${port}`, { settings: { "grpc.max_receive_message_length": -1 } });
});

afterEach(async () => {
  channel.close();
  listener.close();
  await grpc.close();
});

const caller = () => createCaller(channel, { codec, methods });

test("one question has one answer, of whatever size", async () => {
  const bytes = new Uint8Array(2_500_000).fill(7);
  const answer = await caller().unary("Echo", { text: "a", bytes }, { headers: { token: "!" } });
  expect([answer.text, Buffer.compare(answer.bytes, bytes)]).toEqual(["a!", 0]);
  const many = await Promise.all(
    Array.from({ length: 200 }, (_, count) => caller().unary("Echo", { count })),
  );
  expect(many.map(({ count }) => count)).toEqual(Array.from({ length: 200 }, (_, count) => count));
});

test("refusals arrive with code and text", async () => {
  const refusal = (method: "Refuse" | "Missing" | "Echo", message: object, timeout?: number) =>
    caller()
      .unary(method, message, timeout === undefined ? {} : { timeout })
      .then(
        () => "done",
        (error: GrpcError) => [error.code, error.message],
      );
  expect(await refusal("Refuse", { text: "100 % zu groß\n" })).toEqual([11, "100 % zu groß\n"]);
  expect(await refusal("Missing", {})).toEqual([12, "unknown method Missing for service test.Service"]);
  expect(await refusal("Echo", { bytes: new Uint8Array(3_000_000) })).toEqual([
    8,
    "grpc: received message larger than max (3000005 vs. 3000000)",
  ]);
});

test("many answers arrive in order, not faster than they are read", async () => {
  const counts: number[] = [];
  for await (const { count } of caller().responses("Count", { count: 30_000 })) counts.push(count);
  expect(counts).toEqual(Array.from({ length: 30_000 }, (_, index) => index + 1));
});

test("a conversation goes on until the caller ends it", async () => {
  const stream = caller().stream("Talk");
  await stream.send({ text: "a" });
  const answers = stream[Symbol.asyncIterator]();
  expect((await answers.next()).value.text).toBe("A");
  await stream.send({ text: "b" });
  expect((await answers.next()).value.text).toBe("B");
  stream.end();
  expect((await answers.next()).done).toBe(true);
});

test("a caller that goes and a server that closes are told", async () => {
  const stream = caller().stream("Talk");
  await stream.send({ text: "a" });
  const answers = stream[Symbol.asyncIterator]();
  await answers.next();
  stream.cancel();
  await expect.poll(() => ended).toEqual(["talk"]);
  const other = caller().stream("Talk");
  await other.send({ text: "b" });
  const conversation = other[Symbol.asyncIterator]();
  await conversation.next();
  const waiting = caller()
    .unary("Wait", {})
    .catch((error: GrpcError) => error.message);
  await caller().unary("Echo", {});
  await grpc.close();
  expect(await waiting).toBe("the server stopped");
  await expect(conversation.next()).rejects.toThrow("the server stopped");
});

test("HTTP/1.1 is answered on the same port", async () => {
  const status = await new Promise((resolve) => {
    request({ port, path: "/health?x" }, (response) => resolve(response.statusCode)).end();
  });
  expect(status).toBe(200);
});
