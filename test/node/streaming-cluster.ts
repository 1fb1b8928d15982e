import { execFile, spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import type { Client } from "../../src/api/index.ts";
import { Pod } from "../../src/api/types/core-v1.ts";
import { generateServiceAccountKey } from "../../src/apiserver/authentication/index.ts";
import { connectHandlers } from "../../src/apiserver/connect/index.ts";
import { serveApi } from "../../src/apiserver/http/index.ts";
import { createControlPlane, renderKubeconfig } from "../../src/control-plane/index.ts";
import { startContainerd } from "../../src/kubelet/containerd/index.ts";
import { makeBusyboxImage } from "../../src/kubelet/image/index.ts";
import { removeKubeletLeftovers, runKubelet } from "../../src/kubelet/index.ts";
import type { Kubelet } from "../../src/kubelet/index.ts";
import { delegatedAuthorizer, serveKubelet } from "../../src/kubelet/server/index.ts";
import { createCertificateAuthority, issueCertificate } from "../../src/pki/index.ts";
import { createMemoryStore } from "../../src/store/index.ts";

/** A control plane with HTTPS, and one node with real containers and the kubelet's server. */
export interface StreamingCluster {
  readonly client: Client;
  readonly port: number;
  /** Of a member of `system:masters`. */
  readonly administrator: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly kubeletPort: number;
  kubectl(args: readonly string[], input?: string): Promise<{ code: number; stdout: string; stderr: string }>;
  spawnKubectl(args: readonly string[]): ChildProcessWithoutNullStreams;
  /** Runs a pod with one or more containers of busybox and waits until it runs. */
  run(name: string, scripts: Readonly<Record<string, string>>): Promise<Pod>;
  stop(): Promise<void>;
}

const host = "127.0.0.1";
/** `KUBECTL` names another version: before 1.30 it speaks SPDY, since then WebSocket. */
const kubectl = process.env["KUBECTL"] ?? "kubectl";
const nodeName = "node-1";
const shared = { clock: systemClock, random: systemRandom, logger: silentLogger };

async function makeCertificates() {
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "kubernetes", now });
  const server = (commonName: string) =>
    issueCertificate({
      ca,
      commonName,
      usages: ["server"],
      ipAddresses: [host],
      dnsNames: ["localhost"],
      now,
    });
  const client = (commonName: string) =>
    issueCertificate({ ca, commonName, organizations: ["system:masters"], usages: ["client"], now });
  return {
    ca,
    apiserver: await server("kube-apiserver"),
    kubelet: await server(`system:node:${nodeName}`),
    kubeletClient: await client("kube-apiserver-kubelet-client"),
    admin: await client("kubernetes-admin"),
  };
}

type Certificates = Awaited<ReturnType<typeof makeCertificates>>;

async function startPlane(certificates: Certificates) {
  const { ca, apiserver, kubeletClient } = certificates;
  const store = createMemoryStore({ clock: systemClock });
  const plane = await createControlPlane({
    ...shared,
    store,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc.cluster.local",
    rootCertificateAuthority: ca.certificate,
    serviceCIDR: "10.96.0.0/16",
  });
  const api = await serveApi(plane.server, {
    host,
    port: 0,
    tls: { ...apiserver, clientAuthority: ca.certificate },
    authenticator: plane.authenticator,
    connect: connectHandlers({
      reader: plane.server.reader,
      random: systemRandom,
      kubeletClientTls: { ...kubeletClient, caCertificate: ca.certificate },
    }),
  });
  const lifetime = new AbortController();
  const running = plane.run(lifetime.signal);
  return {
    plane,
    api,
    async stop() {
      lifetime.abort();
      await running;
      await api.close();
      await plane.close();
      await store.close();
    },
  };
}

