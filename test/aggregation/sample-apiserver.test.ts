import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import type { Client } from "../../src/api/index.ts";
import { APIService } from "../../src/api/types/apiregistration-v1.ts";
import { Namespace, Service } from "../../src/api/types/core-v1.ts";
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
const flunders = "/apis/wardle.example.com/v1alpha1/namespaces/default/flunders";
const apiVersion = "wardle.example.com/v1alpha1";

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
  const child = spawn(join(upstreamFolder ?? "", "sample-apiserver"), given, { stdio: "ignore" });
  return { child, ca: ca.certificate };
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
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const scratch = await mkdtemp(join(tmpdir(), "kubets-aggregation-"));
    ends.unshift(() => rm(scratch, { recursive: true, force: true }));
    const etcd = await startOurs(createMemoryStore({ clock: systemClock }));
    ends.unshift(() => etcd.stop());
    const server = await startServer(scratch);
    ends.unshift(() => server.close());
    const port = await freePort();
    const { child, ca } = await startSample(scratch, port, etcd.endpoint);
    ends.unshift(() => stop(child));
    https = new HttpsClient(server.kubeconfig);
    ends.unshift(async () => https.close());
    await register(server.client, { port, ca });
    // It may be up before or after it is registered.
    while ((await https.send(flunders)).status !== 200) await systemClock.sleep(100);
  }, 60_000);
  afterAll(async () => {
    for (const end of ends) await end();
  });

  test("serves its kinds by way of ours", async () => {
    const send = (path: string, body?: object, method = body ? "POST" : "GET") =>
      https.send(path, {
        method,
        ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
      });
    const flunder = { apiVersion, kind: "Flunder", metadata: { name: "a", labels: { x: "y" } } };
    expect(await send(flunders, flunder)).toMatchObject({ status: 201, body: { kind: "Flunder" } });
    expect(await send(flunders, flunder)).toMatchObject({ status: 409, body: { reason: "AlreadyExists" } });
    expect(await send(`${flunders}?labelSelector=x%3Dy`)).toMatchObject({
      body: { kind: "FlunderList", items: [{ metadata: { name: "a" } }] },
    });
    expect(await send(flunders, undefined, "DELETE")).toMatchObject({ status: 200 });
    expect((await send(flunders)).body.items).toEqual([]);
    const group = await send("/apis/wardle.example.com");
    expect(group.body).toMatchObject({ kind: "APIGroup", versions: [{ version: "v1alpha1" }] });
    const list = await send("/apis/wardle.example.com/v1alpha1");
    expect(list.body).toMatchObject({ resources: [{ name: "fischers" }, { name: "flunders" }] });
  });
});

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
