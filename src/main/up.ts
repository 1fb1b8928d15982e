import { createServer } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { isDeepStrictEqual } from "node:util";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { CommandContext } from "./command.ts";
import {
  currentFormat,
  makeDirectories,
  readConfiguration,
  writeConfiguration,
  type ClusterConfiguration,
} from "./configuration.ts";
import { UsageError, type FlagValues } from "./flags.ts";
import { frontTexts } from "./front-flags.ts";
import { defaultDirectory, layoutOf, type Layout } from "./layout.ts";
import { announce, neighboursOf } from "./neighbours.ts";
import { missingNodePrograms } from "./requirements.ts";
import { missingParts, seconds, startParts } from "./parts.ts";
import { isAlive, runningProcesses } from "./processes.ts";
import { freeSubnets } from "./subnets.ts";
import { storageTexts } from "./storage-flags.ts";

const defaultPort = 6443;
const defaultKubeletPort = 10250;
const defaultDnsPort = 10053;

/** `kubets up`: starts what of the cluster does not run, and says what runs. */
export async function up(flags: FlagValues, context: CommandContext): Promise<number> {
  const layout = layoutOf((flags.dir as string | undefined) ?? defaultDirectory());
  const present = runningProcesses(layout).length > 0 ? readConfiguration(layout) : undefined;
  if (present === undefined) return withLock(layout, () => startWhole(layout, { flags, context }));
  await refuseOtherSettings(layout, { flags, present });
  if (missingParts(layout, present).length > 0) {
    return withLock(layout, () => startMissing(layout, { present, context }));
  }
  context.print(`The cluster is up already. Its kubeconfig: ${layout.kubeconfig}`);
  return 0;
}

async function startWhole(
  layout: Layout,
  { flags, context }: { flags: FlagValues; context: CommandContext },
): Promise<number> {
  const { print } = context;
  const started = Date.now();
  const configuration = await settle(layout, flags);
  for (const line of explainNodes(flags)) print(line);
  await refuseTakenPort(configuration.port);
  if (configuration.nodes === 1) refuseTakenNetworks(layout, configuration);
  makeDirectories(layout);
  if (configuration.nodes === 1) announce(layout, configuration);
  writeConfiguration(layout, configuration);
  await startParts(missingParts(layout, configuration), { layout, context });
  print("");
  print(`The cluster is up after ${seconds(Date.now() - started)}. Its kubeconfig: ${layout.kubeconfig}`);
  for (const line of suggestions(layout, configuration)) print(line);
  return 0;
}

/** A part that was killed starts again beside those that run; a node finds its pods as it left them. */
async function startMissing(
  layout: Layout,
  { present, context }: { present: ClusterConfiguration; context: CommandContext },
): Promise<number> {
  const parts = missingParts(layout, present);
  context.print(
    `The cluster runs in part: starting the ${parts.map(({ name }) => name).join(" and the ")} again.`,
  );
  if (parts.some(({ name }) => name === "control-plane")) await refuseTakenPort(present.port);
  await startParts(parts, { layout, context });
  context.print("");
  context.print(`The cluster is up. Its kubeconfig: ${layout.kubeconfig}`);
  return 0;
}

/** A cluster that runs keeps its settings: whoever asks for others must stop it first. */
async function refuseOtherSettings(
  layout: Layout,
  { flags, present }: { flags: FlagValues; present: ClusterConfiguration },
): Promise<void> {
  for (const [name, wanted] of Object.entries(flags)) {
    if (name === "dir" || isDeepStrictEqual(await settle(layout, { [name]: wanted }), present)) continue;
    const shown = name === "port" || name === "nodes" ? `--${name} ${present[name]}` : `another --${name}`;
    throw new UsageError(
      `the cluster in ${layout.directory} is up with ${shown}: 'kubets down' stops it, then it can start with --${name}${wanted === true ? "" : ` ${wanted}`}`,
    );
  }
}

