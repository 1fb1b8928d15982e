import { createWebSocketStream } from "ws";
import type { WebSocket } from "ws";
import { SpdyConnection } from "../spdy/index.ts";
import type { SpdyStream } from "../spdy/index.ts";
import type { UpgradeAnswer } from "../upgrade-client.ts";
import { join, refuseUpgrade } from "../upgrade-proxy.ts";
import { acceptWebSocket, chooseProtocol, offeredProtocols } from "./accept.ts";
import type { UpgradedRequest } from "./accept.ts";
import { ChannelSocket } from "./channel-socket.ts";
import { channel, portForwardProtocols, remoteCommandProtocols, tunnelProtocol } from "./channels.ts";

/** Opens the SPDY connection to serve a client from, with one of the stream protocols. */
export type OpenSpdy = (protocols: readonly string[]) => Promise<UpgradeAnswer>;

/** Which streams an exec or attach has. */
export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Serves exec or attach to a WebSocket client out of a SPDY server; settles when both connections have ended. */
export async function bridgeRemoteCommand(
  upgrade: UpgradedRequest,
  options: { readonly open: OpenSpdy; readonly streams: CommandStreams },
): Promise<void> {
  const protocol = chooseProtocol(upgrade.request.headers, remoteCommandProtocols);
  if (!protocol) return refuseProtocols(upgrade);
  const opened = await openBoth(upgrade, {
    open: options.open,
    protocols: ["v4.channel.k8s.io"],
    name: protocol.name,
  });
  if (!opened) return;
  const socket = new ChannelSocket(opened.webSocket, protocol);
  await runCommand(socket, { ...options, connection: opened.connection, status: protocol.status });
}

async function runCommand(
  socket: ChannelSocket,
  options: {
    readonly connection: SpdyConnection;
    readonly streams: CommandStreams;
    readonly status: "text" | "object";
  },
): Promise<void> {
  const { connection, streams, status } = options;
  const openStream = (streamType: string, wanted: boolean): SpdyStream | undefined =>
    wanted ? connection.createStream({ streamtype: streamType }) : undefined;
  const error = connection.createStream({ streamtype: "error" });
  const stdin = openStream("stdin", streams.stdin);
  const stdout = openStream("stdout", streams.stdout);
  const stderr = openStream("stderr", streams.stderr && !streams.tty);
  const resize = openStream("resize", streams.tty);
  const inputs = new Map([
    [channel.stdin as number, stdin],
    [channel.resize, resize],
  ]);
  socket.onMessage((message) => {
    const stream = inputs.get(message.channel);
    if (!stream) return;
    if (message.type === "close") stream.end();
    else if (message.data.length > 0) socket.forward(message.data, stream);
  });
  for (const stream of [stdin, resize]) stream?.resume();
  void socket.closed.then(() => connection.destroy());
  // An empty message tells the client that the streams are there.
  await socket.send(stdout ? channel.stdout : stderr ? channel.stderr : channel.error, new Uint8Array());
  const [result] = await Promise.all([
    whole(error),
    stdout && socket.sendAll(channel.stdout, stdout),
    stderr && socket.sendAll(channel.stderr, stderr),
  ]);
  const final = status === "object" ? result : failureText(result);
  if (final.length > 0) await socket.send(channel.error, final);
  await socket.close();
  connection.destroy();
  await connection.closed;
}

/** A status is short; what is beyond belongs to no status. */
const longestStatus = 64 * 1024;

