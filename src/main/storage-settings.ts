import { readFileSync } from "node:fs";
import { parseDuration } from "../apimachinery/index.ts";
import type { Milliseconds } from "../base/index.ts";
import type { ControlPlaneOptions } from "../control-plane/index.ts";
import type { EtcdStoreOptions } from "../etcd/client/index.ts";
import type { HistoryPolicy } from "../store/index.ts";
import { UsageError } from "./flags.ts";
import type { StorageTexts } from "./storage-flags.ts";

/** Where objects are kept. */
export interface StorageSettings {
  /** Undefined: in the cluster's own files. */
  readonly etcd: Pick<EtcdStoreOptions, "servers" | "tls" | "place"> | undefined;
  /** 0: history is not compacted here. */
  readonly compactionInterval: Milliseconds | undefined;
  /** How much history the cluster's own files keep. */
  readonly history: HistoryPolicy;
  readonly mediaType: StorageMediaType;
}

type StorageMediaType = NonNullable<ControlPlaneOptions["storageMediaType"]>;

const mediaTypes = ["application/json", "application/vnd.kubernetes.protobuf"] as const;
const ownRoot = "/registry";

/** What the texts of flags set; throws when one makes no sense. */
export function storageSettings(texts: StorageTexts): StorageSettings {
  const servers = (texts["etcd-servers"] ?? "").split(",").filter((url) => url !== "");
  for (const url of servers) {
    if (!URL.canParse(url) || !/^https?:\/\//.test(url)) {
      throw new UsageError(`--etcd-servers ${url} is no URL such as https://127.0.0.1:2379`);
    }
  }
  const [authority, certificate, key] = (["etcd-cafile", "etcd-certfile", "etcd-keyfile"] as const).map(
    (name) => fileOf(name, texts[name]),
  );
  if ((certificate === undefined) !== (key === undefined)) {
    throw new UsageError("--etcd-certfile and --etcd-keyfile belong together: give both or none");
  }
  if (
    servers.length === 0 &&
    texts["etcd-servers"] === undefined &&
    (authority ?? certificate) !== undefined
  ) {
    throw new UsageError("--etcd-servers must be specified");
  }
  const theirs = `/${(texts["etcd-prefix"] ?? ownRoot).replace(/^\/+|\/+$/g, "")}`;
  const interval = intervalOf(texts["etcd-compaction-interval"]);
  const { "history-revisions": revisions, "history-bytes": bytes } = texts;
  return {
    etcd:
      servers.length === 0
        ? undefined
        : {
            servers,
            tls: {
              ...(authority === undefined ? {} : { authority }),
              ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
            },
            place: { ours: ownRoot, theirs },
          },
    mediaType: mediaTypeOf(
      texts["storage-media-type"] ?? (servers.length > 0 ? mediaTypes[1] : mediaTypes[0]),
    ),
    compactionInterval: interval,
    history: {
      ...(interval === undefined ? {} : { interval }),
      ...(revisions === undefined ? {} : { revisions: Number(revisions) }),
      ...(bytes === undefined ? {} : { bytes: Number(bytes) }),
    },
  };
}

function mediaTypeOf(text: string): StorageMediaType {
  const type = mediaTypes.find((one) => one === text);
  if (type) return type;
  throw new UsageError(`--storage-media-type "${text}" invalid, allowed values: ${mediaTypes.join(", ")}`);
}

function fileOf(flag: string, path: string | undefined): string | undefined {
  if (path === undefined || path === "") return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--${flag} cannot be read: ${why}`);
  }
}

function intervalOf(text: string | undefined): Milliseconds | undefined {
  if (text === undefined) return undefined;
  try {
    return Number(parseDuration(text)) / 1e6;
  } catch (error) {
    throw new UsageError(
      `--etcd-compaction-interval ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
