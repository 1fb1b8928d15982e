import { invariant, systemClock, systemRandom } from "../base/index.ts";
import type { Client } from "../api/index.ts";
import { parseRuntimeConfig } from "../apiserver/index.ts";
import { loadServiceAccountKey } from "../apiserver/authentication/index.ts";
import { connectHandlers } from "../apiserver/connect/index.ts";
import { serveApi, type RequestHeaderOptions } from "../apiserver/http/index.ts";
import {
  apiServerService,
  createControlPlane,
  dnsService,
  grantDnsAccess,
  publishService,
  untilAnswered,
  renderKubeconfig,
  runServerEndpoints,
  type ControlPlane,
  type ControlPlaneOptions,
} from "../control-plane/index.ts";
import {
  ensureClientCertificate,
  ensureClusterPki,
  ensureServingCertificate,
  signRequest,
  type ClusterPki,
} from "../pki/index.ts";
import { auditSettings } from "./audit-settings.ts";
import { readConfiguration, writePrivately, type ClusterConfiguration } from "./configuration.ts";
import type { CommandContext } from "./command.ts";
import { openReporter } from "./daemon.ts";
import { effectiveFlags } from "./effective-flags.ts";
import type { FlagValues } from "./flags.ts";
import { frontSettings, proxyIdentity } from "./front-settings.ts";
import { defaultDirectory, layoutOf, type Layout } from "./layout.ts";
import { untilTerminated } from "./lifetime.ts";
import { daemonLogging, machineAddress } from "./machine.ts";
import { nodeIdentities } from "./node-identities.ts";
import { addressAt, dnsPosition, parsePortRange } from "./service-network.ts";
import { openStorage } from "./storage.ts";
import type { Storage } from "./storage.ts";

const issuerOf = ({ clusterDomain }: ClusterConfiguration) =>
  `https://kubernetes.default.svc.${clusterDomain}`;

/** The control plane's process: API server, store, controllers and scheduler, until it is told to end. */
export async function controlPlane(flags: FlagValues, context: CommandContext): Promise<number> {
  const reporter = openReporter({
    started: Number(process.env.KUBETS_STARTED ?? Date.now()),
    onSettled: context.keepCompiledCode,
  });
  try {
    const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
    const configuration = readConfiguration(layout);
    invariant(configuration, "up writes the configuration before it starts the control plane");
    await serve({ layout, configuration, reporter });
    return 0;
  } catch (error) {
    reporter.failed(explain(error));
    throw error;
  }
}

async function serve({
  layout,
  configuration,
  reporter,
}: {
  layout: Layout;
  configuration: ClusterConfiguration;
  reporter: ReturnType<typeof openReporter>;
}): Promise<void> {
  const clock = systemClock;
  const random = systemRandom;
  const { logger, setVerbosity } = daemonLogging();
  const address = machineAddress();
  const serviceAddress = addressAt(configuration.serviceCIDR, 1);
  const [pki, storage] = await Promise.all([
    ensureClusterPki({
      directory: layout.pki,
      hosts: [configuration.nodeName],
      ips: [address, serviceAddress],
      clock,
      clusterDomain: configuration.clusterDomain,
    }),
    openStorage({ configuration, layout, clock, logger }),
  ]);
  reporter.part("store");
  const settings = await settingsOf(configuration, { storage, pki, setVerbosity });
  const plane = await createControlPlane({
    ...storage.settings,
    clock,
    random,
    logger,
    serviceAccountKey: await loadServiceAccountKey(pki.serviceAccount),
    ...clusterSettings({ configuration, pki, settings }),
  });
  const administrator = plane.clientFor({ name: "system:apiserver", groups: ["system:masters"] });
  const front = await openFront(plane, { configuration, pki, settings });
  await writeCredentials({ layout, configuration, pki, clock });
  reporter.part("API server");
  const service = apiServerService({ clusterIP: serviceAddress, address, port: configuration.port });
  const { electsLeaders: isShared = false } = storage.settings;
  if (!isShared) await publishService(administrator, service);
  if (configuration.nodes > 0)
    await untilAnswered(() => publishDns(administrator, { configuration, address }), { clock, logger });
  const lifetime = new AbortController();
  const announced = { store: plane.server.core.store, client: administrator, service, clock, logger };
  const components = Promise.all([
    plane.run(lifetime.signal),
    isShared ? runServerEndpoints(announced, lifetime.signal) : undefined,
  ]);
  await firstControllers(administrator);
  reporter.part("controllers, scheduler");
  reporter.ready();
  await Promise.race([untilTerminated(), components]);
  lifetime.abort();
  // Others are told at once, while what runs here comes to its end.
  await Promise.all([front.close(), components]);
  await plane.close();
  await storage.close();
}

/** Makes the service of cluster DNS, and lets what serves it read what it needs. */
async function publishDns(
  administrator: Client,
  { configuration, address }: { readonly configuration: ClusterConfiguration; readonly address: string },
): Promise<void> {
  const clusterIP = addressAt(configuration.serviceCIDR, dnsPosition);
  await grantDnsAccess(administrator);
  await publishService(administrator, dnsService({ clusterIP, address, port: configuration.dnsPort }));
}

interface ServedWith {
  readonly configuration: ClusterConfiguration;
  readonly pki: ClusterPki;
  /** How requests are let in. */
  readonly settings: Awaited<ReturnType<typeof settingsOf>>;
}