async function whole(stream: SpdyStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream.iterator({ destroyOnReturn: false })) {
    size += (part as Buffer).length;
    if (size <= longestStatus) parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

/** The status in the form of older protocols: nothing for success, else a text. */
function failureText(status: Buffer): Buffer {
  const text = status.toString();
  try {
    const parsed = JSON.parse(text) as { status?: unknown; message?: unknown };
    if (parsed.status === "Success") return Buffer.alloc(0);
    return Buffer.from(typeof parsed.message === "string" ? parsed.message : text);
  } catch {
    return status;
  }
}

/** Serves port-forward to a WebSocket client out of a SPDY server; settles when both connections have ended. */
export async function bridgePortForward(
  upgrade: UpgradedRequest,
  options: {
    readonly open: OpenSpdy;
    /** For clients that name their ports with the request. */
    readonly ports: readonly number[];
  },
): Promise<void> {
  const { headers } = upgrade.request;
  const protocols = ["portforward.k8s.io"];
  if (offeredProtocols(headers).includes(tunnelProtocol)) {
    const answer = await answered(upgrade, options.open(protocols));
    if (!answer) return;
    const webSocket = await acceptWebSocket(upgrade, tunnelProtocol);
    if (answer.head.length > 0) answer.socket.unshift(Buffer.from(answer.head));
    await join(createWebSocketStream(webSocket), answer.socket);
    return;
  }
  const protocol = chooseProtocol(headers, portForwardProtocols);
  if (!protocol) return refuseProtocols(upgrade);
  if (options.ports.length === 0) {
    return refuse(upgrade, { code: 400, reason: "Bad Request", body: 'query parameter "port" is required' });
  }
  const opened = await openBoth(upgrade, { open: options.open, protocols, name: protocol.name });
  if (!opened) return;
  await runPortForward(new ChannelSocket(opened.webSocket, protocol), {
    connection: opened.connection,
    ports: options.ports,
  });
}

/** Each port has two channels, for data and for errors, and each of these begins with the port's number. */
async function runPortForward(
  socket: ChannelSocket,
  { connection, ports }: { readonly connection: SpdyConnection; readonly ports: readonly number[] },
): Promise<void> {
  const pairs = ports.map((port, index) => {
    const headers = { port: String(port), requestid: String(index) };
    const error = connection.createStream({ ...headers, streamtype: "error" });
    error.end();
    return { port, error, data: connection.createStream({ ...headers, streamtype: "data" }) };
  });
  socket.onMessage((message) => {
    const pair = message.channel % 2 === 0 ? pairs[message.channel / 2] : undefined;
    if (pair && message.type === "data") socket.forward(message.data, pair.data);
  });
  void socket.closed.then(() => connection.destroy());
  const sending = pairs.flatMap(({ port, data, error }, index) =>
    [data, error].map(async (stream, part) => {
      const number = index * 2 + part;
      await socket.send(number, Uint8Array.of(port & 255, port >> 8));
      await socket.sendAll(number, stream);
    }),
  );
  await Promise.all(sending);
  await socket.close();
  connection.destroy();
  await connection.closed;
}

/** The server's side first, so that its refusal reaches the client as an HTTP answer. */
async function openBoth(
  upgrade: UpgradedRequest,
  options: { readonly open: OpenSpdy; readonly protocols: readonly string[]; readonly name: string },
): Promise<{ readonly webSocket: WebSocket; readonly connection: SpdyConnection } | undefined> {
  const answer = await answered(upgrade, options.open(options.protocols));
  if (!answer) return undefined;
  const connection = new SpdyConnection(answer.socket, { role: "client", head: answer.head });
  try {
    return { connection, webSocket: await acceptWebSocket(upgrade, options.name) };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

async function answered(
  upgrade: UpgradedRequest,
  opening: Promise<UpgradeAnswer>,
): Promise<Extract<UpgradeAnswer, { type: "upgraded" }> | undefined> {
  const answer = await opening;
  if (answer.type === "upgraded") return answer;
  refuseUpgrade(upgrade.socket, answer);
  return undefined;
}

function refuse(upgrade: UpgradedRequest, answer: { code: number; reason: string; body: string }): void {
  refuseUpgrade(upgrade.socket, { ...answer, contentType: "text/plain; charset=utf-8" });
}

function refuseProtocols(upgrade: UpgradedRequest): void {
  const offered = offeredProtocols(upgrade.request.headers).join(", ");
  refuse(upgrade, { code: 403, reason: "Forbidden", body: `none of the subprotocols is known: ${offered}` });
}
