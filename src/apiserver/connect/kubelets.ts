import { Agent } from "node:https";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Duplex } from "node:stream";
import type { Milliseconds } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { Node } from "../../api/types/core-v1.ts";
import type { ObjectReader } from "../reader.ts";

/** PEM texts with which the API server shows itself to kubelets and checks them. */
export interface KubeletClientTls {
  readonly certificate: string;
  readonly key: string;
  readonly caCertificate: string;
}

/** A server at the other end, as connections are made to it. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Plain when absent. */
  readonly tls?: Tls;
}

type Tls =
  | { readonly verify: false }
  | { readonly verify: true; readonly cert: string; readonly key: string; readonly ca: string };

const addressTypes = ["InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS"];
const defaultKubeletPort = 10250;
const dialTimeout: Milliseconds = 10_000;

/** Finds nodes' kubelets. */
export class Kubelets {
  readonly agent: Agent;
  private readonly reader: ObjectReader;
  private readonly tls: Tls;

  constructor(options: { readonly reader: ObjectReader; readonly tls: KubeletClientTls }) {
    const { certificate: cert, key, caCertificate: ca } = options.tls;
    this.reader = options.reader;
    this.tls = { verify: true, cert, key, ca };
    this.agent = new Agent({ keepAlive: true, cert, key, ca });
  }

  /** Where the node's kubelet listens; throws when the node is not known or has no address. */
  endpoint(nodeName: string): Endpoint {
    const node = this.reader.get(Node, { name: nodeName });
    if (!node) throw ApiError.notFound({ group: "", resource: "nodes" }, nodeName);
    const addresses = node.status.addresses ?? [];
    const [address] = addressTypes.flatMap((type) => addresses.filter((one) => one.type === type));
    if (!address) {
      throw ApiError.internal(
        `no preferred addresses found; known addresses: [${addresses.map((one) => one.address).join(" ")}]`,
      );
    }
    const port = node.status.daemonEndpoints?.kubeletEndpoint?.Port || defaultKubeletPort;
    return { host: address.address, port, tls: this.tls };
  }
}

/** `host:port`, as in a URL. */
export function hostAndPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A connection that stands; rejects with a `DialError`. */
export function dial(endpoint: Endpoint): Promise<Duplex> {
  const { host, port, tls } = endpoint;
  return new Promise((resolve, reject) => {
    const socket = !tls
      ? connectTcp({ host, port, noDelay: true, allowHalfOpen: true })
      : connectTls({
          host,
          port,
          ALPNProtocols: ["http/1.1"],
          ...(tls.verify ? { cert: tls.cert, key: tls.key, ca: tls.ca } : { rejectUnauthorized: false }),
        });
    socket.setTimeout(dialTimeout, () => socket.destroy(new Error("i/o timeout")));
    const failed = (error: Error) => reject(new DialError(dialMessage(error, endpoint)));
    socket.once("error", failed);
    socket.once(tls ? "secureConnect" : "connect", () => {
      socket.setTimeout(0);
      socket.off("error", failed);
      resolve(socket);
    });
  });
}

/** A connection that could not be made, in the words of Go's `net`. */
export class DialError extends Error {
  override readonly name = "DialError";
}

const goMessages: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "read: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

/** What Go's `net` would say. */
export function dialMessage(error: Error, { host, port }: { host: string; port: number }): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `dial tcp: lookup ${host}: no such host`;
  return `dial tcp ${hostAndPort({ host, port })}: ${goMessages[code ?? ""] ?? error.message}`;
}
