import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { invariant, systemClock, systemRandom, type Logger } from "../base/index.ts";
import { createInformerFactory } from "../client/index.ts";
import { createHttpClient, loadKubeconfig, type HttpClient } from "../client/http/index.ts";
import { resolversOf, runDns } from "../dns/index.ts";
import { startContainerd, type Containerd, type ContainerdOptions } from "../kubelet/containerd/index.ts";
import { removeKubeletLeftovers, runKubelet, type Kubelet } from "../kubelet/index.ts";
import { delegatedAuthorizer, serveKubelet } from "../kubelet/server/index.ts";
import {
  addServiceRoute,
  httpHealthChecks,
  machineFirewall,
  prepareKernel,
  runProxy,
} from "../proxy/index.ts";
import { readConfiguration, type ClusterConfiguration } from "./configuration.ts";
import { daemonLogging, machineAddress } from "./machine.ts";
import type { CommandContext } from "./command.ts";
import { openReporter, type Reporter } from "./daemon.ts";
import type { FlagValues } from "./flags.ts";
import { defaultDirectory, layoutOf, type Layout } from "./layout.ts";
import { untilTerminated } from "./lifetime.ts";
import { replaceProcess } from "./processes.ts";
import { nodeIdentities, type NodeIdentity } from "./node-identities.ts";
import { addressAt, dnsPosition } from "./service-network.ts";

const clock = systemClock;
const random = systemRandom;

interface NodeParts {
  readonly layout: Layout;
  readonly configuration: ClusterConfiguration;
  readonly reporter: Reporter;
  readonly logger: Logger;
}

