import { spawn, type ChildProcess } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import { generateServiceAccountKey } from "../../src/apiserver/authentication/index.ts";
import { createControlPlane } from "../../src/control-plane/index.ts";
import { createCertificateAuthority, issueCertificate } from "../../src/pki/index.ts";
import { createMemoryStore } from "../../src/store/index.ts";
import { LazyFront } from "../../src/testing/front.ts";
import { freePort, HttpsClient } from "../integration/harness.ts";
import { Connection, type Server } from "./exchange.ts";

const issuer = "https://kubernetes.default.svc";
const serviceCIDR = "10.96.0.0/16";

/** Our API server alone: what controllers would do to objects is no part of the comparison. */
export async function startOurs(): Promise<Server> {
  const clock = systemClock;
  const store = createMemoryStore({ clock });
  const controlPlane = await createControlPlane({
    store,
    clock,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer,
    rootCertificateAuthority: "",
    serviceCIDR,
  });
  const front = new LazyFront(controlPlane, { clock });
  const kubeconfig = await front.kubeconfig();
  const data = (name: string) =>
    Buffer.from(new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1] ?? "", "base64").toString();
  const { port, ca } = new HttpsClient(kubeconfig);
  const cert = data("client-certificate-data");
  const connection = new Connection({ port, ca, cert, key: data("client-key-data") });
  // What the API server does for itself is compared.
  const ending = new AbortController();
  const running = controlPlane.aggregation.run(ending.signal);
  return {
    send: (request) => connection.send(request),
    async close() {
      connection.close();
      ending.abort();
      await running;
      await front.close();
      await controlPlane.close();
      await store.close();
    },
  };
}

/**
 * Upstream's API server, on an etcd of its own or the one at `etcdUrl`. The folder holds `kube-apiserver`; etcd comes
 * from the PATH.
 */
export async function startUpstream(
  folder: string,
  { etcdUrl, flags = [] }: { readonly etcdUrl?: string; readonly flags?: readonly string[] } = {},
): Promise<Server> {
  const scratch = await mkdtemp(join(tmpdir(), "kubets-differential-"));
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const identity = await writeCredentials(scratch);
  const at = (number: number) => `http://127.0.0.1:${number}`;
  const etcd =
    etcdUrl === undefined
      ? startEtcd(join(scratch, "etcd"), { client: at(client), peer: at(peer) })
      : undefined;
  const file = (name: string) => join(scratch, name);
  const server = start(join(folder, "kube-apiserver"), [
    "--etcd-servers",
    etcdUrl ?? at(client),
    "--bind-address",
    "127.0.0.1",
    "--secure-port",
    String(port),
    "--tls-cert-file",
    file("server.crt"),
    "--tls-private-key-file",
    file("server.key"),
    "--client-ca-file",
    file("ca.crt"),
    "--authorization-mode",
    "Node,RBAC",
    "--allow-privileged",
    "--enable-admission-plugins",
    "NodeRestriction",
    "--enable-bootstrap-token-auth",
    "--service-cluster-ip-range",
    serviceCIDR,
    "--service-account-issuer",
    issuer,
    "--service-account-key-file",
    file("sa.pub"),
    "--service-account-signing-key-file",
    file("sa.key"),
    "--runtime-config",
    "api/all=true",
    ...flags,
  ]);
  const connection = new Connection({ port, ...identity });
  const close = async () => {
    connection.close();
    await stop(server);
    if (etcd) await stop(etcd);
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    await untilReady(connection, server);
  } catch (error) {
    await close();
    throw error;
  }
  return { send: (request) => connection.send(request), close };
}

function startEtcd(
  data: string,
  { client, peer }: { readonly client: string; readonly peer: string },
): Started {
  const flags = {
    "data-dir": data,
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `default=${peer}`,
    logger: "zap",
    "log-level": "error",
  };
  const given = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return start("etcd", ["--unsafe-no-fsync", ...given]);
}

/** An authority, certificates of the server and of an administrator, and the key of service accounts. */
async function writeCredentials(folder: string) {
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "kubernetes", now });
  const server = await issueCertificate({
    ca,
    commonName: "kube-apiserver",
    usages: ["server"],
    ipAddresses: ["127.0.0.1"],
    now,
  });
  const admin = await issueCertificate({
    ca,
    commonName: "kubernetes-admin",
    organizations: ["system:masters"],
    usages: ["client"],
    now,
  });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const files = {
    "ca.crt": ca.certificate,
    "server.crt": server.certificate,
    "server.key": sec1(server.key),
    "sa.key": privateKey.export({ type: "pkcs1", format: "pem" }),
    "sa.pub": createPublicKey(privateKey).export({ type: "spki", format: "pem" }),
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), content, { mode: 0o600 });
  return { ca: ca.certificate, cert: admin.certificate, key: admin.key };
}

const sec1 = (key: string) => createPrivateKey(key).export({ type: "sec1", format: "pem" });

/** A program whose last words are kept, to be shown when it ends before its time. */
interface Started {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  lastWords: string;
}

const keptOutput = 4_000;

function start(program: string, args: readonly string[]): Started {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (error) => {
      started.lastWords += error.message;
      resolve();
    });
  });
  const started: Started = { name: program, child, ended, lastWords: "" };
  child.stderr?.on("data", (text: Buffer) => {
    started.lastWords = (started.lastWords + text.toString()).slice(-keptOutput);
  });
  return started;
}

async function stop({ child, ended }: Started): Promise<void> {
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(late);
}

const readyDeadline = 60_000;
const pollInterval = 200;

async function untilReady(connection: Connection, { name, child, lastWords }: Started): Promise<void> {
  const deadline = Date.now() + readyDeadline;
  const request = { method: "GET", path: "/readyz", headers: {}, body: undefined };
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${lastWords}`);
    const answer = await connection.send(request).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, pollInterval));
  }
  throw new Error(`${name} was not ready in time: ${lastWords}`);
}
