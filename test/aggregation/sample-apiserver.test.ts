import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { json } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import type { Client, UserInfo } from "../../src/api/index.ts";
import { resource, type KubernetesObject } from "../../src/apimachinery/index.ts";
import { APIService } from "../../src/api/types/apiregistration-v1.ts";
import type { TokenRequest } from "../../src/api/types/authentication-v1.ts";
import { ConfigMap, Namespace, ResourceQuota, Service, ServiceAccount } from "../../src/api/types/core-v1.ts";
import { ClusterRole, ClusterRoleBinding } from "../../src/api/types/rbac-v1.ts";
import { generateServiceAccountKey } from "../../src/apiserver/authentication/index.ts";
import { serveApi } from "../../src/apiserver/http/index.ts";
import { createControlPlane, renderKubeconfig } from "../../src/control-plane/index.ts";
import { createCertificateAuthority, issueCertificate } from "../../src/pki/index.ts";
import { createMemoryStore } from "../../src/store/index.ts";
import { startOurs } from "../etcd/harness.ts";
import { freePort, HttpsClient } from "../integration/harness.ts";

/** A folder with upstream's `sample-apiserver`. */
const upstreamFolder = process.env["KUBETS_UPSTREAM"];
const administrator = { name: "admin", groups: ["system:masters"] };
const host = "127.0.0.1";
const group = "/apis/wardle.example.com/v1alpha1";
const flunders = `${group}/namespaces/default/flunders`;
const apiVersion = "wardle.example.com/v1alpha1";

const Flunder = resource<KubernetesObject>({
  group: "wardle.example.com",
  version: "v1alpha1",
  kind: "Flunder",
  plural: "flunders",
  namespaced: true,
});

/** Asks the extension server without ours in between. */
async function direct(url: string, headers: Readonly<Record<string, string>>) {
  const request = get(url, { headers, rejectUnauthorized: false, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode, body: (await json(response)) as object };
}

/** Our API server with aggregation, and its kubeconfig. */
async function startServer(scratch: string) {
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "kubernetes", now });
  const proxyCa = await createCertificateAuthority({ commonName: "front-proxy-ca", now });
  const issue = (commonName: string, usage: "server" | "client", organizations: string[] = []) =>
    issueCertificate({ ca, commonName, organizations, usages: [usage], ipAddresses: [host], now });
  const requestHeader = {
    clientAuthority: proxyCa.certificate,
    allowedNames: ["front-proxy-client"],
    usernameHeaders: ["X-Remote-User"],
    uidHeaders: ["X-Remote-Uid"],
    groupHeaders: ["X-Remote-Group"],
    extraHeadersPrefixes: ["X-Remote-Extra-"],
  };
  const plane = await createControlPlane({
    store: createMemoryStore({ clock: systemClock }),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: ca.certificate,
    serviceCIDR: "10.96.0.0/16",
    requestHeader,
    proxyIdentity: await issueCertificate({
      ca: proxyCa,
      commonName: "front-proxy-client",
      usages: ["client"],
      now,
    }),
  });
  const client = plane.clientFor(administrator);
  const api = await serveApi(plane.server, {
    host,
    port: 0,
    tls: { ...(await issue("kube-apiserver", "server")), clientAuthority: ca.certificate },
    authenticator: plane.authenticator,
    requestHeader,
    delegates: [plane.aggregation.delegate],
    remote: plane.aggregation.remote,
  });
  const kubeconfig = renderKubeconfig({
    name: "kubets",
    server: `https://${host}:${api.address.port}`,
    caCertificate: ca.certificate,
    user: "kubernetes-admin",
    ...(await issue("kubernetes-admin", "client", ["system:masters"])),
  });
  await writeFile(join(scratch, "kubeconfig"), kubeconfig, { mode: 0o600 });
  const ending = new AbortController();
  const running = plane.run(ending.signal);
  return {
    client,
    clientOf: (user: UserInfo) => plane.clientFor(user),
    kubeconfig,
    async close() {
      ending.abort();
      await running;
      await api.close();
      await plane.close();
    },
  };
}