/** How requests are let in and what is told and recorded of them, by what was said on the command line. */
const settingsOf = async (
  configuration: ClusterConfiguration,
  {
    storage,
    pki,
    setVerbosity,
  }: { storage: Storage; pki: ClusterPki; setVerbosity: (verbosity: number) => void },
) => ({
  requestHeader: clusterProxies(pki),
  ...frontSettings(configuration.front ?? {}),
  ...(await auditSettings(configuration.front ?? {})),
  flags: effectiveFlags(configuration),
  storageSize: () => storage.size(),
  setVerbosity,
});

/** The cluster's own proxies, as kubeadm sets them up: API servers that pass requests on to extension servers. */
const clusterProxies = ({ frontProxyCa }: ClusterPki): RequestHeaderOptions => ({
  clientAuthority: frontProxyCa.certificate,
  allowedNames: ["front-proxy-client"],
  usernameHeaders: ["X-Remote-User"],
  uidHeaders: ["X-Remote-Uid"],
  groupHeaders: ["X-Remote-Group"],
  extraHeadersPrefixes: ["X-Remote-Extra-"],
});

/** What the control plane is made with, of what is set and kept of the cluster. */
const clusterSettings = (options: ServedWith) => {
  const { configuration, pki, settings } = options;
  return {
    issuer: issuerOf(configuration),
    rootCertificateAuthority: pki.ca.certificate,
    serviceCIDR: configuration.serviceCIDR,
    secondaryServiceCIDR: configuration.secondaryServiceCIDR,
    nodePorts: parsePortRange(configuration.serviceNodePortRange),
    hostname: configuration.nodeName,
    admission: configuration,
    signCertificate: certificateSigner(pki),
    legacyServiceAccountTokens: configuration.legacyServiceAccountTokens ?? false,
    requestHeader: settings.requestHeader,
    proxyIdentity: proxyIdentity(configuration.front ?? {}) ?? pki.frontProxyClient,
    runtimeConfig: parseRuntimeConfig(configuration.runtimeConfig ?? ""),
  };
};

/** Signs certificate requests as the cluster's authority. */
const certificateSigner =
  ({ ca }: ClusterPki): NonNullable<ControlPlaneOptions["signCertificate"]> =>
  async ({ request, ...rest }) => {
    const pem = await signRequest({ ...rest, ca, request: Buffer.from(request, "base64").toString() });
    return Buffer.from(pem).toString("base64");
  };

/** Serves HTTPS on all addresses of the machine, as upstream does. */
function openFront(
  { server, authenticator, tokens, aggregation }: ControlPlane,
  { configuration, pki, settings }: ServedWith,
) {
  return serveApi(server, {
    host: "0.0.0.0",
    port: configuration.port,
    advertise: `${machineAddress()}:${configuration.port}`,
    tls: {
      certificate: pki.apiserver.certificate,
      key: pki.apiserver.key,
      clientAuthority: pki.ca.certificate,
    },
    authenticator,
    ...settings,
    connect: connectHandlers({
      reader: server.reader,
      random: systemRandom,
      kubeletClientTls: { ...pki.kubeletClient, caCertificate: pki.ca.certificate },
    }),
    delegates: [aggregation.delegate],
    remote: aggregation.remote,
    documents: [
      issuerDocument("/openid/v1/jwks", { document: tokens.jwks, contentType: "application/jwk-set+json" }),
      issuerDocument("/.well-known/openid-configuration", {
        document: tokens.openIdConfiguration,
        contentType: "application/json",
      }),
    ],
  });
}

/** Documents of the token issuer: the same for everyone, so whoever stands between may keep them for a while. */
function issuerDocument(
  path: string,
  { document, contentType }: { readonly document: () => object; readonly contentType: string },
) {
  return {
    get: (asked: string) =>
      asked === path || asked === `${path}/`
        ? {
            bytes: new TextEncoder().encode(JSON.stringify(document())),
            contentType,
            etag: "",
            routed: true,
            headers: { "cache-control": "public, max-age=3600" },
          }
        : undefined,
  };
}

/** Writes what users and the node need to reach the API server. */
async function writeCredentials(options: {
  layout: Layout;
  configuration: ClusterConfiguration;
  pki: ClusterPki;
  clock: typeof systemClock;
}): Promise<void> {
  const { layout, configuration, pki, clock } = options;
  const server = `https://127.0.0.1:${configuration.port}`;
  const common = { name: "kubets", server, caCertificate: pki.ca.certificate };
  writePrivately(layout.caCertificate, pki.ca.certificate);
  writePrivately(layout.kubeconfig, renderKubeconfig({ ...common, user: "kubernetes-admin", ...pki.admin }));
  if (configuration.nodes === 0) return;
  const { nodeName } = configuration;
  await ensureServingCertificate({
    directory: layout.pki,
    file: "kubelet",
    ca: pki.ca,
    commonName: `system:node:${nodeName}`,
    dnsNames: [nodeName],
    ipAddresses: [machineAddress()],
    clock,
  });
  for (const identity of nodeIdentities(layout, configuration)) {
    const { file, commonName, organizations, kubeconfig } = identity;
    const pair = await ensureClientCertificate({
      directory: layout.pki,
      file,
      ca: pki.ca,
      commonName,
      organizations,
      clock,
    });
    writePrivately(kubeconfig, renderKubeconfig({ ...common, user: commonName, ...pair }));
  }
}

/** Settles when the controllers work: the default namespace has its service account. */
async function firstControllers(client: Client): Promise<void> {
  const { ServiceAccount } = await import("../api/types/core-v1.ts");
  const stop = AbortSignal.timeout(30_000);
  const selection = { namespace: "default", fieldSelector: "metadata.name=default" };
  for await (const events of client.watch(ServiceAccount, { ...selection, signal: stop })) {
    if (events.some(({ type }) => type === "ADDED")) return;
  }
  throw new Error("the controllers did not start within 30 seconds");
}

function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
