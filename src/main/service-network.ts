import { invariant } from "../base/index.ts";
import { formatCIDR, formatIP, ipFamilyOf, parseCIDR } from "../apimachinery/index.ts";
import type { ClusterConfiguration } from "./configuration.ts";
import { UsageError, type FlagValues } from "./flags.ts";

type ServiceNetworkSettings = Partial<
  Pick<ClusterConfiguration, "serviceCIDR" | "secondaryServiceCIDR" | "serviceNodePortRange">
>;

const rangeFlag = "service-cluster-ip-range";
const portsFlag = "service-node-port-range";
const shortestIPv6Prefix = 64;
const highestPort = 65_535;

/** What the flags say of services' addresses and ports; a cluster keeps the range that its first services are in. */
export function serviceNetworkOf(flags: FlagValues, present: string | undefined): ServiceNetworkSettings {
  const ports = flags[portsFlag] as string | undefined;
  if (ports !== undefined && parsePortRange(ports) === undefined) {
    throw new UsageError(
      `invalid argument ${JSON.stringify(ports)} for "--${portsFlag}" flag: must be FIRST-LAST, ports from 1 to ${highestPort}`,
    );
  }
  const text = flags[rangeFlag] as string | undefined;
  return {
    ...(ports === undefined ? {} : { serviceNodePortRange: ports }),
    ...(text === undefined ? {} : rangesOf(text, present)),
  };
}

function rangesOf(text: string, present: string | undefined): ServiceNetworkSettings {
  const ranges = text.split(",").map((range) => {
    const parsed = parseCIDR(range.trim());
    if (parsed === undefined) throw new UsageError(`--${rangeFlag} must contain only valid cidrs: ${range}`);
    const long = parsed.network.length === 16 && parsed.prefixLength < shortestIPv6Prefix;
    if (long) {
      throw new UsageError(
        `specified --${rangeFlag} is too large; for 128-bit addresses, the mask must be >= ${shortestIPv6Prefix}`,
      );
    }
    return formatCIDR(parsed);
  });
  const [primary = "", secondary, ...more] = ranges;
  if (more.length > 0) throw new UsageError(`--${rangeFlag} must not contain more than two entries`);
  if (secondary !== undefined && ipFamilyOf(primary) === ipFamilyOf(secondary)) {
    throw new UsageError(`the two ranges of --${rangeFlag} must be of different IP family`);
  }
  if (present !== undefined && primary !== present) {
    throw new UsageError(
      `the services of this cluster have addresses of ${present}: --${rangeFlag} can add a second range to it, or make ServiceCIDR objects`,
    );
  }
  return { serviceCIDR: primary, ...(secondary === undefined ? {} : { secondaryServiceCIDR: secondary }) };
}

/** A node routes and serves addresses of IPv4: those of IPv6 can only come second. */
export function refuseUnservedNetwork(serviceCIDR: string): void {
  if (ipFamilyOf(serviceCIDR) === "IPv4") return;
  throw new UsageError(`with a node, the first range of --${rangeFlag} must be one of IPv4`);
}

/** The address at a position of a network: 1 is its first. */
export function addressAt(cidr: string, position: number): string {
  const parsed = parseCIDR(cidr);
  invariant(parsed, "the cluster's networks are checked before they are used");
  const bytes = [...parsed.network];
  for (let index = bytes.length - 1, rest = position; rest > 0 && index >= 0; index--) {
    rest += bytes[index] ?? 0;
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return formatIP(bytes);
}

/** Cluster DNS has the tenth address of the service network, as everywhere. */
export const dnsPosition = 10;

/** Reads `30000-32767`; undefined when it is no range of ports, or absent. */
export function parsePortRange(
  text: string | undefined,
): { readonly first: number; readonly last: number } | undefined {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text ?? "") ?? [];
  const [first, last] = [Number(from), Number(to)];
  return first >= 1 && last >= first && last <= highestPort ? { first, last } : undefined;
}
