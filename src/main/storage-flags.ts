import type { FlagDefinition, FlagValues } from "./flags.ts";

/** Upstream's flags of where the API server keeps its objects. */
export const storageFlags = {
  "etcd-servers": text(
    "URL,...",
    "keep objects in this etcd instead of files of its own: http(s)://HOST:PORT",
  ),
  "etcd-cafile": text("FILE", "authority of etcd's certificates"),
  "etcd-certfile": text("FILE", "certificate to show to etcd"),
  "etcd-keyfile": text("FILE", "key of that certificate"),
  "etcd-prefix": text("PREFIX", "what keys in etcd start with (default /registry)"),
  "etcd-compaction-interval": text(
    "DURATION",
    "how often history is compacted, and how much is kept (default 5m0s)",
  ),
  "history-revisions": {
    type: "integer",
    placeholder: "N",
    description: "at most so many revisions of history in files of its own (default: by time alone)",
    minimum: 1,
  },
  "history-bytes": {
    type: "integer",
    placeholder: "N",
    description: "less history in files of its own when all takes more bytes (default: by time alone)",
    minimum: 1,
  },
  "storage-media-type": text(
    "TYPE",
    "of objects in the store: application/json, application/vnd.kubernetes.protobuf (default with etcd)",
  ),
} as const satisfies Readonly<Record<string, FlagDefinition>>;

/** Texts of those flags that were said. */
export type StorageTexts = Readonly<Partial<Record<keyof typeof storageFlags, string>>>;

/** What is said on the command line of these flags. */
export function storageTexts(flags: FlagValues): StorageTexts {
  return Object.fromEntries(
    Object.keys(storageFlags).flatMap((name) => {
      const value = flags[name];
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );
}

function text(placeholder: string, description: string) {
  return { type: "string", placeholder, description } as const;
}
