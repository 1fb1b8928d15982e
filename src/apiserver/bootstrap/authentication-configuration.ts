import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { combinedAuthorities, semanticallyEqual } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { ConfigMap } from "../../api/types/core-v1.ts";
import type { RequestHeaderOptions } from "../http/request-header.ts";
import type { ObjectReader } from "../reader.ts";

const key = { namespace: "kube-system", name: "extension-apiserver-authentication" };
const retryDelay: Milliseconds = 30_000;

interface ClientAuthorityOptions {
  readonly client: Client;
  readonly reader: ObjectReader;
  readonly clock: Clock;
  /** PEM of the authority of clients' certificates. */
  readonly clientAuthority: string;
  readonly requestHeader?: RequestHeaderOptions | undefined;
}

type Data = Readonly<Record<string, string>>;

/**
 * What aggregated servers are told of how they know clients and proxies: what others say, be they other API servers
 * of the cluster, and what this one says. Nothing else has a place there.
 */
export function authenticationData(
  present: Data,
  {
    clientAuthority,
    requestHeader,
    now,
  }: Omit<ClientAuthorityOptions, "client" | "reader" | "clock"> & {
    readonly now: number;
  },
): Data {
  const authorities = (field: string, own: string | undefined) =>
    combinedAuthorities(
      [present[field], own].filter((text) => text !== undefined && text !== "") as string[],
      { now },
    );
  const names = (field: string, own: readonly string[] = []) => {
    const others = JSON.parse(present[field] || "[]") as readonly string[];
    return [field, JSON.stringify(Array.from(new Set([...others, ...own])))];
  };
  const clients = authorities("client-ca-file", clientAuthority);
  const proxies = authorities("requestheader-client-ca-file", requestHeader?.clientAuthority);
  return {
    ...(clients === "" ? {} : { "client-ca-file": clients }),
    ...(proxies === ""
      ? {}
      : {
          "requestheader-client-ca-file": proxies,
          ...Object.fromEntries([
            names("requestheader-allowed-names", requestHeader?.allowedNames),
            names("requestheader-username-headers", requestHeader?.usernameHeaders),
            names("requestheader-uid-headers", requestHeader?.uidHeaders),
            names("requestheader-group-headers", requestHeader?.groupHeaders),
            names("requestheader-extra-headers-prefix", requestHeader?.extraHeadersPrefixes),
          ]),
        }),
  };
}

async function publishClientAuthority(options: ClientAuthorityOptions): Promise<void> {
  const { client, reader, clock } = options;
  const present = reader.get(ConfigMap, key);
  const data = authenticationData(present?.data ?? {}, { ...options, now: clock.now() });
  if (present === undefined) await client.create(ConfigMap, { metadata: key, data });
  else if (!semanticallyEqual(present.data ?? {}, data)) await client.update(ConfigMap, { ...present, data });
}

/**
 * Tells aggregated servers how they know clients and proxies: by which authorities and which headers. Keeps it told
 * until the signal aborts, whoever changes or removes it.
 */
export async function keepClientAuthority(
  options: ClientAuthorityOptions & { readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { reader, clock, logger } = options;
  let wake: () => void = () => undefined;
  const end = reader.subscribe(ConfigMap, ({ object, old }) => {
    const { name, namespace } = (object ?? old)?.metadata ?? {};
    if (name === key.name && namespace === key.namespace) wake();
  });
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    const changed = new Promise<void>((resolve) => (wake = resolve));
    try {
      await publishClientAuthority(options);
      await changed;
    } catch (error) {
      // Someone else was faster: what they wrote is looked at next.
      if (ApiError.is(error, "Conflict") || ApiError.is(error, "AlreadyExists")) continue;
      logger.warn("what aggregated servers trust could not be told", { error });
      await Promise.race([changed, clock.sleep(retryDelay, signal).catch(() => undefined)]);
    }
  }
  end();
}