/** Upstream's sample of an extension server, on an etcd that is ours; answers what its APIService has to trust. */
async function startSample(scratch: string, port: number, etcd: string) {
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "wardle", now });
  const dnsNames = ["api.wardle.svc"];
  const serving = await issueCertificate({ ca, commonName: "api", usages: ["server"], dnsNames, now });
  await writeFile(join(scratch, "tls.crt"), serving.certificate);
  await writeFile(join(scratch, "tls.key"), serving.key, { mode: 0o600 });
  const flags = {
    "etcd-servers": etcd,
    "secure-port": String(port),
    "bind-address": host,
    "tls-cert-file": join(scratch, "tls.crt"),
    "tls-private-key-file": join(scratch, "tls.key"),
    kubeconfig: join(scratch, "kubeconfig"),
    "authentication-kubeconfig": join(scratch, "kubeconfig"),
    "authorization-kubeconfig": join(scratch, "kubeconfig"),
  };
  const given = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  let child: ChildProcess | undefined;
  return {
    ca: ca.certificate,
    start() {
      child = spawn(join(upstreamFolder ?? "", "sample-apiserver"), given, { stdio: "ignore" });
    },
    async stop() {
      if (child === undefined || child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function register(client: Client, { port, ca }: { readonly port: number; readonly ca: string }) {
  await client.create(Namespace, { metadata: { name: "wardle" }, spec: {}, status: {} });
  const service = { namespace: "wardle", name: "api", port };
  await client.create(Service, {
    metadata: { namespace: "wardle", name: "api" },
    spec: { type: "ExternalName", externalName: "localhost" },
    status: {},
  });
  await client.create(APIService, {
    metadata: { name: "v1alpha1.wardle.example.com" },
    spec: {
      group: "wardle.example.com",
      version: "v1alpha1",
      service,
      caBundle: Buffer.from(ca).toString("base64"),
      groupPriorityMinimum: 2_000,
      versionPriority: 200,
    },
    status: {},
  });
}

describe.skipIf(upstreamFolder === undefined)("upstream's sample of an extension server", () => {
  let https: HttpsClient;
  let client: Client;
  let clientOf: (user: UserInfo) => Client;
  let sample: Awaited<ReturnType<typeof startSample>>;
  let kubeconfig: string;
  let port: number;
  const ends: (() => Promise<unknown>)[] = [];

  const send = (path: string, body?: object, method = body ? "POST" : "GET", type = "application/json") =>
    https.send(path, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { "content-type": type } } : {}),
    });
  const kubectl = async (...args: readonly string[]) => {
    const run = promisify(execFile);
    return (await run(join(upstreamFolder ?? "", "kubectl"), ["--kubeconfig", kubeconfig, ...args])).stdout;
  };
  /** Asks again until the answer is one that is waited for. */
  const until = async <T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> => {
    for (;;) {
      const answer = await ask();
      if (holds(answer)) return answer;
      await systemClock.sleep(50);
    }
  };
  const isServed = () =>
    until(
      () => https.send(flunders),
      ({ status }) => status === 200,
    );
  const flunder = (name: string, metadata: object = {}) => ({
    apiVersion,
    kind: "Flunder",
    metadata: { name, ...metadata },
  });

  beforeAll(async () => {
    const scratch = await mkdtemp(join(tmpdir(), "kubets-aggregation-"));
    ends.unshift(() => rm(scratch, { recursive: true, force: true }));
    const etcd = await startOurs(createMemoryStore({ clock: systemClock }));
    ends.unshift(() => etcd.stop());
    const server = await startServer(scratch);
    ends.unshift(() => server.close());
    ({ client, clientOf } = server);
    kubeconfig = join(scratch, "kubeconfig");
    port = await freePort();
    sample = await startSample(scratch, port, etcd.endpoint);
    ends.unshift(() => sample.stop());
    sample.start();
    https = new HttpsClient(server.kubeconfig);
    ends.unshift(async () => https.close());
    await register(client, { port, ca: sample.ca });
    // It may be up before or after it is registered.
    await isServed();
  }, 60_000);
  afterAll(async () => {
    for (const end of ends) await end();
  });

  test("serves its kinds by way of ours", async () => {
    const made = flunder("a", { labels: { x: "y" } });
    expect(await send(flunders, made)).toMatchObject({ status: 201, body: { kind: "Flunder" } });
    expect(await send(flunders, made)).toMatchObject({ status: 409, body: { reason: "AlreadyExists" } });
    expect(await send(`${flunders}?labelSelector=x%3Dy`)).toMatchObject({
      body: { kind: "FlunderList", items: [{ metadata: { name: "a" } }] },
    });
    expect(await send(flunders, undefined, "DELETE")).toMatchObject({ status: 200 });
    expect((await send(flunders)).body.items).toEqual([]);
    const list = await send(group);
    expect(list.body).toMatchObject({ resources: [{ name: "fischers" }, { name: "flunders" }] });
    expect((await send("/apis/wardle.example.com")).body).toMatchObject({
      kind: "APIGroup",
      versions: [{ version: "v1alpha1" }],
    });
  });

  test("what it says in version 2 of OpenAPI is translated for those who ask for version 3", async () => {
    const key = "apis/wardle.example.com/v1alpha1";
    type Index = { readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>> };
    const { body } = await until(
      () => send("/openapi/v3"),
      (answer) => (answer.body as unknown as Index).paths[key] !== undefined,
    );
    const document = await send((body as unknown as Index).paths[key]!.serverRelativeURL);
    expect(document.body).toMatchObject({
      openapi: "3.0.0",
      paths: { [`/${key}/namespaces/{namespace}/flunders`]: { get: { operationId: expect.any(String) } } },
      components: {
        schemas: { "io.k8s.sample-apiserver.pkg.apis.wardle.v1alpha1.Flunder": { type: "object" } },
      },
    });
  });

  test("objects go with their owners of other groups, and own such themselves", async () => {
    const owner = await client.create(ConfigMap, { metadata: { namespace: "default", name: "owner" } });
    const ownedBy = (kind: string, version: string, { name, uid }: { name: string; uid: string }) => ({
      ownerReferences: [{ apiVersion: version, kind, name, uid }],
    });
    const { body } = await send(flunders, flunder("owned", ownedBy("ConfigMap", "v1", owner.metadata)));
    const key = { namespace: "default", name: "dependent" };
    await client.create(ConfigMap, {
      metadata: { ...key, ...ownedBy("Flunder", apiVersion, (body as unknown as Named).metadata) },
    });
    await client.delete(
      ConfigMap,
      { namespace: "default", name: "owner" },
      { propagationPolicy: "Background" },
    );
    await until(
      () => send(`${flunders}/owned`),
      ({ status }) => status === 404,
    );
    await until(
      () => send("/api/v1/namespaces/default/configmaps/dependent"),
      ({ status }) => status === 404,
    );
  });

  test("clients in the server's own process reach it, each as who it is", async () => {
    const made = await client.create(Flunder, { metadata: { namespace: "default", name: "inside" } });
    const ending = new AbortController();
    const { resourceVersion } = made.metadata;
    const following = client.watch(Flunder, { namespace: "default", resourceVersion, signal: ending.signal });
    await client.delete(Flunder, { namespace: "default", name: "inside" });
    for await (const events of following) {
      expect(events).toMatchObject([{ type: "DELETED", object: { metadata: { name: "inside" } } }]);
      ending.abort();
    }
    await expect(client.get(Flunder, { namespace: "default", name: "inside" })).rejects.toThrow(
      'flunders.wardle.example.com "inside" not found',
    );
    await expect(clientOf({ name: "jane", groups: [] }).list(Flunder)).rejects.toThrow(
      'flunders.wardle.example.com is forbidden: User "jane" cannot list resource "flunders"',
    );
  });

  test("it asks ours who shows a token, and what everyone may do", async () => {
    const account = { namespace: "default", name: "reader" };
    await client.create(ServiceAccount, { metadata: account });
    const { status } = await client.post<ServiceAccount, TokenRequest>(ServiceAccount, account, "token", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences: [] },
    });
    const headers = { authorization: `Bearer ${status?.token}` };
    const ask = () => direct(`https://localhost:${port}${flunders}`, headers);
    expect((await direct(`https://localhost:${port}${flunders}`, { authorization: "Bearer x" })).status).toBe(
      401,
    );
    expect(await ask()).toMatchObject({
      status: 403,
      body: {
        message: expect.stringContaining(
          'User "system:serviceaccount:default:reader" cannot list resource "flunders"',
        ),
      },
    });
    const metadata = { name: "flunder-readers" };
    const apiGroups = ["wardle.example.com"];
    await client.create(ClusterRole, {
      metadata,
      rules: [{ apiGroups, resources: ["flunders"], verbs: ["list"] }],
    });
    await client.create(ClusterRoleBinding, {
      metadata,
      subjects: [{ kind: "ServiceAccount", ...account }],
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "flunder-readers" },
    });
    // What it was told of rights it keeps for some seconds.
    await until(ask, (answer) => answer.status === 200);
    const viaOurs = await clientOf({
      name: "system:serviceaccount:default:reader",
      groups: ["system:serviceaccounts", "system:authenticated"],
    }).list(Flunder);
    expect(viaOurs.items).toEqual([]);
  }, 30_000);

  test("quotas count its objects", async () => {
    const key = { namespace: "default", name: "flunders" };
    const hard = { "count/flunders.wardle.example.com": "5" };
    await client.create(ResourceQuota, { metadata: key, spec: { hard } });
    await send(flunders, flunder("counted"));
    await until(
      () => client.get(ResourceQuota, key),
      (quota) => quota.status?.used?.["count/flunders.wardle.example.com"] === "1",
    );
    await send(`${flunders}/counted`, undefined, "DELETE");
    await until(
      () => client.get(ResourceQuota, key),
      (quota) => quota.status?.used?.["count/flunders.wardle.example.com"] === "0",
    );
    await client.delete(ResourceQuota, key);
  }, 30_000);

  test("kubectl lists, applies, watches and shows them as it does others", async () => {
    const file = join(dirname(kubeconfig), "flunder.json");
    await writeFile(file, JSON.stringify({ ...flunder("shown"), spec: {} }));
    expect(await kubectl("apply", "-f", file)).toBe("flunder.wardle.example.com/shown created\n");
    expect(await kubectl("apply", "-f", file)).toBe("flunder.wardle.example.com/shown unchanged\n");
    expect(await kubectl("apply", "--server-side", "--force-conflicts", "-f", file)).toContain(
      "serverside-applied",
    );
    expect(await kubectl("get", "flunders")).toMatch(/^NAME +CREATED AT\nshown +\d{4}-/);
    expect(await kubectl("get", "apiservices", "v1alpha1.wardle.example.com")).toMatch(
      /^NAME +SERVICE +AVAILABLE +AGE\nv1alpha1.wardle.example.com +wardle\/api +True +/,
    );
    expect(await kubectl("api-resources", "--api-group", "wardle.example.com", "-o", "name")).toBe(
      "fischers.wardle.example.com\nflunders.wardle.example.com\n",
    );
    expect(await kubectl("delete", "flunder", "shown")).toContain("deleted");
  });

  test("a namespace is emptied of its objects", async () => {
    await client.create(Namespace, { metadata: { name: "team" }, spec: {}, status: {} });
    await send(`${group}/namespaces/team/flunders`, flunder("a"));
    await kubectl("delete", "namespace", "team");
    expect((await send(`${group}/namespaces/team/flunders`)).body.items).toEqual([]);
  });

  test("a namespace waits, and says so, until a server that went away answers again", async () => {
    await client.create(Namespace, { metadata: { name: "late" }, spec: {}, status: {} });
    await send(`${group}/namespaces/late/flunders`, flunder("a"));
    const configuration = { metadata: { namespace: "late", name: "c" } };
    await client.create(ConfigMap, configuration);
    await sample.stop();
    // What was heard of a service makes it be looked at again at once.
    const key = { namespace: "wardle", name: "api" };
    const touch = (value: string) =>
      client.patch(Service, key, { type: "merge", body: { metadata: { labels: { touched: value } } } });
    await touch("gone");
    await until(
      () => https.send(flunders),
      ({ status }) => status === 503,
    );
    await client.delete(Namespace, { name: "late" });
    const failed = await until(
      () => client.get(Namespace, { name: "late" }),
      ({ status }) => status.conditions?.[0]?.status === "True",
    );
    expect(failed.status.conditions?.[0]).toMatchObject({
      type: "NamespaceDeletionDiscoveryFailure",
      reason: "DiscoveryFailed",
      message:
        "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: wardle.example.com/v1alpha1: stale GroupVersion discovery: wardle.example.com/v1alpha1",
    });
    await until(
      () => send("/api/v1/namespaces/late/configmaps/c"),
      ({ status }) => status === 404,
    );
    await expect(kubectl("api-resources", "-o", "name")).rejects.toThrow(
      /unable to retrieve the complete list of server APIs: wardle.example.com\/v1alpha1: the server is currently unable to handle the request/,
    );
    sample.start();
    await touch("back");
    await isServed();
    await until(
      () => send("/api/v1/namespaces/late"),
      ({ status }) => status === 404,
    );
    expect((await send(`${group}/namespaces/late/flunders`)).body.items).toEqual([]);
  }, 30_000);

  // Named after the conformance test "Aggregator Should be able to support the 1.17 Sample API Server using the current
  // Aggregator", whose steps after the deployment these are.
  test("its APIService is read, patched, updated and replaced, removed, and made again", async () => {
    const name = "v1alpha1.wardle.example.com";
    const path = `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;
    const read = async () => (await send(path)).body as unknown as APIService;
    const merge = (body: object, to = path) => send(to, body, "PATCH", "application/merge-patch+json");
    expect((await send(`${path}/status`)).body).toMatchObject({
      status: { conditions: [{ type: "Available", status: "True", reason: "Passed" }] },
    });
    expect((await merge({ spec: { versionPriority: 400 } })).body).toMatchObject({
      spec: { versionPriority: 400 },
    });
    const list = await send("/apis/apiregistration.k8s.io/v1/apiservices");
    expect((list.body.items as readonly APIService[]).map(({ metadata }) => metadata.name)).toContain(name);
    await merge({ metadata: { labels: { apiservice: "patched" } } });
    const seen = await read();
    const condition = { type: "StatusUpdated", status: "True", reason: "E2E", message: "Set by a test" };
    const conditions = [...(seen.status.conditions ?? []), condition];
    const updated = await send(`${path}/status`, { ...seen, status: { conditions } }, "PUT");
    expect(updated).toMatchObject({ status: 200, body: { status: { conditions: [{}, condition] } } });
    const current = await read();
    const replaced = await send(
      path,
      { ...current, metadata: { ...current.metadata, labels: { apiservice: "replaced" } } },
      "PUT",
    );
    expect(replaced.body.metadata).toMatchObject({ labels: { apiservice: "replaced" } });
    const last = [{ ...condition, reason: "E2EPatched" }];
    expect((await merge({ status: { conditions: last } }, `${path}/status`)).body.status).toMatchObject({
      conditions: last,
    });
    await until(
      read,
      ({ status }) =>
        status.conditions?.some(({ type, status: is }) => type === "Available" && is === "True") ?? false,
    );
    await isServed();
    const { spec } = await read();
    const all = "/apis/apiregistration.k8s.io/v1/apiservices?labelSelector=apiservice%3Dreplaced";
    expect((await send(all, undefined, "DELETE")).status).toBe(200);
    expect((await send(path)).status).toBe(404);
    expect((await send(flunders)).status).toBe(404);
    expect((await send("/apis/wardle.example.com")).status).toBe(404);
    await client.create(APIService, { metadata: { name }, spec, status: {} });
    await isServed();
  }, 60_000);
});

interface Named {
  readonly metadata: { readonly name: string; readonly uid: string };
}
