import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { SpdyConnection } from "../spdy/index.ts";
import type { SpdyStream } from "../spdy/index.ts";
import { requestSpdy } from "../upgrade-client.ts";
import { bridgePortForward, bridgeRemoteCommand } from "./bridge.ts";
import { decodeChannel, encodeChannel, remoteCommandProtocols } from "./channels.ts";
import { acceptOneWay } from "./one-way.ts";

const protocolNamed = (name: string) => remoteCommandProtocols.find((protocol) => protocol.name === name)!;

test.each(remoteCommandProtocols)("messages of '$name' can be read back", (protocol) => {
  const data = Uint8Array.of(0, 255, 10, 48);
  const sent = encodeChannel(protocol, { channel: 3, data });
  const read = decodeChannel(protocol, Buffer.from(sent as Uint8Array));
  expect(read).toEqual({ type: "data", channel: 3, data: expect.anything() });
  expect(read?.type === "data" && [...read.data]).toEqual([...data]);
});

test.each([
  { protocol: "v5.channel.k8s.io", wire: [255, 0], read: { type: "close", channel: 0 } },
  { protocol: "v5.channel.k8s.io", wire: [255], read: undefined },
  {
    protocol: "v4.channel.k8s.io",
    wire: [255, 0],
    read: { type: "data", channel: 255, data: Uint8Array.of(0) },
  },
  { protocol: "v4.channel.k8s.io", wire: [], read: undefined },
  { protocol: "base64.channel.k8s.io", wire: [65], read: undefined },
])("$protocol reads $wire", ({ protocol, wire, read }) => {
  expect(decodeChannel(protocolNamed(protocol), Uint8Array.from(wire))).toEqual(read);
});

async function serverOf(onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void) {
  const server = createHttpServer();
  server.on("upgrade", onUpgrade);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

const textOf = async (stream: SpdyStream) => {
  let text = "";
  for await (const part of stream.iterator({ destroyOnReturn: false })) text += String(part);
  return text;
};

/** A SPDY server as a container runtime has one, and a bridge before it. */
async function bridged(onStreams: (streams: ReadonlyMap<string, SpdyStream>) => void, expected: number) {
  const runtime = await serverOf((_request, socket, head) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
    const streams = new Map<string, SpdyStream>();
    const connection = new SpdyConnection(socket, {
      role: "server",
      head,
      onStream: (stream) => {
        streams.set(stream.headers["streamtype"] ?? "", stream);
        if (streams.size === expected) onStreams(streams);
      },
    });
    socket.once("end", () => connection.close());
  });
  const open = (protocols: readonly string[]) =>
    requestSpdy({
      connection: connect(runtime.port, "127.0.0.1"),
      host: "runtime",
      path: "/exec/1",
      protocols,
    });
  const front = await serverOf((request, socket, head) => {
    const upgrade = { request, socket, head };
    void (request.url === "/forward"
      ? bridgePortForward(upgrade, { open, ports: [80] })
      : bridgeRemoteCommand(upgrade, {
          open,
          streams: { stdin: true, stdout: true, stderr: true, tty: false },
        }));
  });
  return {
    port: front.port,
    close() {
      for (const { server } of [runtime, front]) server.close();
    },
  };
}

async function collect(socket: WebSocket): Promise<Record<number, string>> {
  const seen: Record<number, string> = {};
  socket.on("message", (data: Buffer) => {
    const number = data[0] ?? -1;
    seen[number] = (seen[number] ?? "") + data.subarray(1).toString("latin1");
  });
  await once(socket, "close");
  return seen;
}

const exitStatus = '{"status":"Failure","message":"exit code 3"}';

test.each([
  { protocol: "v5.channel.k8s.io", status: exitStatus },
  { protocol: "v4.channel.k8s.io", status: exitStatus },
  { protocol: "channel.k8s.io", status: "exit code 3" },
])("a command over $protocol gets its input and gives output and status", async ({ protocol, status }) => {
  const front = await bridged((streams) => {
    const half = protocol.startsWith("v5");
    void (async () => {
      const stdin = streams.get("stdin")!;
      const input = half ? await textOf(stdin) : String((await once(stdin, "data"))[0]);
      streams.get("stdout")!.end(input.toUpperCase());
      streams.get("stderr")!.end("oh");
      streams.get("error")!.end(exitStatus);
    })();
  }, 4);
  const socket = new WebSocket(`ws://127.0.0.1:${front.port}/exec`, [protocol]);
  const seen = collect(socket);
  await once(socket, "open");
  expect(socket.protocol).toBe(protocol);
  socket.send(Uint8Array.of(0, 104, 105));
  socket.send(Uint8Array.of(255, 0));
  expect(await seen).toEqual({ 1: "HI", 2: "oh", 3: status });
  front.close();
});

test("port-forward over channels begins each with the port's number", async () => {
  const front = await bridged((streams) => {
    streams.get("error")!.end();
    streams.get("data")!.once("data", (data: Buffer) => streams.get("data")!.end(`echo ${String(data)}`));
  }, 2);
  const socket = new WebSocket(`ws://127.0.0.1:${front.port}/forward`, ["v4.channel.k8s.io"]);
  const seen = collect(socket);
  await once(socket, "open");
  socket.send(Uint8Array.of(0, 97));
  expect(await seen).toEqual({ 0: "P\0echo a", 1: "P\0" });
  front.close();
});

test("a runtime's refusal reaches the client as an HTTP answer", async () => {
  const front = await serverOf((request, socket, head) => {
    void bridgeRemoteCommand(
      { request, socket, head },
      {
        open: () =>
          Promise.resolve({
            type: "refused",
            code: 404,
            reason: "Not Found",
            contentType: "text/plain",
            body: "gone",
          }),
        streams: { stdin: false, stdout: true, stderr: false, tty: false },
      },
    );
  });
  const socket = new WebSocket(`ws://127.0.0.1:${front.port}/exec`, ["v4.channel.k8s.io"]);
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
  expect(response.statusCode).toBe(404);
  response.resume();
  socket.on("error", () => undefined);
  socket.terminate();
  front.server.close();
});

test.each([
  { offered: [], messages: [Buffer.from(""), Buffer.from("day")] },
  { offered: ["binary.k8s.io"], messages: [Buffer.from(""), Buffer.from("day")] },
  { offered: ["base64.binary.k8s.io"], messages: ["", "ZGF5"] },
])("a stream of bytes comes as messages of $offered", async ({ offered, messages }) => {
  const front = await serverOf((request, socket, head) => {
    void acceptOneWay({ request, socket, head }).then((stream) => {
      stream?.write(Buffer.from("day"));
      stream?.end();
    });
  });
  const socket = new WebSocket(`ws://127.0.0.1:${front.port}/log`, offered);
  const seen: (Buffer | string)[] = [];
  socket.on("message", (data, isBinary) => {
    const bytes = data as Buffer;
    seen.push(isBinary ? bytes : bytes.toString());
  });
  await once(socket, "close");
  expect(seen).toEqual(messages);
  front.server.close();
});
