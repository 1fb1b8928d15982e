import { isIP } from "node:net";
import { createCaller, openChannel } from "../../grpc/index.ts";
import type { Caller, ClientTls } from "../../grpc/index.ts";
import { etcdCodec, messages, methods } from "../messages.ts";

/** Pings find out that a member answers no longer; etcd refuses more than one in 5 seconds. */
const keepaliveTime = 10_000;
const keepaliveTimeout = 5_000;
const firstReconnect = 50;
const longestReconnect = 1_000;
/** Answers are as large as what they are asked for; etcd has no limit to them. */
const largestAnswer = 2 ** 31 - 1;
/** etcd's own default limit of requests, 1.5 MB, is told by etcd. */
const largestRequest = 2 ** 31 - 1;

/** PEM text of who is trusted and who we are. */
export type EtcdTls = Omit<ClientTls, "host">;

/** One member of the cluster. */
export interface Endpoint {
  readonly url: string;
  readonly caller: Caller<typeof messages, typeof methods>;
  close(): void;
}

/** Prepares the connection to a member at a URL such as `https://10.0.0.1:2379`. */
export function openEndpoint(url: string, tls: EtcdTls = {}): Endpoint {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new Error(`etcd's URL ${url} must start with http:// or https://`);
  }
  const host = hostname.replace(/^\[|\]$/g, "");
  const target = `${isIP(host) === 6 ? "ipv6" : isIP(host) === 4 ? "ipv4" : "dns"}:${hostname}:${port || "2379"}`;
  const channel = openChannel(target, {
    ...(protocol === "https:" ? { tls: { ...tls, host } } : {}),
    settings: {
      "grpc.keepalive_time_ms": keepaliveTime,
      "grpc.keepalive_timeout_ms": keepaliveTimeout,
      "grpc.initial_reconnect_backoff_ms": firstReconnect,
      "grpc.max_reconnect_backoff_ms": longestReconnect,
      "grpc.max_receive_message_length": largestAnswer,
      "grpc.max_send_message_length": largestRequest,
    },
  });
  return {
    url,
    caller: createCaller(channel, { codec: etcdCodec, methods }),
    close: () => channel.close(),
  };
}
