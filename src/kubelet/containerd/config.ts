/** Which program starts containers. */
export interface OciRuntime {
  readonly name: "crun" | "runc";
  /** Path of its executable. */
  readonly program: string;
}

/** Where a private containerd keeps its things, and what it runs containers with. */
export interface ContainerdConfig {
  /** Images and snapshots; survives restarts. */
  readonly rootDirectory: string;
  /** Live state; short, because sockets' paths are limited to 107 bytes. */
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly networkConfigDirectory: string;
  readonly networkPluginDirectory: string;
  readonly runtime: OciRuntime;
  readonly sandboxImage: string;
  /** Registries' host configuration. */
  readonly registryConfigDirectory: string;
  /** Whether negative out-of-memory adjustments must be clamped: the process may not lower its own. */
  readonly restrictOomScoreAdjust: boolean;
}

const quoted = (text: string) => JSON.stringify(text);

/** Plugins that a cluster has no use for and that slow the start or leave files outside of the given directories. */
const disabledPlugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
];

/** containerd's configuration file, in the version that 1.6 and 2.x read. */
export function containerdConfig(config: ContainerdConfig): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return [
    "version = 2",
    `root = ${quoted(config.rootDirectory)}`,
    `state = ${quoted(config.stateDirectory)}`,
    `disabled_plugins = [${disabledPlugins.map(quoted).join(", ")}]`,
    "[grpc]",
    `address = ${quoted(config.socketPath)}`,
    `[${cri}]`,
    `sandbox_image = ${quoted(config.sandboxImage)}`,
    `restrict_oom_score_adj = ${config.restrictOomScoreAdjust}`,
    'stream_server_address = "127.0.0.1"',
    'stream_server_port = "0"',
    "enable_unprivileged_ports = true",
    "enable_unprivileged_icmp = true",
    `[${cri}.cni]`,
    `bin_dir = ${quoted(config.networkPluginDirectory)}`,
    `conf_dir = ${quoted(config.networkConfigDirectory)}`,
    `[${cri}.containerd]`,
    'snapshotter = "overlayfs"',
    `default_runtime_name = ${quoted(config.runtime.name)}`,
    `[${cri}.containerd.runtimes.${config.runtime.name}]`,
    'runtime_type = "io.containerd.runc.v2"',
    `[${cri}.containerd.runtimes.${config.runtime.name}.options]`,
    `BinaryName = ${quoted(config.runtime.program)}`,
    "SystemdCgroup = false",
    `[${cri}.registry]`,
    `config_path = ${quoted(config.registryConfigDirectory)}`,
    "",
  ].join("\n");
}

/** How pods of a node are connected. */
export interface PodNetworkConfig {
  readonly clusterName: string;
  readonly bridgeName: string;
  readonly podCIDRs: readonly string[];
  /** Where addresses in use are noted; one a node. */
  readonly addressDirectory: string;
}

/** The CNI configuration list of a node: a bridge with addresses of the pod range, and host ports. */
export function podNetworkConfig(config: PodNetworkConfig): string {
  const routes = config.podCIDRs.map((cidr) => ({ dst: cidr.includes(":") ? "::/0" : "0.0.0.0/0" }));
  return JSON.stringify(
    {
      cniVersion: "1.0.0",
      name: config.clusterName,
      plugins: [
        {
          type: "bridge",
          bridge: config.bridgeName,
          isGateway: true,
          ipMasq: false,
          hairpinMode: true,
          ipam: {
            type: "host-local",
            dataDir: config.addressDirectory,
            ranges: config.podCIDRs.map((subnet) => [{ subnet }]),
            routes,
          },
        },
        { type: "portmap", capabilities: { portMappings: true }, snat: true },
      ],
    },
    undefined,
    2,
  );
}
