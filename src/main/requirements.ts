import { existsSync } from "node:fs";

/** Debian packages that a node needs, each with a program that shows it. */
const packages: Readonly<Record<string, readonly string[]>> = {
  containerd: ["/usr/bin/containerd", "/usr/local/bin/containerd"],
  // Either will do; crun starts containers faster.
  crun: ["/usr/bin/crun", "/usr/local/bin/crun", "/usr/sbin/runc", "/usr/bin/runc", "/usr/local/sbin/runc"],
  "containernetworking-plugins": ["/usr/lib/cni/bridge", "/opt/cni/bin/bridge"],
  nftables: ["/usr/sbin/nft", "/sbin/nft"],
  iproute2: ["/usr/sbin/ip", "/sbin/ip", "/bin/ip"],
  conntrack: ["/usr/sbin/conntrack", "/sbin/conntrack"],
};

/** Names of the Debian packages without which no node runs here. */
export function missingNodePrograms(): string[] {
  return Object.entries(packages)
    .filter(([, files]) => !files.some((file) => existsSync(file)))
    .map(([name]) => name);
}
