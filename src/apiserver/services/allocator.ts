import type { Random } from "../../base/index.ts";
import { ApiError, fieldErrors, FieldPath } from "../../apimachinery/index.ts";
import type { FieldError } from "../../apimachinery/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import type { ServicePort, ServiceSpec } from "../../api/types/core-v1.ts";
import type { ObjectReader } from "../reader.ts";
import type { PendingWrite, WriteHook } from "../registry/context.ts";
import type { AnyObject } from "../registry/entry.ts";
import { AddressRange, PortRange } from "./ranges.ts";
import type { RangeProblem } from "./ranges.ts";

export interface ServiceAllocatorOptions {
  /** The services that are there already: what they hold is taken. */
  readonly reader: ObjectReader;
  readonly random: Random;
  /** IPv4 range of cluster addresses, e.g. `10.96.0.0/12`. */
  readonly serviceRange: string;
  /** Default: 30000 to 32767. */
  readonly nodePorts?: { readonly first: number; readonly last: number };
}

/** Hands out cluster addresses and node ports beside the writes of services. */
export function createServiceAllocator(options: ServiceAllocatorOptions): WriteHook {
  const ranges: Ranges = {
    addresses: new AddressRange(options.serviceRange, options.random),
    ports: new PortRange(options.nodePorts ?? { first: 30_000, last: 32_767 }, options.random),
  };
  for (const service of options.reader.list(Service)) {
    const held = holdingsOf(service.spec);
    if (held.address) ranges.addresses.take(held.address);
    for (const port of held.ports) ranges.ports.take(port);
  }
  return { prepare: (write) => prepare(ranges, write) };
}

interface Ranges {
  readonly addresses: AddressRange;
  readonly ports: PortRange;
}

interface Holdings {
  readonly address: string | undefined;
  readonly ports: ReadonlySet<number>;
}

const none: Holdings = { address: undefined, ports: new Set() };

/** What a service holds of the ranges. */
function holdingsOf(spec: ServiceSpec): Holdings {
  const address = spec.clusterIP;
  const ports = new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0));
  if (spec.healthCheckNodePort) ports.add(spec.healthCheckNodePort);
  ports.delete(0);
  return { address: address && address !== "None" ? address : undefined, ports };
}

function prepare(ranges: Ranges, write: PendingWrite): ReturnType<WriteHook["prepare"]> {
  const before = write.old ? holdingsOf(specOf(write.old)) : none;
  const taken: (() => void)[] = [];
  const undo = () => {
    for (const release of taken) release();
  };
  let object = write.object;
  try {
    if (object) object = allocate(ranges, { object, before, taken });
  } catch (error) {
    undo();
    throw error;
  }
  return {
    object,
    settle(written) {
      if (!written) return undo();
      const after = object ? holdingsOf(specOf(object)) : none;
      if (before.address && before.address !== after.address) ranges.addresses.release(before.address);
      for (const port of before.ports) if (!after.ports.has(port)) ranges.ports.release(port);
    },
  };
}

/** The hook is only called for services. */
function specOf(object: AnyObject): ServiceSpec {
  return (object as unknown as Service).spec;
}

function allocate(
  ranges: Ranges,
  write: { readonly object: AnyObject; readonly before: Holdings; readonly taken: (() => void)[] },
): AnyObject {
  const { object, before, taken } = write;
  const fail = (error: FieldError) =>
    ApiError.invalid({ group: "", kind: "Service" }, object.metadata.name, [error]);
  const spec = specOf(object);
  if (spec.type === "ExternalName") return object;
  const withAddress = clusterAddress(ranges.addresses, { spec, before, taken, fail });
  const withPorts = nodePorts(ranges.ports, { spec: withAddress, before, taken, fail });
  return withPorts === spec ? object : { ...object, spec: withPorts };
}

interface Allocation {
  readonly spec: ServiceSpec;
  readonly before: Holdings;
  readonly taken: (() => void)[];
  readonly fail: (error: FieldError) => ApiError;
}

const specPath = FieldPath.root("spec");