/** A node's process: container runtime, kubelet, service proxy and DNS, until it is told to end. */
export async function node(flags: FlagValues, context: CommandContext): Promise<number> {
  const reporter = openReporter({
    started: Number(process.env.KUBETS_STARTED ?? Date.now()),
    onSettled: context.keepCompiledCode,
  });
  try {
    const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
    const configuration = readConfiguration(layout);
    invariant(configuration, "up writes the configuration before it starts the node");
    await serve({ layout, configuration, reporter, logger: daemonLogging().logger });
    return 0;
  } catch (error) {
    reporter.failed(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

async function serve(parts: NodeParts): Promise<void> {
  const { layout, configuration, reporter } = parts;
  await prepareKernel();
  const removeServiceRoute = await addServiceRoute({ range: configuration.serviceCIDR });
  const onRestarted = (pid: number) => replaceProcess(layout, { name: "containerd", pid });
  const containerd = await startContainerd({ ...containerdOptions(parts), onRestarted });
  if (containerd.pid !== undefined) reporter.process("containerd", containerd.pid);
  reporter.part("container runtime");
  const lifetime = new AbortController();
  const clients = await connectClients(parts);
  const { signal } = lifetime;
  const running = [
    startKubelet(parts, { client: clients.kubelet, containerd, signal }),
    startProxy(parts, { client: clients.proxy, signal }),
    startDns(parts, { client: clients.dns, signal }),
  ];
  const stopped = Promise.all(running.map((part) => part.stopped));
  await Promise.race([Promise.all(running.map((part) => part.ready)), stopped]);
  reporter.ready();
  await Promise.race([untilTerminated(), stopped]);
  lifetime.abort();
  await stopped;
  for (const client of Object.values(clients)) client.close();
  await containerd.stop();
  await removeKubeletLeftovers(kubeletPlaces(layout));
  await removeServiceRoute();
}

/** A component of the node: `ready` settles when it serves, `stopped` when nothing of it runs any more. */
interface RunningPart {
  readonly ready: Promise<void>;
  readonly stopped: Promise<void>;
}

type Clients = Readonly<Record<NodeIdentity["component"], HttpClient>>;

async function connectClients({ layout, configuration }: NodeParts): Promise<Clients> {
  const entries = nodeIdentities(layout, configuration).map(async ({ component, kubeconfig }) => {
    const { options } = await loadKubeconfig({ file: kubeconfig });
    return [component, createHttpClient({ ...options, userAgent: `kubets-${component}`, clock })] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Clients;
}

/** Where the node keeps what; `sweepNode` cleans the same places. */
export function containerdOptions({
  layout,
  configuration,
  logger,
}: Omit<NodeParts, "reporter">): ContainerdOptions {
  return {
    rootDirectory: layout.node,
    stateDirectory: layout.run,
    kubeletDirectory: kubeletPlaces(layout).directory,
    clusterName: layout.id,
    bridgeName: `kubets${layout.id}`,
    podCIDRs: [configuration.podCIDR],
    logger: logger.named("containerd"),
  };
}

export function kubeletPlaces(layout: Layout): { readonly directory: string; readonly cgroupPrefix: string } {
  return { directory: join(layout.node, "kubelet"), cgroupPrefix: `kubets-${layout.id}` };
}

function startKubelet(
  { layout, configuration, reporter, logger }: NodeParts,
  { client, containerd, signal }: { client: HttpClient; containerd: Containerd; signal: AbortSignal },
): RunningPart {
  const { nodeName, podCIDR, serviceCIDR, clusterDomain, kubeletPort } = configuration;
  let settleReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (settleReady = resolve)).then(() => reporter.part("kubelet"));
  let serving: Promise<void> = Promise.resolve();
  const running = runKubelet(
    {
      client,
      nodeName,
      clock,
      random,
      logger,
      cri: containerd.cri,
      mountImage: (imageId, directory) => containerd.mountImage(imageId, directory),
      ...kubeletPlaces(layout),
      logDirectory: join(layout.logs, "pods"),
      addresses: [
        { type: "InternalIP", address: machineAddress() },
        { type: "Hostname", address: nodeName },
      ],
      clusterDNS: [addressAt(serviceCIDR, dnsPosition)],
      clusterDomain,
      serverPort: kubeletPort,
      podCIDRs: [podCIDR],
      onReady: settleReady,
      onStarted: (kubelet) => {
        serving = serveNode({ layout, kubelet, client, logger, port: kubeletPort }, signal);
      },
    },
    signal,
  );
  return { ready, stopped: running.then(() => serving) };
}

/** Serves logs and streams of the node's pods to the API server; settles when that has stopped. */
async function serveNode(
  parts: { layout: Layout; kubelet: Kubelet; client: HttpClient; logger: Logger; port: number },
  signal: AbortSignal,
): Promise<void> {
  const { layout, kubelet, client, logger, port } = parts;
  const [certificate, key, clientCa] = await Promise.all([
    readFile(join(layout.pki, "kubelet.crt"), "utf8"),
    readFile(join(layout.pki, "kubelet.key"), "utf8"),
    readFile(layout.caCertificate, "utf8"),
  ]);
  const authorize = delegatedAuthorizer({ client, nodeName: kubelet.nodeName, clock });
  const options = { host: "0.0.0.0", port, tls: { certificate, key }, clientCa, authorize, clock };
  const server = await serveKubelet(
    { ...options, pods: kubelet, cri: kubelet.cri, logger: logger.named("kubelet-server") },
    signal,
  );
  await server.stopped;
}

function startProxy(
  { layout, configuration, reporter, logger }: NodeParts,
  { client, signal }: { client: HttpClient; signal: AbortSignal },
): RunningPart {
  const informers = createInformerFactory({ client, clock, logger, random });
  let settleReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (settleReady = resolve)).then(() =>
    reporter.part("service proxy"),
  );
  const running = runProxy(
    {
      informers,
      firewall: machineFirewall,
      healthChecks: httpHealthChecks({ logger: logger.named("proxy") }),
      table: serviceTable(layout),
      nodeName: configuration.nodeName,
      podCIDRs: [configuration.podCIDR],
      clock,
      logger: logger.named("proxy"),
      onReady: settleReady,
    },
    signal,
  );
  return { ready, stopped: Promise.all([running, informers.run(signal)]).then(() => undefined) };
}

export const serviceTable = (layout: Layout): string => `kubets-services-${layout.id}`;

function startDns(
  { configuration, reporter, logger }: NodeParts,
  { client, signal }: { client: HttpClient; signal: AbortSignal },
): RunningPart {
  const informers = createInformerFactory({ client, clock, logger, random });
  const informing = informers.run(signal);
  const serving = resolversOf("/etc/resolv.conf").then((resolvers) =>
    runDns(
      {
        informers,
        domain: configuration.clusterDomain,
        address: machineAddress(),
        port: configuration.dnsPort,
        resolvers,
        clock,
        logger: logger.named("dns"),
      },
      signal,
    ),
  );
  return {
    ready: serving.then(() => reporter.part("DNS")),
    stopped: Promise.all([serving.then((server) => server.stopped), informing]).then(() => undefined),
  };
}
