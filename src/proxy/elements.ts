import type { Service, ServicePort } from "../api/types/core-v1.ts";
import type { EndpointSlice } from "../api/types/discovery-v1.ts";
import { targetsOf, type Target } from "./targets.ts";

/** One element of a named map or set of the table; `value` is absent in sets. */
export interface Element {
  readonly set:
    | "services"
    | "services-inside"
    | "endpoints"
    | "draws"
    | "node-ports"
    | "node-ports-inside"
    | "node-port-endpoints"
    | "node-port-draws"
    | "no-endpoints"
    | "no-node-port-endpoints"
    | "no-local-endpoints"
    | "no-local-node-port-endpoints"
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
  /** For clients on the node and in its pods, where others have an own list of endpoints at the same key. */
  readonly inside?: boolean;
}

/** Slots of lists for clients inside come after all others. */
export const firstSlotInside = 65_536;

export function chainName({ table, count, stickySeconds, masquerade, inside = false }: PickChain): string {
  const kind = table === "endpoints" ? "pick" : "node-pick";
  const sticky = stickySeconds === undefined ? "" : `-sticky-${stickySeconds}`;
  return `${kind}-${count}${sticky}${masquerade ? "-masquerade" : ""}${inside ? "-inside" : ""}`;
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
  // Of two addresses either may come first.
  const clusterIP = (spec.clusterIPs ?? [spec.clusterIP]).find(isIpv4);
  if (isForOthers(service) || spec.type === "ExternalName" || !clusterIP) return rules.result();
  const localOutside = spec.externalTrafficPolicy === "Local";
  const localAddresses = new Set<string>();
  for (const port of spec.ports ?? []) {
    const targets = targetsOf(slices, { portName: port.name ?? "", nodeName });
    const inside = spec.internalTrafficPolicy === "Local" ? targets.local : targets.all;
    const any = targets.all.length > 0;
    rules.address(clusterIP, { port, targets: inside, any, masquerade: false });
    const outside: PortRule = { port, targets: targets.all, any, masquerade: true };
    const local = localOutside ? targets.local : undefined;
    for (const address of externalAddresses(service)) rules.address(address, outside, local);
    for (const address of balancerAddresses(service)) rules.restrict(address, port);
    if ((port.nodePort ?? 0) > 0) rules.nodePort(port, outside, local);
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

/** The sets in which addresses are looked up, or node ports. */
interface Sets {
  readonly lead: Element["set"];
  readonly inside: Element["set"];
  readonly endpoints: PickChain["table"];
  readonly draws: Element["set"];
  readonly none: Element["set"];
  readonly noLocal: Element["set"];
}

const addressSets: Sets = {
  lead: "services",
  inside: "services-inside",
  endpoints: "endpoints",
  draws: "draws",
  none: "no-endpoints",
  noLocal: "no-local-endpoints",
};
const nodePortSets: Sets = {
  lead: "node-ports",
  inside: "node-ports-inside",
  endpoints: "node-port-endpoints",
  draws: "node-port-draws",
  none: "no-node-port-endpoints",
  noLocal: "no-local-node-port-endpoints",
};

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

  /** With `local` endpoints, clients outside have only these, and are not masqueraded. */
  address(address: string, rule: PortRule, local?: readonly Target[]): void {
    const { port } = rule.port;
    this.lead(addressSets, { key: `${address} . ${protocolOf(rule.port)} . ${port}`, rule, local });
    this.flows({ address, port }, rule);
  }

  nodePort({ nodePort = 0 }: ServicePort, rule: PortRule, local?: readonly Target[]): void {
    this.lead(nodePortSets, { key: `${protocolOf(rule.port)} . ${nodePort}`, rule, local });
    this.flows({ port: nodePort }, rule);
  }

  private lead(
    sets: Sets,
    { key, rule, local }: { key: string; rule: PortRule; local: readonly Target[] | undefined },
  ): void {
    if (rule.targets.length === 0) return this.add({ set: sets.none, key, value: refusal(rule) });
    if (local === undefined) return this.pick(sets, { key, rule });
    this.pick(sets, { key, rule, inside: true });
    if (local.length === 0) this.add({ set: sets.noLocal, key });
    else this.pick(sets, { key, rule: { ...rule, targets: local, masquerade: false } });
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

  private pick(
    sets: Sets,
    { key, rule, inside = false }: { key: string; rule: PortRule; inside?: boolean },
  ): void {
    const { targets, masquerade } = rule;
    const sticky = this.stickySeconds === undefined ? {} : { stickySeconds: this.stickySeconds };
    const place = inside ? { inside } : {};
    const chain: PickChain = {
      table: sets.endpoints,
      count: targets.length,
      masquerade,
      ...sticky,
      ...place,
    };
    this.chains.push(chain);
    this.add({ set: inside ? sets.inside : sets.lead, key, value: `goto ${chainName(chain)}` });
    this.slots(sets, { key, targets, first: inside ? firstSlotInside : 0 });
  }

  /** Endpoints by slot; for clients that stay with theirs by a number that does not change when others come and go. */
  private slots(
    { endpoints, draws }: Sets,
    { key, targets, first }: { key: string; targets: readonly Target[]; first: number },
  ): void {
    const numbers = this.stickySeconds === undefined ? undefined : lastingNumbers(targets);
    targets.forEach(({ address, port }, index) => {
      const slot = first + index;
      const number = numbers?.[index] ?? slot;
      if (numbers) this.add({ set: draws, key: `${key} . ${slot}`, value: String(number) });
      this.add({ set: endpoints, key: `${key} . ${number}`, value: `${address} . ${port}` });
    });
  }

  private flows(to: { readonly address?: string; readonly port: number }, rule: PortRule): void {
    if (protocolOf(rule.port) !== "udp" || rule.targets.length === 0) return;
    const endpoints = rule.targets.map(({ address }) => address);
    this.udp.set(`${to.address ?? "*"}:${to.port}`, { ...to, endpoints });
  }
}

/** Labels by which a service is left to another proxy, or to none. */
const labelsForOthers = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"];

const isForOthers = ({ metadata }: Service): boolean =>
  labelsForOthers.some((label) => metadata.labels?.[label] !== undefined);

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

/**
 * A number for each target made from its address and port alone, different from the others'. A list of local targets
 * is part of the whole one: numbers that would differ between the two are as unlikely as equal hashes.
 */
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
