import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import dnsPacket, { type OptAnswer, type Packet, type Question } from "dns-packet";
import type { Clock, Logger } from "../base/index.ts";
import { followAlias } from "./aliases.ts";
import type { Forwarder } from "./forwarder.ts";
import { encodeReply } from "./message.ts";
import { timeToLive, type Resolution, type Zone } from "./zone.ts";

const smallestUdpAnswer = 512;
const largestUdpAnswer = 4096;
const largestTcpAnswer = 65_535;
const connectionsAtOnce = 100;
/** A TCP connection without a query for so long is closed. */
const idleConnection = 10_000;

export interface DnsServerOptions {
  readonly zone: Zone;
  readonly domain: string;
  readonly forwarder: Forwarder;
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Serves DNS over UDP and TCP; answers the port once it listens. Stops when the signal aborts: `stopped` settles then. */
export async function serveDns(
  options: DnsServerOptions,
  signal: AbortSignal,
): Promise<{ readonly port: number; readonly stopped: Promise<void> }> {
  const { address, logger } = options;
  const udp = createSocket({ type: address.includes(":") ? "udp6" : "udp4", reuseAddr: true });
  udp.bind(options.port, address);
  await once(udp, "listening");
  const { port } = udp.address();
  udp.on("message", (query: Buffer, remote: RemoteInfo) => {
    answer(query, { ...options, transport: "udp" })
      .then((reply) => reply && udp.send(reply, remote.port, remote.address))
      .catch((error: unknown) => logger.debug("query failed", { error }));
  });
  udp.on("error", (error) => logger.warn("UDP socket failed", { error }));
  const connections = new Set<Socket>();
  const tcp = createServer((socket) => serveConnection(socket, { options, connections }));
  tcp.maxConnections = connectionsAtOnce;
  tcp.listen(port, address);
  await once(tcp, "listening");
  const stopped = new Promise<void>((resolve) => {
    const stop = () => {
      for (const socket of connections) socket.destroy();
      udp.close(() => tcp.close(() => resolve()));
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  return { port, stopped };
}

function serveConnection(
  socket: Socket,
  { options, connections }: { options: DnsServerOptions; connections: Set<Socket> },
): void {
  connections.add(socket);
  socket.setTimeout(idleConnection, () => socket.destroy());
  socket.on("close", () => connections.delete(socket));
  socket.on("error", () => socket.destroy());
  let received = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const query = received.subarray(2, 2 + received.readUInt16BE(0));
      received = received.subarray(2 + query.length);
      answer(query, { ...options, transport: "tcp" })
        .then((reply) => {
          if (reply === undefined || socket.destroyed) return;
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          socket.write(Buffer.concat([length, reply]));
        })
        .catch((error: unknown) => options.logger.debug("query failed", { error }));
    }
  });
}

type Context = DnsServerOptions & { readonly transport: "udp" | "tcp" };

/** The answer's bytes; undefined for what is no query, which gets none. */
async function answer(bytes: Uint8Array, context: Context): Promise<Uint8Array | undefined> {
  let query: Packet;
  try {
    query = dnsPacket.decode(Buffer.from(bytes));
  } catch {
    return bytes.length < 12 ? undefined : shortAnswer(bytes, formatError);
  }
  if (query.type !== "query") return undefined;
  // Bits 11 to 14 tell what is asked for: anything but a query is for servers that keep zones.
  if (((query.flags ?? 0) >> 11) % 16 !== 0) return shortAnswer(bytes, notImplemented);
  const [question] = query.questions ?? [];
  if (question === undefined) return shortAnswer(bytes, formatError);
  const resolution = context.zone.resolve(question);
  if (resolution.type === "outside") {
    try {
      return await context.forwarder.forward(bytes, context.transport);
    } catch (error) {
      context.logger.debug("no answer from the machine's resolvers", { name: question.name, error });
      return shortAnswer(bytes, serverFailure);
    }
  }
  const complete = await followAlias(resolution, { question, transport: context.transport }, context);
  const extension = extensionOf(query);
  const reply = replyTo(query, { question, resolution: complete, domain: context.domain });
  const additionals = [...(extension ? [ownExtension] : []), ...(reply.additionals ?? [])];
  const limit = context.transport === "tcp" ? largestTcpAnswer : udpLimit(extension);
  return encodeReply({ ...reply, additionals }, limit);
}

function replyTo(
  query: Packet,
  { question, resolution, domain }: { question: Question; resolution: Resolution; domain: string },
): Packet {
  const { answers, additionals } =
    resolution.type === "found" ? resolution : { answers: [], additionals: [] };
  const recursion = (query.flags ?? 0) & dnsPacket.RECURSION_DESIRED;
  const code = resolution.type === "nameError" ? nameErrorCode : 0;
  return {
    type: "response",
    id: query.id ?? 0,
    flags: dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.RECURSION_AVAILABLE | recursion | code,
    questions: [question],
    answers: [...answers],
    additionals: [...additionals],
    authorities: answers.length === 0 ? [startOfAuthority(domain)] : [],
  };
}

const formatError = 1;
const serverFailure = 2;
const nameErrorCode = 3;
const notImplemented = 4;

/** The query's head turned round, with nothing but a code. */
function shortAnswer(query: Uint8Array, code: number): Uint8Array {
  const reply = Buffer.alloc(12);
  reply.set(query.subarray(0, 2));
  reply[2] = 0x80 | ((query[2] ?? 0) & 0x79);
  reply[3] = 0x80 | code;
  return reply;
}

/** Extensions of DNS that a client knows (EDNS, RFC 6891): how much it takes by UDP. */
function extensionOf(query: Packet): { readonly udpPayloadSize?: number } | undefined {
  return query.additionals?.find(({ type }) => type === "OPT") as { udpPayloadSize?: number } | undefined;
}

const ownExtension: OptAnswer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: largestUdpAnswer,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function udpLimit(extension: { readonly udpPayloadSize?: number } | undefined): number {
  return Math.min(Math.max(extension?.udpPayloadSize ?? 0, smallestUdpAnswer), largestUdpAnswer);
}

/** Lets resolvers keep negative answers no longer than positive ones. */
function startOfAuthority(domain: string) {
  return {
    type: "SOA" as const,
    name: domain,
    ttl: timeToLive,
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: timeToLive,
    },
  };
}