/** The settings to start with: those of the cluster's first start, with this call's port and nodes. */
async function settle(layout: Layout, flags: FlagValues): Promise<ClusterConfiguration> {
  const port = flags.port as number | undefined;
  const nodes = flags.nodes as 0 | 1 | undefined;
  const runtimeConfig = flags["runtime-config"] as string | undefined;
  const versions = runtimeConfig === undefined ? {} : { runtimeConfig };
  const existing = readConfiguration(layout);
  const settings = await controlPlaneSettings(flags, existing);
  const network = await serviceNetwork(flags, existing);
  if (existing !== undefined) {
    return {
      ...existing,
      ...network,
      ...settings,
      ...versions,
      port: port ?? existing.port,
      nodes: nodesFor(nodes ?? existing.nodes),
    };
  }
  const subnets = freeSubnets(takenAddresses(layout));
  return {
    format: currentFormat,
    port: port ?? defaultPort,
    nodes: nodesFor(nodes ?? (isRoot() ? 1 : 0)),
    nodeName: hostname().toLowerCase(),
    podCIDR: subnets.pods,
    serviceCIDR: subnets.services,
    clusterDomain: "cluster.local",
    kubeletPort: await freePort(defaultKubeletPort),
    dnsPort: await freePort(defaultDnsPort),
    ...settings,
    ...versions,
    ...network,
  };
}

/** What the flags say of services' addresses and ports; only who says something pays for its checks. */
async function serviceNetwork(
  flags: FlagValues,
  existing: ClusterConfiguration | undefined,
): Promise<Partial<ClusterConfiguration>> {
  if (flags["service-cluster-ip-range"] === undefined && flags["service-node-port-range"] === undefined)
    return {};
  const { refuseUnservedNetwork, serviceNetworkOf } = await import("./service-network.ts");
  const network = serviceNetworkOf(flags, existing?.serviceCIDR);
  const nodes = flags.nodes ?? existing?.nodes ?? (isRoot() ? 1 : 0);
  if (network.serviceCIDR !== undefined && nodes === 1) refuseUnservedNetwork(network.serviceCIDR);
  return network;
}

/** What the flags say of the control plane, for this start and later ones. */
async function controlPlaneSettings(
  flags: FlagValues,
  existing: ClusterConfiguration | undefined,
): Promise<Partial<ClusterConfiguration>> {
  const namesOf = (flag: string) => {
    const text = flags[flag] as string | undefined;
    return text?.split(",").filter((name) => name !== "");
  };
  const enableAdmissionPlugins = namesOf("enable-admission-plugins");
  const disableAdmissionPlugins = namesOf("disable-admission-plugins");
  const selection = {
    ...(enableAdmissionPlugins ? { enableAdmissionPlugins } : {}),
    ...(disableAdmissionPlugins ? { disableAdmissionPlugins } : {}),
  };
  if (Object.keys(selection).length > 0) {
    const { admissionSelectionProblem } = await import("../apiserver/admission/index.ts");
    const problem = admissionSelectionProblem(selection);
    if (problem !== undefined) throw new UsageError(problem);
  }
  const legacyServiceAccountTokens = flags["legacy-service-account-tokens"] as boolean | undefined;
  const storage = storageTexts(flags);
  if (Object.keys(storage).length > 0) {
    const { storageSettings } = await import("./storage-settings.ts");
    storageSettings({ ...existing?.storage, ...storage });
  }
  const front = frontTexts(flags);
  // Only who says something pays for the checks.
  if (Object.keys(front).length > 0) (await import("./front-settings.ts")).frontSettings(front);
  return {
    ...selection,
    ...(Object.keys(storage).length === 0 ? {} : { storage: { ...existing?.storage, ...storage } }),
    ...(Object.keys(front).length === 0 ? {} : { front: { ...existing?.front, ...front } }),
    ...(legacyServiceAccountTokens === undefined ? {} : { legacyServiceAccountTokens }),
  };
}

