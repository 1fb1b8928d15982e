import type { Service, ServicePort } from "../api/types/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../api/types/discovery-v1.ts";

/** One element of a named map or set of the table; `value` is absent in sets. */
export interface Element {
  readonly set:
    | "services"
    | "endpoints"
    | "node-ports"
    | "node-port-endpoints"
    | "refused"
    | "refused-node-ports"
    | "hairpin";
  readonly key: string;
  readonly value?: string;
}

/** A chain that picks one of `count` endpoints, the same one for a client within `stickySeconds` if set. */
export interface PickChain {
  readonly table: "endpoints" | "node-port-endpoints";
  readonly count: number;
  readonly stickySeconds?: number;
  /** Whether the client's address is replaced by the node's, so that answers come back this way. */
  readonly masquerade: boolean;
}

export function chainName({ table, count, stickySeconds, masquerade }: PickChain): string {
  const kind = table === "endpoints" ? "pick" : "node-pick";
  const sticky = stickySeconds === undefined ? "" : `-sticky-${stickySeconds}`;
  return `${kind}-${count}${sticky}${masquerade ? "-masquerade" : ""}`;
}

/** What one service needs in the table. */
export interface ServiceRules {
  readonly elements: readonly Element[];
  readonly chains: readonly PickChain[];
  /** UDP flows to forget when they no longer lead to a live endpoint: destination to endpoints. */
  readonly udp: ReadonlyMap<string, readonly string[]>;
}

interface Target {
  readonly address: string;
  readonly port: number;
  readonly local: boolean;
}

/** The rules of a service (IPv4): its addresses and node ports lead to its ready endpoints, or refuse. */
export function serviceRules(
  service: Service,
  { slices, nodeName }: { readonly slices: readonly EndpointSlice[]; readonly nodeName: string },
): ServiceRules {
  const rules = new RuleBuilder(service);
  const { spec } = service;
  if (spec.type === "ExternalName" || spec.clusterIP === "None" || !isIpv4(spec.clusterIP))
    return rules.result();
  for (const port of spec.ports ?? []) {
    const targets = targetsOf(slices, { port, nodeName });
    const locals = targets.filter(({ local }) => local);
    const localInside = spec.internalTrafficPolicy === "Local";
    const localOutside = spec.externalTrafficPolicy === "Local";
    rules.address(spec.clusterIP ?? "", { port, targets: localInside ? locals : targets, masquerade: false });
    const outside = localOutside ? locals : targets;
    for (const address of externalAddresses(service)) {
      rules.address(address, { port, targets: outside, masquerade: !localOutside });
    }
    if ((port.nodePort ?? 0) > 0) rules.nodePort(port, { targets: outside, masquerade: !localOutside });
    for (const { address } of targets) rules.add({ set: "hairpin", key: `${address} . ${address}` });
  }
  return rules.result();
}

class RuleBuilder {
  private readonly elements: Element[] = [];
  private readonly chains: PickChain[] = [];
  private readonly udp = new Map<string, string[]>();
  private readonly stickySeconds: number | undefined;

  constructor({ spec }: Service) {
    const sticky = spec.sessionAffinity === "ClientIP";
    this.stickySeconds = sticky
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
      : undefined;
  }

  add(element: Element): void {
    this.elements.push(element);
  }

  address(
    address: string,
    rule: { port: ServicePort; targets: readonly Target[]; masquerade: boolean },
  ): void {
    const key = `${address} . ${protocolOf(rule.port)} . ${rule.port.port}`;
    if (rule.targets.length === 0) return this.add({ set: "refused", key });
    this.add({ set: "services", key, value: this.pick("endpoints", rule) });
    this.slots("endpoints", { key, targets: rule.targets });
    if (protocolOf(rule.port) === "udp")
      this.udp.set(
        address,
        rule.targets.map((target) => target.address),
      );
  }

  nodePort(port: ServicePort, rule: { targets: readonly Target[]; masquerade: boolean }): void {
    const key = `${protocolOf(port)} . ${port.nodePort}`;
    if (rule.targets.length === 0) return this.add({ set: "refused-node-ports", key });
    this.add({ set: "node-ports", key, value: this.pick("node-port-endpoints", rule) });
    this.slots("node-port-endpoints", { key, targets: rule.targets });
  }

  result(): ServiceRules {
    return { elements: this.elements, chains: this.chains, udp: this.udp };
  }

  private pick(
    table: PickChain["table"],
    { targets, masquerade }: { targets: readonly Target[]; masquerade: boolean },
  ): string {
    const sticky = this.stickySeconds === undefined ? {} : { stickySeconds: this.stickySeconds };
    const chain: PickChain = { table, count: targets.length, masquerade, ...sticky };
    this.chains.push(chain);
    return `goto ${chainName(chain)}`;
  }

  private slots(
    set: PickChain["table"],
    { key, targets }: { key: string; targets: readonly Target[] },
  ): void {
    targets.forEach(({ address, port }, slot) =>
      this.add({ set, key: `${key} . ${slot}`, value: `${address} . ${port}` }),
    );
  }
}

const protocolOf = ({ protocol = "TCP" }: ServicePort) => protocol.toLowerCase();
const isIpv4 = (address: string | undefined) => address !== undefined && /^\d+(\.\d+){3}$/.test(address);

function externalAddresses({ spec, status }: Service): string[] {
  const ingress = (status.loadBalancer.ingress ?? [])
    .filter(({ ipMode = "VIP" }) => ipMode === "VIP")
    .map(({ ip }) => ip ?? "");
  return [...(spec.externalIPs ?? []), ...ingress].filter(isIpv4);
}

/** Endpoints of the port: the ready ones, or else those that still serve while they end; sorted, so that slots are stable. */
function targetsOf(
  slices: readonly EndpointSlice[],
  { port, nodeName }: { port: ServicePort; nodeName: string },
): Target[] {
  const pairs = slices
    .filter(({ addressType }) => addressType === "IPv4")
    .flatMap((slice) => {
      const number = slice.ports?.find(({ name = "" }) => name === (port.name ?? ""))?.port;
      return number === undefined ? [] : (slice.endpoints ?? []).map((endpoint) => ({ endpoint, number }));
    });
  const ready = pairs.filter(({ endpoint }) => endpoint.conditions?.ready !== false);
  const chosen = ready.length > 0 ? ready : pairs.filter(({ endpoint }) => isServingWhileEnding(endpoint));
  const targets = new Map<string, Target>();
  for (const { endpoint, number } of chosen) {
    for (const address of endpoint.addresses) {
      targets.set(`${address}:${number}`, { address, port: number, local: endpoint.nodeName === nodeName });
    }
  }
  return [...targets].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, target]) => target);
}

function isServingWhileEnding({ conditions }: Endpoint): boolean {
  return conditions?.serving === true && conditions.terminating === true;
}