async function startNode(options: { folder: string; client: Client; certificates: Certificates }) {
  const { folder, client, certificates } = options;
  const lifetime = new AbortController();
  const directory = join(folder, "kubelet");
  const cgroupPrefix = `kubets-streams-${process.pid}`;
  const containerd = await startContainerd({
    rootDirectory: join(folder, "root"),
    stateDirectory: join(folder, "run"),
    kubeletDirectory: directory,
    clusterName: cgroupPrefix,
    bridgeName: "kubetsstream0",
    podCIDRs: ["10.212.0.0/24"],
    logger: silentLogger,
  });
  await containerd.importImage(await makeBusyboxImage({ names: ["docker.io/library/busybox:1"] }));
  const kubeletPort = 20_000 + (process.pid % 10_000);
  let running: Promise<void> = Promise.resolve();
  const started = new Promise<Kubelet>((onStarted, reject) => {
    running = runKubelet(
      {
        ...shared,
        client,
        nodeName,
        cri: containerd.cri,
        mountImage: (imageId, directory) => containerd.mountImage(imageId, directory),
        directory,
        logDirectory: join(folder, "logs"),
        cgroupPrefix,
        addresses: [{ type: "InternalIP", address: host }],
        clusterDNS: ["10.96.0.10"],
        clusterDomain: "cluster.local",
        serverPort: kubeletPort,
        onStarted,
      },
      lifetime.signal,
    );
    running.catch(reject);
  });
  const pods = await started;
  const server = await serveKubelet(
    {
      ...shared,
      host,
      port: kubeletPort,
      tls: certificates.kubelet,
      clientCa: certificates.ca.certificate,
      authorize: delegatedAuthorizer({ client, clock: systemClock, nodeName }),
      pods,
      cri: containerd.cri,
    },
    lifetime.signal,
  );
  return {
    kubeletPort,
    async stop() {
      lifetime.abort();
      await Promise.all([running, server.stopped]);
      await containerd.stop();
      await removeKubeletLeftovers({ directory, cgroupPrefix });
    },
  };
}

export async function startStreamingCluster(): Promise<StreamingCluster> {
  const folder = await mkdtemp("/tmp/kubets-streams-");
  const certificates = await makeCertificates();
  const control = await startPlane(certificates);
  const { plane, api } = control;
  const kubelet = plane.clientFor({
    name: `system:node:${nodeName}`,
    groups: ["system:nodes", "system:authenticated"],
  });
  const node = await startNode({ folder, client: kubelet, certificates });
  const client = plane.clientFor({ name: "admin", groups: ["system:masters", "system:authenticated"] });
  const kubeconfig = join(folder, "kubeconfig");
  const text = renderKubeconfig({
    name: "kubets",
    server: `https://${host}:${api.address.port}`,
    caCertificate: certificates.ca.certificate,
    user: "kubernetes-admin",
    ...certificates.admin,
  });
  await writeFile(kubeconfig, text);
  const environment = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
  return {
    client,
    port: api.address.port,
    kubeletPort: node.kubeletPort,
    administrator: {
      ca: certificates.ca.certificate,
      cert: certificates.admin.certificate,
      key: certificates.admin.key,
    },
    kubectl: (args, input) => runKubectl(args, { environment, input }),
    spawnKubectl: (args) => spawn(kubectl, [...args], { env: environment }),
    run: (name, scripts) => runPod(client, { name, scripts }),
    async stop() {
      await node.stop();
      try {
        await control.stop();
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

function runKubectl(
  args: readonly string[],
  { environment, input }: { environment: NodeJS.ProcessEnv; input: string | undefined },
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      kubectl,
      [...args],
      { env: environment, timeout: 20_000 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === "number" ? error.code : -1) : 0;
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.end(input ?? "");
  });
}

async function runPod(
  client: Client,
  { name, scripts }: { name: string; scripts: Readonly<Record<string, string>> },
): Promise<Pod> {
  const key = { namespace: "default", name };
  await client.create(Pod, {
    metadata: key,
    spec: {
      nodeName,
      automountServiceAccountToken: false,
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      containers: Object.entries(scripts).map(([container, script]) => ({
        name: container,
        image: "busybox:1",
        command: ["sh", "-c", script],
        stdin: true,
        resources: {},
      })),
    },
    status: {},
  });
  const deadline = Date.now() + 20_000;
  for (;;) {
    const pod = await client.get(Pod, key);
    if (pod.status.phase !== undefined && pod.status.phase !== "Pending") return pod;
    if (Date.now() > deadline) throw new Error(`pod ${name} is ${JSON.stringify(pod.status)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