function clusterAddress(addresses: AddressRange, allocation: Allocation): ServiceSpec {
  const { spec, before, taken, fail } = allocation;
  const wanted = spec.clusterIP || spec.clusterIPs?.[0];
  let address = wanted;
  if (wanted && wanted !== "None" && wanted !== before.address) {
    const problem = addresses.take(wanted);
    if (problem) {
      const detail = `failed to allocate IP ${wanted}: ${problemText(problem, "IP", addresses.text)}`;
      throw fail(fieldErrors.invalid(specPath.child("clusterIPs"), [wanted], detail));
    }
    taken.push(() => addresses.release(wanted));
  } else if (!wanted) {
    address = addresses.any();
    if (address === undefined) throw ApiError.internal("failed to allocate a serviceIP: range is full");
    const given = address;
    taken.push(() => addresses.release(given));
  }
  const filled =
    spec.clusterIP === address && spec.clusterIPs?.[0] === address && spec.ipFamilies && spec.ipFamilyPolicy;
  if (filled || address === undefined) return spec;
  // A headless service without selector has endpoints of its owner's choice, of either family.
  const open = address === "None" && Object.keys(spec.selector ?? {}).length === 0;
  return {
    ...spec,
    clusterIP: address,
    clusterIPs: [address],
    ipFamilies: spec.ipFamilies ?? (open ? ["IPv4", "IPv6"] : ["IPv4"]),
    ipFamilyPolicy: spec.ipFamilyPolicy ?? (open ? "RequireDualStack" : "SingleStack"),
  };
}

function nodePorts(range: PortRange, allocation: Allocation): ServiceSpec {
  const { before, taken, fail } = allocation;
  let { spec } = allocation;
  const opens =
    spec.type === "NodePort" ||
    (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
  /** Ports that this write has, by who may share them: one number serves each protocol once. */
  const own = new Map<number, Set<string>>();
  const claim = (port: number, protocol: string, path: FieldPath) => {
    const sharers = own.get(port);
    if (!sharers && !before.ports.has(port)) {
      const problem = range.take(port);
      if (problem) throw fail(fieldErrors.invalid(path, port, problemText(problem, "port", range.text)));
      taken.push(() => range.release(port));
    }
    if (sharers?.has(protocol)) {
      throw fail(fieldErrors.invalid(path, port, problemText("taken", "port", range.text)));
    }
    own.set(port, (sharers ?? new Set<string>()).add(protocol));
    return port;
  };
  const any = () => {
    const port = range.any();
    if (port === undefined) throw ApiError.internal("failed to allocate a nodePort: range is full");
    taken.push(() => range.release(port));
    return port;
  };
  const given = spec.ports ?? [];
  for (const [index, { nodePort, protocol = "TCP" }] of given.entries()) {
    if (nodePort) claim(nodePort, protocol, specPath.child("ports").index(index).child("nodePort"));
  }
  if (opens && given.some((port) => !port.nodePort)) {
    const ports: ServicePort[] = [];
    for (const port of given) {
      if (port.nodePort) {
        ports.push(port);
        continue;
      }
      // The same port over another protocol gets the same node port: DNS over UDP and TCP, for example.
      const { protocol = "TCP" } = port;
      const twin = ports.find(
        (other) =>
          other.port === port.port && other.nodePort && own.get(other.nodePort)?.has(protocol) === false,
      );
      const nodePort = twin?.nodePort ?? any();
      own.set(nodePort, (own.get(nodePort) ?? new Set<string>()).add(protocol));
      ports.push({ ...port, nodePort });
    }
    spec = { ...spec, ports };
  }
  const watched = spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
  if (!watched) return spec;
  const path = specPath.child("healthCheckNodePort");
  const { healthCheckNodePort: health } = spec;
  if (!health) return { ...spec, healthCheckNodePort: any() };
  claim(health, "health", path);
  return spec;
}

function problemText(problem: RangeProblem, what: "IP" | "port", range: string): string {
  switch (problem) {
    case "taken":
      return `provided ${what} is already allocated`;
    case "outside":
      return `provided ${what} is not in the valid range. The range of valid ${what}s is ${range}`;
    case "full":
      return "range is full";
  }
}
