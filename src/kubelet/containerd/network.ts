import type { Logger } from "../../base/index.ts";
import { forwardingSettings, runProgram, setKernelSettings } from "../../machine/index.ts";
import { closeForwarding, openForwarding } from "./forwarding.ts";

/** What a node's pod network needs besides CNI. */
export interface PodNetwork {
  readonly clusterName: string;
  readonly bridgeName: string;
  readonly podCIDRs: readonly string[];
}

const tableName = (clusterName: string) => `kubets-pods-${clusterName.replaceAll(/[^a-zA-Z0-9-]/g, "-")}`;

/** Rules that give pods' traffic to the outside the node's address. */
export function masqueradeRules(network: PodNetwork): string {
  const families = [
    {
      family: "ip",
      ranges: network.podCIDRs.filter((cidr) => !cidr.includes(":")),
      multicast: "224.0.0.0/4",
    },
    { family: "ip6", ranges: network.podCIDRs.filter((cidr) => cidr.includes(":")), multicast: "ff00::/8" },
  ].filter(({ ranges }) => ranges.length > 0);
  const table = tableName(network.clusterName);
  return families
    .map(({ family, ranges, multicast }) => {
      const set = `{ ${ranges.join(", ")} }`;
      return [
        `add table ${family} ${table}`,
        `delete table ${family} ${table}`,
        `table ${family} ${table} {`,
        "  chain postrouting {",
        "    type nat hook postrouting priority srcnat;",
        `    ${family} saddr ${set} ${family} daddr != ${set} ${family} daddr != ${multicast} oifname != "${network.bridgeName}" masquerade;`,
        "  }",
        "}",
        "",
      ].join("\n");
    })
    .join("");
}

/** Sets up what pods need to reach one another through services and the outside. */
export async function setUpPodNetwork(network: PodNetwork & { readonly logger: Logger }): Promise<void> {
  await setKernelSettings(forwardingSettings);
  await runProgram("nft", ["-f", "-"], { input: masqueradeRules(network) });
  await makeBridge(network);
  await openForwarding(network);
}

/** Makes the bridge before the first pod does: its address tells other clusters of the machine which networks are taken. */
async function makeBridge({ bridgeName, podCIDRs }: PodNetwork): Promise<void> {
  // It is there already when an earlier run was killed.
  await runProgram("ip", ["link", "add", bridgeName, "type", "bridge"]).catch(() => undefined);
  for (const cidr of podCIDRs.filter((range) => !range.includes(":")))
    await runProgram("ip", ["address", "replace", gatewayOf(cidr), "dev", bridgeName]);
  await runProgram("ip", ["link", "set", bridgeName, "up"]);
}

/** The first address of an IPv4 network, with the network's length. */
export function gatewayOf(cidr: string): string {
  const [network = "", length = ""] = cidr.split("/");
  const octets = network.split(".");
  return `${[...octets.slice(0, 3), Number(octets[3]) + 1].join(".")}/${length}`;
}

/** Takes the rules and the bridge away. */
export async function tearDownPodNetwork(network: PodNetwork): Promise<void> {
  for (const family of ["ip", "ip6"]) {
    await runProgram("nft", ["delete", "table", family, tableName(network.clusterName)]).catch(
      () => undefined,
    );
  }
  await closeForwarding(network.bridgeName);
  await runProgram("ip", ["link", "delete", network.bridgeName]).catch(() => undefined);
  await removeHostPortChains();
}

/** The chains that the portmap plugin leaves, when no pod of anyone uses them. */
async function removeHostPortChains(): Promise<void> {
  const rules = await runProgram("iptables-save", ["-t", "nat"]).catch(() => "");
  if (!rules.includes(":CNI-HOSTPORT-DNAT") || rules.includes(":CNI-DN-")) return;
  const kept = rules.split("\n").filter((line) => !/CNI-HOSTPORT-(DNAT|MASQ|SETMARK)/.test(line));
  await runProgram("iptables-restore", ["-T", "nat"], { input: kept.join("\n") });
}
