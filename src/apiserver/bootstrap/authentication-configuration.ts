import { createUnlessPresent } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { ConfigMap } from "../../api/types/core-v1.ts";
import type { RequestHeaderOptions } from "../http/request-header.ts";
import type { ObjectReader } from "../reader.ts";

const key = { namespace: "kube-system", name: "extension-apiserver-authentication" };

/** Tells aggregated servers how they know clients and proxies: by which authorities, in PEM, and which headers. */
export async function publishClientAuthority(options: {
  readonly client: Client;
  readonly reader: ObjectReader;
  readonly clientAuthority: string;
  readonly requestHeader?: RequestHeaderOptions | undefined;
}): Promise<void> {
  const { client, reader, clientAuthority, requestHeader } = options;
  const data = { "client-ca-file": clientAuthority, ...(requestHeader && proxyData(requestHeader)) };
  const present = reader.get(ConfigMap, key);
  if (present === undefined) {
    return createUnlessPresent(client, ConfigMap, { metadata: key, data });
  }
  if (Object.entries(data).every(([name, value]) => present.data?.[name] === value)) return;
  await client.patch(ConfigMap, key, { type: "merge", body: { data } });
}

const proxyData = (options: RequestHeaderOptions): Readonly<Record<string, string>> => ({
  "requestheader-client-ca-file": options.clientAuthority,
  "requestheader-allowed-names": JSON.stringify(options.allowedNames),
  "requestheader-username-headers": JSON.stringify(options.usernameHeaders),
  "requestheader-uid-headers": JSON.stringify(options.uidHeaders),
  "requestheader-group-headers": JSON.stringify(options.groupHeaders),
  "requestheader-extra-headers-prefix": JSON.stringify(options.extraHeadersPrefixes),
});
