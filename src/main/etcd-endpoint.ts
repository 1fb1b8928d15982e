import { readFileSync } from "node:fs";
import { etcdCodec, type EtcdInput, methods } from "../etcd/index.ts";
import type { Snapshot } from "../etcd/snapshot/index.ts";
import { type Channel, type ClientTls, createCaller, openChannel } from "../grpc/index.ts";
import type { Versioned } from "../store/index.ts";
import { StartError } from "./daemon.ts";
import { type FlagValues, UsageError } from "./flags.ts";

/** A running etcd v3 for snapshots. */
export interface SnapshotEndpoint {
  /** The bytes of a snapshot. */
  snapshot(): AsyncIterable<Uint8Array>;
  /** Writes keys and leases to a server that has no keys; answers how many. */
  restore(snapshot: Snapshot): Promise<number>;
  close(): void;
}

/** Keys and bytes of one transaction. */
const keysAtOnce = 100;
const bytesAtOnce = 1024 * 1024;
const largestMessage = 64 * 1024 * 1024;

/** Connects to the first of the endpoints, with what the flags say of TLS and the user. */
export async function openEndpoint(flags: FlagValues): Promise<SnapshotEndpoint> {
  const [first = ""] = ((flags.endpoints as string | undefined) ?? "").split(",");
  const isSecure = first.startsWith("https://") || flags.cacert !== undefined;
  const place = first.replace(/^https?:\/\//, "").replace(/\/$/, "");
  const channel = openChannel(place.startsWith("unix:") ? place : `dns:${place}`, {
    ...(isSecure ? { tls: tlsOf(new URL(`https://${place}`).hostname, flags) } : {}),
    settings: { "grpc.max_receive_message_length": largestMessage },
  });
  const calls = callsOf(channel);
  const headers = await login(calls, flags.user as string | undefined);
  return {
    async *snapshot() {
      for await (const { blob } of calls.responses("Snapshot", {}, { headers })) yield blob;
    },
    restore: (snapshot) => restoreTo(calls, { snapshot, headers }),
    close: () => channel.close(),
  };
}

type Calls = ReturnType<typeof callsOf>;
const callsOf = (channel: Channel) => createCaller(channel, { codec: etcdCodec, methods });

function tlsOf(hostname: string, flags: FlagValues): ClientTls {
  const read = (flag: string) =>
    flags[flag] === undefined ? undefined : readFileSync(flags[flag] as string, "utf8");
  const entries = { authority: read("cacert"), certificate: read("cert"), key: read("key") };
  const given = Object.entries(entries).filter(([, text]) => text !== undefined);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), ...Object.fromEntries(given) };
}

async function login(calls: Calls, user: string | undefined): Promise<Record<string, string>> {
  if (user === undefined) return {};
  const colon = user.indexOf(":");
  if (colon < 0) throw new UsageError("--user wants NAME:PASSWORD");
  const credentials = { name: user.slice(0, colon), password: user.slice(colon + 1) };
  const { token } = await calls.unary("Authenticate", credentials);
  return { token };
}

async function restoreTo(
  calls: Calls,
  { snapshot, headers }: { readonly snapshot: Snapshot; readonly headers: Record<string, string> },
): Promise<number> {
  const { count } = await calls.unary("Range", { key: "\0", rangeEnd: "\0", countOnly: true }, { headers });
  if (count > 0)
    throw new StartError(`the endpoint has ${count} keys: a snapshot is restored to an empty one`);
  for (const { id, granted } of snapshot.leases) {
    await calls.unary("LeaseGrant", { id, ttl: Math.ceil(granted / 1000) }, { headers });
  }
  let written = 0;
  for (const group of groups(snapshot.items())) {
    await calls.unary("Txn", { success: group.map(putOf) }, { headers });
    written += group.length;
  }
  return written;
}

function putOf({ key, value, lease }: Versioned): EtcdInput<"RequestOp"> {
  return { requestPut: { key, value, lease } };
}

function* groups(items: Iterable<Versioned>): Iterable<Versioned[]> {
  let group: Versioned[] = [];
  let bytes = 0;
  for (const item of items) {
    if (group.length >= keysAtOnce || (group.length > 0 && bytes + item.value.length > bytesAtOnce)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(item);
    bytes += item.value.length;
  }
  if (group.length > 0) yield group;
}
