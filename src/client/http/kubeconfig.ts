import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import type { HttpClientOptions } from "./http-client.ts";

interface Named {
  readonly name: string;
}
interface ClusterEntry extends Named {
  readonly cluster?: {
    readonly server?: string;
    readonly "certificate-authority"?: string;
    readonly "certificate-authority-data"?: string;
    readonly "insecure-skip-tls-verify"?: boolean;
    readonly "tls-server-name"?: string;
  };
}
interface UserEntry extends Named {
  readonly user?: {
    readonly "client-certificate"?: string;
    readonly "client-certificate-data"?: string;
    readonly "client-key"?: string;
    readonly "client-key-data"?: string;
    readonly token?: string;
    readonly tokenFile?: string;
    readonly as?: string;
    readonly "as-groups"?: readonly string[];
  };
}
interface ContextEntry extends Named {
  readonly context?: { readonly cluster?: string; readonly user?: string; readonly namespace?: string };
}

/** A kubeconfig file's content. */
export interface Kubeconfig {
  readonly clusters?: readonly ClusterEntry[];
  readonly users?: readonly UserEntry[];
  readonly contexts?: readonly ContextEntry[];
  readonly "current-context"?: string;
}

/** What a kubeconfig says for one context. */
export interface LoadedKubeconfig {
  readonly options: HttpClientOptions;
  /** The context's namespace, `default` if it has none. */
  readonly namespace: string;
  readonly context: string;
}

/** Reads a kubeconfig, from `file` or given as `text`, for its current context or the one named. */
export async function loadKubeconfig(from: {
  readonly file?: string;
  readonly text?: string;
  readonly context?: string;
}): Promise<LoadedKubeconfig> {
  const text = from.text ?? (await readFile(from.file ?? "", "utf8"));
  const { load } = await import("js-yaml");
  const config = (load(text) ?? {}) as Kubeconfig;
  const directory = from.file === undefined ? "." : dirname(from.file);
  const name = from.context ?? config["current-context"] ?? "";
  const context = find(config.contexts, { kind: "context", name }).context ?? {};
  const { cluster = {} } = find(config.clusters, { kind: "cluster", name: context.cluster ?? "" });
  const { user = {} } = context.user ? find(config.users, { kind: "user", name: context.user }) : {};
  const content = contentReader(directory);
  const options: HttpClientOptions = {
    server: cluster.server ?? "http://localhost:8080",
    ca: await content(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    cert: await content(user["client-certificate-data"], user["client-certificate"]),
    key: await content(user["client-key-data"], user["client-key"]),
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"],
    tlsServerName: cluster["tls-server-name"],
    token: user.token,
    tokenFile: user.tokenFile === undefined ? undefined : within(directory, user.tokenFile),
    impersonate: user.as === undefined ? undefined : { user: user.as, groups: user["as-groups"] ?? [] },
  };
  return { options, namespace: context.namespace ?? "default", context: name };
}

function find<T extends Named>(entries: readonly T[] | undefined, wanted: { kind: string; name: string }): T {
  const entry = entries?.find(({ name }) => name === wanted.name);
  if (entry === undefined) throw new Error(`${wanted.kind} "${wanted.name}" does not exist`);
  return entry;
}

const within = (directory: string, path: string) => (isAbsolute(path) ? path : join(directory, path));

/** Reads base64 data, or else a file relative to the kubeconfig's directory. */
function contentReader(directory: string) {
  return async (data: string | undefined, file: string | undefined): Promise<string | undefined> => {
    if (data) return Buffer.from(data, "base64").toString("utf8");
    return file ? readFile(within(directory, file), "utf8") : undefined;
  };
}
