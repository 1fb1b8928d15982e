import type { Service, ServicePort } from "../api/types/core-v1.ts";
import type { EndpointSlice } from "../api/types/discovery-v1.ts";
import { targetsOf, type Target } from "./targets.ts";

/** One element of a named map or set of the table; `value` is absent in sets. */
export interface Element {
  readonly set:
    | "services"
    | "endpoints"
    | "draws"
    | "node-ports"
    | "node-port-endpoints"
    | "node-port-draws"
    | "no-endpoints"
    | "no-node-port-endpoints"
    | "restricted"
    | "sources"
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

/** Where UDP clients send to, and the endpoints that may answer them; a node port has no address of its own. */
export interface UdpFrontend {
  readonly address?: string;
  readonly port: number;
  readonly endpoints: readonly string[];
}

/** What a load balancer may ask the node: how many endpoints of the service it has itself. */
export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly localEndpoints: number;
}

/** What one service needs on the node. */
export interface ServiceRules {
  readonly elements: readonly Element[];
  readonly chains: readonly PickChain[];
  /** By address and port. */
  readonly udp: ReadonlyMap<string, UdpFrontend>;
  readonly health?: HealthCheck;
}

/** The rules of a service (IPv4): its addresses and node ports lead to its endpoints, or refuse. */
export function serviceRules(
  service: Service,
  { slices, nodeName }: { readonly slices: readonly EndpointSlice[]; readonly nodeName: string },
): ServiceRules {
  const rules = new RuleBuilder(service);
  const { spec } = service;
  if (spec.type === "ExternalName" || spec.clusterIP === "None" || !isIpv4(spec.clusterIP))
    return rules.result();
  const localOutside = spec.externalTrafficPolicy === "Local";
  const localAddresses = new Set<string>();
  for (const port of spec.ports ?? []) {
    const targets = targetsOf(slices, { portName: port.name ?? "", nodeName });
    const inside = spec.internalTrafficPolicy === "Local" ? targets.local : targets.all;
    const outside = localOutside ? targets.local : targets.all;
    const any = targets.all.length > 0;
    rules.address(spec.clusterIP ?? "", { port, targets: inside, any, masquerade: false });
    for (const address of externalAddresses(service)) {
      rules.address(address, { port, targets: outside, any, masquerade: !localOutside });
    }
    for (const address of balancerAddresses(service)) rules.restrict(address, port);
    if ((port.nodePort ?? 0) > 0)
      rules.nodePort(port, { port, targets: outside, any, masquerade: !localOutside });
    for (const { address } of [...targets.all, ...targets.local])
      rules.add({ set: "hairpin", key: `${address} . ${address}` });
    for (const { address } of targets.readyLocal) localAddresses.add(address);
  }
  return rules.result(localOutside ? localAddresses.size : undefined);
}

interface PortRule {
  readonly port: ServicePort;
  readonly targets: readonly Target[];
  /** Whether there are endpoints at all: those that are elsewhere make clients wait, none makes them fail. */
  readonly any: boolean;
  readonly masquerade: boolean;
}

class RuleBuilder {
  private readonly service: Service;
  private readonly elements = new Map<string, Element>();
  private readonly chains: PickChain[] = [];
  private readonly udp = new Map<string, UdpFrontend>();
  private readonly stickySeconds: number | undefined;
  private readonly sources: readonly string[];

  constructor(service: Service) {
    const { spec } = service;
    this.service = service;
    const sticky = spec.sessionAffinity === "ClientIP";
    this.stickySeconds = sticky
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
      : undefined;
    this.sources = outermost((spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()));
  }

  add(element: Element): void {
    this.elements.set(`${element.set} ${element.key}`, element);
  }

  address(address: string, rule: PortRule): void {
    const { port } = rule.port;
    const key = `${address} . ${protocolOf(rule.port)} . ${port}`;
    if (rule.targets.length === 0) return this.add({ set: "no-endpoints", key, value: refusal(rule) });
    this.add({ set: "services", key, value: this.pick("endpoints", rule) });
    this.slots("endpoints", { key, targets: rule.targets });
    this.flows({ address, port }, rule);
  }

  nodePort({ nodePort = 0 }: ServicePort, rule: PortRule): void {
    const key = `${protocolOf(rule.port)} . ${nodePort}`;
    if (rule.targets.length === 0)
      return this.add({ set: "no-node-port-endpoints", key, value: refusal(rule) });
    this.add({ set: "node-ports", key, value: this.pick("node-port-endpoints", rule) });
    this.slots("node-port-endpoints", { key, targets: rule.targets });
    this.flows({ port: nodePort }, rule);
  }

