import type { Pod } from "../../api/types/core-v1.ts";
import { podHostname } from "./sandbox-config.ts";

const standardEntries = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

/** The /etc/hosts that a pod's containers see. */
export function hostsFile(
  pod: Pod,
  options: {
    readonly ips: readonly string[];
    readonly clusterDomain: string;
    /** Content of the node's own, for pods on its network. */
    readonly hostFile: string;
  },
): string {
  if (pod.spec.hostNetwork)
    return `# Kubernetes-managed hosts file (host network).\n${options.hostFile}${aliases(pod)}`;
  const { hostname, domain } = podHostname(pod, options.clusterDomain);
  const own = options.ips.map((ip) =>
    domain === "" ? `${ip}\t${hostname}` : `${ip}\t${hostname}.${domain}\t${hostname}`,
  );
  const lines = ["# Kubernetes-managed hosts file.", ...standardEntries, ...own];
  return `${lines.join("\n")}\n${aliases(pod)}`;
}

function aliases(pod: Pod): string {
  const entries = pod.spec.hostAliases ?? [];
  if (entries.length === 0) return "";
  const lines = entries.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join("\t"));
  return `\n# Entries added by HostAliases.\n${lines.join("\n")}\n`;
}
