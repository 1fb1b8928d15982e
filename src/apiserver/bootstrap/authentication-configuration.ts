import { createUnlessPresent } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { ConfigMap } from "../../api/types/core-v1.ts";
import type { ObjectReader } from "../reader.ts";

const key = { namespace: "kube-system", name: "extension-apiserver-authentication" };

/** Tells aggregated servers by which authority they know clients, in PEM. */
export async function publishClientAuthority(options: {
  readonly client: Client;
  readonly reader: ObjectReader;
  readonly clientAuthority: string;
}): Promise<void> {
  const { client, reader, clientAuthority } = options;
  const data = { "client-ca-file": clientAuthority };
  const present = reader.get(ConfigMap, key);
  if (present === undefined) {
    return createUnlessPresent(client, ConfigMap, { metadata: key, data });
  }
  if (present.data?.["client-ca-file"] === clientAuthority) return;
  await client.patch(ConfigMap, key, { type: "merge", body: { data } });
}