  /** Lets only the service's source ranges reach a load balancer's address. */
  restrict(address: string, port: ServicePort): void {
    if (this.sources.length === 0) return;
    const key = `${address} . ${protocolOf(port)} . ${port.port}`;
    this.add({ set: "restricted", key });
    for (const source of this.sources) this.add({ set: "sources", key: `${key} . ${source}` });
  }

  result(localEndpoints?: number): ServiceRules {
    const { namespace = "", name } = this.service.metadata;
    const port = this.service.spec.healthCheckNodePort ?? 0;
    const health =
      port > 0 && localEndpoints !== undefined ? { health: { namespace, name, port, localEndpoints } } : {};
    return { elements: [...this.elements.values()], chains: this.chains, udp: this.udp, ...health };
  }

  private pick(table: PickChain["table"], { targets, masquerade }: PortRule): string {
    const sticky = this.stickySeconds === undefined ? {} : { stickySeconds: this.stickySeconds };
    const chain: PickChain = { table, count: targets.length, masquerade, ...sticky };
    this.chains.push(chain);
    return `goto ${chainName(chain)}`;
  }

  /** Endpoints by slot; for clients that stay with theirs by a number that does not change when others come and go. */
  private slots(
    set: PickChain["table"],
    { key, targets }: { key: string; targets: readonly Target[] },
  ): void {
    const draws = set === "endpoints" ? "draws" : "node-port-draws";
    const numbers = this.stickySeconds === undefined ? undefined : lastingNumbers(targets);
    targets.forEach(({ address, port }, slot) => {
      const number = numbers?.[slot] ?? slot;
      if (numbers) this.add({ set: draws, key: `${key} . ${slot}`, value: String(number) });
      this.add({ set, key: `${key} . ${number}`, value: `${address} . ${port}` });
    });
  }

  private flows(to: { readonly address?: string; readonly port: number }, rule: PortRule): void {
    if (protocolOf(rule.port) !== "udp") return;
    const endpoints = rule.targets.map(({ address }) => address);
    this.udp.set(`${to.address ?? "*"}:${to.port}`, { ...to, endpoints });
  }
}

const protocolOf = ({ protocol = "TCP" }: ServicePort) => protocol.toLowerCase();
const refusal = ({ any }: PortRule): string => (any ? "drop" : "goto refusal");
const isIpv4 = (address: string | undefined) => address !== undefined && /^\d+(\.\d+){3}$/.test(address);

function balancerAddresses({ status }: Service): string[] {
  return (status.loadBalancer.ingress ?? [])
    .filter(({ ipMode = "VIP" }) => ipMode === "VIP")
    .map(({ ip }) => ip ?? "")
    .filter(isIpv4);
}

function externalAddresses(service: Service): string[] {
  return [...(service.spec.externalIPs ?? []).filter(isIpv4), ...balancerAddresses(service)];
}

/** A number for each target made from its address and port alone, different from the others'. */
function lastingNumbers(targets: readonly Target[]): number[] {
  const taken = new Set<number>();
  return targets.map(({ address, port }) => {
    let number = hash(`${address}:${port}`);
    while (taken.has(number)) number = (number + 1) % numberLimit;
    taken.add(number);
    return number;
  });
}

/** Marks have 32 bits. */
const numberLimit = 2 ** 32;

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

interface Range {
  readonly text: string;
  readonly base: number;
  readonly length: number;
}

/** IPv4 ranges without those inside others, since an interval set takes no overlaps; none if all addresses are allowed. */
function outermost(ranges: readonly string[]): string[] {
  const parsed = ranges.flatMap(parseRange).sort((one, other) => one.length - other.length);
  if (parsed[0]?.length === 0) return [];
  const kept: Range[] = [];
  for (const range of parsed) {
    if (!kept.some(({ base, length }) => Math.floor(range.base / 2 ** (32 - length)) === base))
      kept.push({ ...range, base: Math.floor(range.base / 2 ** (32 - range.length)) });
  }
  return kept.map(({ text }) => text);
}

function parseRange(text: string): Range[] {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text);
  if (!match) return [];
  const [first = 0, second = 0, third = 0, fourth = 0, length = 0] = match.slice(1).map(Number);
  return [{ text, base: ((first * 256 + second) * 256 + third) * 256 + fourth, length }];
}
