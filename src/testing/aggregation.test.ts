import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { resource } from "../apimachinery/index.ts";
import type { KubernetesObject } from "../apimachinery/index.ts";
import { APIService } from "../api/types/apiregistration-v1.ts";
import { Namespace, Service } from "../api/types/core-v1.ts";
import { createHttpClient, loadKubeconfig } from "../client/http/index.ts";
import { createCertificateAuthority, issueCertificate } from "../pki/index.ts";
import { startCluster } from "./cluster.ts";

const names = { group: "things.example.com", version: "v1" };
const Thing = resource<KubernetesObject>({ ...names, kind: "Thing", plural: "things", namespaced: true });
const root = "/apis/things.example.com/v1";
const list = {
  kind: "ThingList",
  apiVersion: "things.example.com/v1",
  metadata: { resourceVersion: "1" },
  items: [],
};
const documents: Readonly<Record<string, object>> = {
  [root]: {
    kind: "APIResourceList",
    groupVersion: "things.example.com/v1",
    resources: [{ name: "things", singularName: "thing", kind: "Thing", namespaced: true, verbs: ["list"] }],
  },
  [`${root}/namespaces/default/things`]: list,
};

/** An extension server that serves things, of which there are none. */
async function serveThings() {
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "things", now });
  const { certificate: cert, key } = await issueCertificate({
    ca,
    commonName: "things",
    usages: ["server"],
    now,
  });
  const server = createServer({ cert, key }, ({ url = "" }, response) => {
    const found = documents[url];
    response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(found ?? {}));
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server };
}

test("a cluster aggregates the APIs of extension servers, for clients within and without the process", async () => {
  const { port, server } = await serveThings();
  const cluster = await startCluster({ nodes: 0 });
  const { client } = cluster;
  const service = { namespace: "things", name: "api", port };
  await client.create(Namespace, { metadata: { name: "things" } });
  await client.create(Service, {
    metadata: { namespace: "things", name: "api" },
    spec: { type: "ExternalName", externalName: "localhost" },
  });
  const priorities = { groupPriorityMinimum: 1_000, versionPriority: 10 };
  await client.create(APIService, {
    metadata: { name: "v1.things.example.com" },
    spec: { ...names, service, insecureSkipTLSVerify: true, ...priorities },
  });
  const ending = new AbortController();
  for await (const events of client.watch(APIService, { signal: ending.signal })) {
    const isUp = events.some(({ object }) =>
      (object as APIService).status?.conditions?.some(({ reason }) => reason === "Passed"),
    );
    if (isUp) ending.abort();
  }
  expect(await client.list(Thing, { namespace: "default" })).toEqual(list);
  const { options } = await loadKubeconfig({ text: await cluster.kubeconfig() });
  const outside = createHttpClient(options);
  expect(await outside.list(Thing, { namespace: "default" })).toEqual(list);
  outside.close();
  await cluster.stop();
  server.closeAllConnections();
  server.close();
});
