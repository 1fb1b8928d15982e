import { existsSync } from "node:fs";
import { invariant } from "../base/index.ts";
import { BoltError } from "../etcd/bolt/index.ts";
import {
  openSnapshot,
  planSnapshot,
  type Snapshot,
  snapshotStatus,
  type SnapshotStatus,
  withoutChecksum,
} from "../etcd/snapshot/index.ts";
import { accountItems } from "../etcd/server/index.ts";
import { GrpcError } from "../grpc/index.ts";
import { StoreError } from "../store/index.ts";
import { openLogStore, seedLogStore } from "../store/log/index.ts";
import type { CommandContext } from "./command.ts";
import { readConfiguration } from "./configuration.ts";
import { StartError } from "./daemon.ts";
import { openEndpoint } from "./etcd-endpoint.ts";
import { type FlagValues, UsageError } from "./flags.ts";
import { defaultDirectory, layoutOf } from "./layout.ts";
import { withFile, writeWhole } from "./snapshot-file.ts";

/** `kubets snapshot`: saves, restores and looks at snapshots in etcd's format. */
export async function snapshot(flags: FlagValues, { print, positionals }: CommandContext): Promise<number> {
  const [verb, path, ...rest] = positionals;
  if (path === undefined || rest.length > 0) {
    throw new UsageError("say what to do: snapshot save FILE, restore FILE, or status FILE");
  }
  if (verb !== "save" && !existsSync(path)) throw new UsageError(`there is no file ${path}`);
  try {
    switch (verb) {
      case "save":
        print(await save(path, flags));
        return 0;
      case "restore":
        print(await withFile(path, (file) => restore(openSnapshot(file, { isBare: true }), flags)));
        return 0;
      case "status":
        print(
          await withFile(path, (file) => shown(snapshotStatus(withoutChecksum(file)), flags["write-out"])),
        );
        return 0;
      default:
        throw new UsageError(`unknown verb ${JSON.stringify(verb)}: save, restore or status`);
    }
  } catch (error) {
    if (error instanceof BoltError) throw new StartError(`${path}: ${error.message}`);
    if (error instanceof StoreError || error instanceof GrpcError) throw new StartError(error.message);
    throw error;
  }
}

/** The directory of the store that the flags mean. */
function storeOf(flags: FlagValues): string {
  const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
  return (flags["data-dir"] as string | undefined) ?? layout.store;
}

/** The etcd that the flags mean, be it that which the cluster keeps its objects in or that at its socket. */
function endpointOf(flags: FlagValues): FlagValues | undefined {
  if (flags.endpoints !== undefined) return flags;
  if (flags["data-dir"] !== undefined) return undefined;
  const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
  const storage = readConfiguration(layout)?.storage ?? {};
  if (storage["etcd-servers"]) {
    return {
      endpoints: storage["etcd-servers"],
      cacert: storage["etcd-cafile"],
      cert: storage["etcd-certfile"],
      key: storage["etcd-keyfile"],
    };
  }
  return existsSync(layout.etcdSocket) ? { endpoints: `unix://${layout.etcdSocket}` } : undefined;
}

async function save(path: string, flags: FlagValues): Promise<string> {
  const endpointFlags = endpointOf(flags);
  if (endpointFlags) {
    const endpoint = await openEndpoint(endpointFlags);
    try {
      await writeWhole(path, endpoint.snapshot());
    } finally {
      endpoint.close();
    }
  } else {
    const directory = storeOf(flags);
    if (!existsSync(directory)) throw new UsageError(`there is no store in ${directory}`);
    const store = await openLogStore({ directory });
    try {
      await writeWhole(path, (await planSnapshot(store)).blocks());
    } finally {
      await store.close();
    }
  }
  const { revision } = await withFile(path, (file) => openSnapshot(file));
  return `Snapshot of revision ${revision} saved at ${path}`;
}

async function restore(snapshot: Snapshot, flags: FlagValues): Promise<string> {
  if (flags.endpoints !== undefined) {
    const endpoint = await openEndpoint(flags);
    try {
      const count = await endpoint.restore(snapshot);
      return `${count} keys written to ${flags.endpoints}: their revisions are new`;
    } finally {
      endpoint.close();
    }
  }
  const directory = storeOf(flags);
  const { revision, leases } = snapshot;
  // Accounts are those of an etcd: a cluster's users are the API server's.
  const accounts = flags["data-dir"] === undefined ? [] : accountItems(snapshot);
  await seedLogStore(directory, { revision, leases, items: chained(snapshot.items(), accounts) });
  return `Restored to ${directory} at revision ${revision}`;
}

function* chained<T>(...parts: Iterable<T>[]): Iterable<T> {
  for (const part of parts) yield* part;
}

function shown({ hash, revision, totalKey, totalSize }: SnapshotStatus, format: FlagValues[string]): string {
  const columns = [hash.toString(16), String(revision), String(totalKey), humanBytes(totalSize)];
  switch (format ?? "simple") {
    case "simple":
      return columns.join(", ");
    case "json":
      return JSON.stringify({ hash, revision, totalKey, totalSize });
    case "table":
      return table(["HASH", "REVISION", "TOTAL KEYS", "TOTAL SIZE"], columns);
    default:
      throw new UsageError(`unknown format ${JSON.stringify(format)}: simple, json or table`);
  }
}

/** A table of one row, as etcdctl draws it: heads in the middle, values to the right where they are numbers. */
function table(heads: readonly string[], values: readonly string[]): string {
  const widths = heads.map((head, index) => Math.max(head.length, values[index]!.length));
  const line = `+${widths.map((width) => "-".repeat(width + 2)).join("+")}+`;
  const head = heads.map((text, index) => {
    const free = widths[index]! - text.length;
    return `${" ".repeat(Math.ceil(free / 2))}${text}${" ".repeat(Math.floor(free / 2))}`;
  });
  const row = values.map((text, index) =>
    /^\d/.test(text) && index > 0 ? text.padStart(widths[index]!) : text.padEnd(widths[index]!),
  );
  return [line, `| ${head.join(" | ")} |`, line, `| ${row.join(" | ")} |`, line].join("\n");
}

/** Bytes with two digits and a unit, as etcdctl prints them. */
function humanBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let power = 0;
  while (bytes >= 1000 ** (power + 1) && power < units.length - 1) power++;
  const unit = units[power];
  invariant(unit !== undefined, "there is a unit for any size");
  const value = Math.floor((bytes / 1000 ** power) * 10 + 0.5) / 10;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