/** Addresses in networks that a new cluster must stay out of. */
function takenAddresses(layout: Layout): string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const neighbours = neighboursOf(layout).flatMap(({ podCIDR, serviceCIDR }) => [podCIDR, serviceCIDR]);
  return [...interfaces.map(({ address }) => address), ...neighbours];
}

/** Networks of clusters that were made at different times may be the same; such clusters cannot run together. */
function refuseTakenNetworks(layout: Layout, { podCIDR, serviceCIDR }: ClusterConfiguration): void {
  const rival = neighboursOf(layout).find(
    (one) => one.podCIDR === podCIDR || one.serviceCIDR === serviceCIDR,
  );
  if (rival === undefined) return;
  throw new UsageError(
    `the cluster in ${rival.directory} runs with the same networks (pods ${podCIDR}, services ${serviceCIDR}): stop it first`,
  );
}

const isRoot = (): boolean => process.getuid?.() === 0;

function nodesFor(wanted: 0 | 1): 0 | 1 {
  if (wanted === 0) return 0;
  if (!isRoot()) {
    throw new UsageError(
      "a node needs root, for namespaces, mounts and network interfaces: run as root, or use --nodes 0 for the control plane alone",
    );
  }
  const missing = missingNodePrograms();
  if (missing.length > 0) {
    throw new UsageError(
      `a node needs programs that are not installed. On Debian: apt-get install ${missing.join(" ")}. Or use --nodes 0 for the control plane alone`,
    );
  }
  return 1;
}

/** Tells someone who is not root, and asked for nothing, why there is no node. */
function explainNodes(flags: FlagValues): string[] {
  if (flags.nodes !== undefined || isRoot()) return [];
  return [
    "Starting the control plane alone: a node needs root, for namespaces, mounts and network interfaces.",
  ];
}

function suggestions(layout: Layout, { nodes }: ClusterConfiguration): string[] {
  return [
    "",
    "Try next:",
    `  export KUBECONFIG=${layout.kubeconfig}`,
    nodes === 1 ? "  kubectl get nodes -o wide" : "  kubectl get namespaces",
    ...(nodes === 1
      ? ["  npx kubets image busybox web:1     # an image made of this machine's static busybox"]
      : []),
    "  kubectl create deployment web --image=web:1 --replicas=3 -- httpd -f -p 80 -h /etc",
    "  npx kubets status; npx kubets down",
  ];
}

function listenOn(port: number): Promise<"free" | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen(port, () => server.close(() => resolve("free")));
  });
}

async function refuseTakenPort(port: number): Promise<void> {
  const outcome = await listenOn(port);
  if (outcome === "free") return;
  const why = outcome.code === "EADDRINUSE" ? "another program listens on it" : outcome.message;
  throw new UsageError(`port ${port} cannot be used: ${why}. Choose another with --port`);
}

const portsTried = 100;

async function freePort(first: number): Promise<number> {
  for (let port = first; port < first + portsTried; port++) {
    if ((await listenOn(port)) === "free") return port;
  }
  throw new UsageError(`no free port between ${first} and ${first + portsTried - 1}`);
}

/** Keeps two commands from starting one cluster at once. */
async function withLock(layout: Layout, action: () => Promise<number>): Promise<number> {
  if (existsSync(layout.directory) && !statSync(layout.directory).isDirectory()) {
    throw new UsageError(`${layout.directory} is not a directory`);
  }
  mkdirSync(layout.directory, { recursive: true, mode: 0o700 });
  takeLock(layout);
  try {
    return await action();
  } finally {
    rmSync(layout.lock, { force: true });
    // A start that was refused leaves no directory.
    if (readdirSync(layout.directory).length === 0) rmdirSync(layout.directory);
  }
}

function takeLock(layout: Layout): void {
  try {
    writeFileSync(layout.lock, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const holder = Number(readFileSync(layout.lock, "utf8"));
    if (isAlive(holder))
      throw new UsageError(`another 'kubets up' (process ${holder}) is starting this cluster`);
    rmSync(layout.lock);
    takeLock(layout);
  }
}
