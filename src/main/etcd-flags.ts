import type { Milliseconds } from "../base/index.ts";
import { type FlagDefinition, type FlagValues, UsageError } from "./flags.ts";

const urls = (description: string): FlagDefinition => ({
  type: "string",
  placeholder: "URL,...",
  description,
});
const path = (description: string): FlagDefinition => ({ type: "string", placeholder: "FILE", description });

/** Flags of `kubets etcd`, with etcd's names and defaults. */
export const etcdFlags: Readonly<Record<string, FlagDefinition>> = {
  name: { type: "string", placeholder: "NAME", description: "name of the member (default default)" },
  "data-dir": { type: "string", placeholder: "DIR", description: "where the data lie (default NAME.etcd)" },
  "listen-client-urls": urls("where clients are served (default http://localhost:2379); also unix:///path"),
  "advertise-client-urls": urls("what clients are told of it (default the same)"),
  "listen-metrics-urls": urls("where /metrics and /health are served besides"),
  "cert-file": path("certificate for https"),
  "key-file": path("key of the certificate"),
  "trusted-ca-file": path("who signs the certificates of clients"),
  "client-cert-auth": { type: "boolean", description: "clients must have a certificate" },
  "auto-compaction-mode": {
    type: "string",
    placeholder: "MODE",
    description: "periodic or revision (default periodic)",
  },
  "auto-compaction-retention": {
    type: "string",
    placeholder: "LENGTH",
    description: "history to keep: hours or 30m for periodic, a number for revision; 0: all (default 0)",
  },
  "quota-backend-bytes": {
    type: "integer",
    placeholder: "BYTES",
    description: "size of the data above which writes are refused (default 2147483648)",
  },
  "max-request-bytes": {
    type: "integer",
    placeholder: "BYTES",
    description: "size of the largest request (default 1572864)",
  },
  "max-txn-ops": {
    type: "integer",
    placeholder: "N",
    description: "operations of a transaction (default 128)",
  },
  "bcrypt-cost": {
    type: "integer",
    placeholder: "N",
    description: "rounds of a password's hash, as a power of two (default 10)",
    minimum: 4,
    maximum: 31,
  },
  "log-level": {
    type: "string",
    placeholder: "LEVEL",
    description: "debug, info, warn or error (default info)",
  },
  "listen-peer-urls": urls("taken for etcd's sake: there are no peers"),
  "initial-advertise-peer-urls": urls("makes the numbers of member and cluster, as in etcd"),
  "initial-cluster": { type: "string", placeholder: "NAME=URL", description: "must name this member alone" },
};

/** What the flags say. */
export interface EtcdSettings {
  readonly name: string;
  readonly directory: string;
  readonly listen: readonly URL[];
  readonly advertise: readonly string[];
  readonly metrics: readonly URL[];
  readonly peers: readonly string[];
  readonly tls: Readonly<Record<"certificate" | "key" | "authority", string | undefined>>;
  readonly requiresCertificate: boolean;
  /** How much history is kept; undefined: all. */
  readonly history: { readonly interval: Milliseconds } | { readonly revisions: number } | undefined;
  readonly limits: {
    readonly quotaBytes: number;
    readonly requestBytes: number;
    readonly operations: number;
  };
  readonly passwordCost: number;
  readonly level: "debug" | "info" | "warn" | "error";
}

const defaultQuota = 2 * 1024 ** 3;
const hour: Milliseconds = 3_600_000;

/** Reads the flags; throws a `UsageError` for what cannot be served. */
export function etcdSettings(flags: FlagValues): EtcdSettings {
  const text = (flag: string) => flags[flag] as string | undefined;
  const number = (flag: string, standard: number) => (flags[flag] as number | undefined) ?? standard;
  const name = text("name") ?? "default";
  const listen = text("listen-client-urls") ?? "http://localhost:2379";
  const level = text("log-level") ?? "info";
  if (level !== "debug" && level !== "info" && level !== "warn" && level !== "error") {
    throw new UsageError(`unknown log level ${JSON.stringify(level)}`);
  }
  if ((text("initial-cluster") ?? "").includes(",")) {
    throw new UsageError("--initial-cluster names several members: kubets etcd is always the only one");
  }
  const settings = {
    name,
    directory: text("data-dir") ?? `${name}.etcd`,
    listen: urlsOf("listen-client-urls", listen),
    advertise: (text("advertise-client-urls") ?? listen).split(","),
    metrics: urlsOf("listen-metrics-urls", text("listen-metrics-urls") ?? ""),
    peers: (text("initial-advertise-peer-urls") ?? "http://localhost:2380").split(","),
    tls: {
      certificate: text("cert-file"),
      key: text("key-file"),
      authority: text("trusted-ca-file"),
    },
    requiresCertificate: flags["client-cert-auth"] === true,
    history: historyOf(text("auto-compaction-mode") ?? "periodic", text("auto-compaction-retention") ?? "0"),
    limits: {
      quotaBytes: number("quota-backend-bytes", defaultQuota) || defaultQuota,
      requestBytes: number("max-request-bytes", 1.5 * 1024 * 1024),
      operations: number("max-txn-ops", 128),
    },
    passwordCost: number("bcrypt-cost", 10),
    level,
  } as const;
  const isSecure = [...settings.listen, ...settings.metrics].some(({ protocol }) => protocol === "https:");
  if (isSecure && (settings.tls.certificate === undefined || settings.tls.key === undefined)) {
    throw new UsageError("https needs --cert-file and --key-file");
  }
  return settings;
}

function urlsOf(flag: string, text: string): URL[] {
  return text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const url = URL.canParse(part) ? new URL(part) : undefined;
      if (url && ["http:", "https:", "unix:"].includes(url.protocol)) return url;
      throw new UsageError(`--${flag}: ${JSON.stringify(part)} is no http, https or unix URL`);
    });
}

function historyOf(mode: string, retention: string): EtcdSettings["history"] {
  if (mode !== "periodic" && mode !== "revision") {
    throw new UsageError(`unknown auto-compaction-mode ${JSON.stringify(mode)}`);
  }
  const units = { h: hour, m: 60_000, s: 1000 };
  const [, amount, unit] = /^(\d+)([hms]?)$/.exec(retention) ?? [];
  if (amount === undefined || (mode === "revision" && unit !== "")) {
    throw new UsageError(`--auto-compaction-retention: ${JSON.stringify(retention)} is no length of history`);
  }
  if (Number(amount) === 0) return undefined;
  if (mode === "revision") return { revisions: Number(amount) };
  return { interval: Number(amount) * units[(unit || "h") as keyof typeof units] };
}
