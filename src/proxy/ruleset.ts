import type { ElementChanges } from "./claims.ts";
import { chainName, firstSlotInside, type Element, type PickChain } from "./elements.ts";

/** The mark of connections whose source address is replaced. */
const masqueradeMark = "0x4000";
/** Clients remembered for session affinity, all services together. */
const rememberedClients = 65_536;

const setTypes: Readonly<Record<Element["set"], string>> = {
  services: "map services { type ipv4_addr . inet_proto . inet_service : verdict; }",
  "services-inside": "map services-inside { type ipv4_addr . inet_proto . inet_service : verdict; }",
  endpoints:
    "map endpoints { type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; }",
  draws: "map draws { type ipv4_addr . inet_proto . inet_service . mark : mark; }",
  "node-ports": "map node-ports { type inet_proto . inet_service : verdict; }",
  "node-ports-inside": "map node-ports-inside { type inet_proto . inet_service : verdict; }",
  "node-port-endpoints":
    "map node-port-endpoints { type inet_proto . inet_service . mark : ipv4_addr . inet_service; }",
  "node-port-draws": "map node-port-draws { type inet_proto . inet_service . mark : mark; }",
  "no-endpoints": "map no-endpoints { type ipv4_addr . inet_proto . inet_service : verdict; }",
  "no-node-port-endpoints": "map no-node-port-endpoints { type inet_proto . inet_service : verdict; }",
  "no-local-endpoints": "set no-local-endpoints { type ipv4_addr . inet_proto . inet_service; }",
  "no-local-node-port-endpoints": "set no-local-node-port-endpoints { type inet_proto . inet_service; }",
  restricted: "set restricted { type ipv4_addr . inet_proto . inet_service; }",
  sources: "set sources { type ipv4_addr . inet_proto . inet_service . ipv4_addr; flags interval; }",
  hairpin: "set hairpin { type ipv4_addr . ipv4_addr; }",
};

const destination = "ip daddr . meta l4proto . th dport";
const client = `ip saddr . ${destination}`;

/**
 * Only the first packet of a connection can be refused: others have their endpoint. Clients inside, on the node and in
 * its pods, are not bound by a policy of local endpoints for traffic from outside.
 */
const refusals = `chain refusal {
    meta l4proto tcp reject with tcp reset
    reject with icmp port-unreachable
  }
  chain refuse {
    ct state != new return
    ${destination} @restricted ${destination} . ip saddr != @sources drop
    ${destination} vmap @no-endpoints
    fib daddr type local meta l4proto . th dport vmap @no-node-port-endpoints
    fib saddr type local return
    ip saddr @pods return
    ${destination} @no-local-endpoints drop
    fib daddr type local meta l4proto . th dport @no-local-node-port-endpoints drop
  }
  chain refuse-incoming {
    type filter hook prerouting priority -110; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    jump refuse
  }
  chain refuse-outgoing {
    type filter hook output priority -110; policy accept;
    jump refuse
  }`;

/** A packet's destination is looked up in what holds for where it comes from, inside or outside. */
const lookups = `chain lookup {
    fib saddr type local goto lookup-inside
    ip saddr @pods goto lookup-inside
    goto lookup-all
  }
  chain lookup-inside {
    ${destination} vmap @services-inside
    fib daddr type local meta l4proto . th dport vmap @node-ports-inside
    goto lookup-all
  }
  chain lookup-all {
    ${destination} vmap @services
    fib daddr type local meta l4proto . th dport vmap @node-ports
  }`;

/**
 * The empty table. A packet's destination is looked up in flat maps, so that neither the number of services nor
 * that of endpoints counts: the first map names the chain that draws a slot, the second the slot's endpoint.
 * The mark carries the slot, and is cleared before routing could take it for someone else's.
 */
export function baseTable(table: string, podRanges: readonly string[]): string {
  const pods = podRanges.length === 0 ? "" : ` elements = { ${podRanges.join(", ")} };`;
  return `
table ip ${table}
delete table ip ${table}
table ip ${table} {
  ${Object.values(setTypes).join("\n  ")}
  set pods { type ipv4_addr; flags interval;${pods} }
  map clients { type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark; flags dynamic,timeout; timeout 3h; size ${rememberedClients}; }
  ${lookups}
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump lookup
  }
  chain output {
    type nat hook output priority -100; policy accept;
    jump lookup
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ct mark ${masqueradeMark} masquerade fully-random
    ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random
    ct status dnat ip saddr 127.0.0.0/8 masquerade fully-random
  }
  ${refusals}
  chain unmark-incoming {
    type filter hook prerouting priority -99; policy accept;
    ct state new ct status dnat meta mark set 0
  }
  chain unmark-outgoing {
    type filter hook output priority -99; policy accept;
    ct state new ct status dnat meta mark set 0
  }
}
`;
}

/** Adds a chain that draws a slot and rewrites the destination. Adding one that is there changes nothing. */
export function addChain(table: string, chain: PickChain): string {
  const name = chainName(chain);
  const rules = [
    ...(chain.masquerade ? [masqueradeRule(chain)] : []),
    ...(chain.stickySeconds === undefined ? drawRules(chain) : stickyRules(chain, chain.stickySeconds)),
  ];
  return [
    `add chain ip ${table} ${name}`,
    ...rules.map((rule) => `add rule ip ${table} ${name} ${rule}`),
  ].join("\n");
}

/** Pods have addresses to which answers find back; the node's own may be those of loopback. */
function masqueradeRule({ inside = false }: PickChain): string {
  return `${inside ? "fib saddr type local " : ""}ct mark set ${masqueradeMark}`;
}

function drawRules({ table, count, inside = false }: PickChain): string[] {
  const first = inside ? firstSlotInside : 0;
  const offset = inside ? ` offset ${first}` : "";
  const draw = count === 1 ? `meta mark set ${first}` : `meta mark set numgen random mod ${count}${offset}`;
  return [draw, rewrite(table)];
}

function rewrite(table: PickChain["table"]): string {
  return `meta l4proto { tcp, udp, sctp } dnat ip to ${keyIn(table)} . meta mark map @${table}`;
}

const keyIn = (table: PickChain["table"]): string =>
  table === "endpoints" ? destination : "meta l4proto . th dport";

/** A client's endpoint is remembered by its lasting number. If that has gone, so must the memory: updating does not replace it. */
function stickyRules(chain: PickChain, seconds: number): string[] {
  const { table } = chain;
  const draws = table === "endpoints" ? "draws" : "node-port-draws";
  const remember = `update @clients { ${client} timeout ${seconds}s : meta mark }`;
  const [draw = "", rewritten = ""] = drawRules(chain);
  return [
    `meta mark set ${client} map @clients ${remember} ${rewritten}`,
    `delete @clients { ${client} : meta mark }`,
    draw,
    `meta mark set ${keyIn(table)} . meta mark map @${draws}`,
    remember,
    rewritten,
  ];
}

/** The commands for changes of elements, in the order to give them. */
export function elementCommands(table: string, { removals, additions }: ElementChanges): string[] {
  return [
    ...bySet(removals).map(
      ([set, elements]) =>
        `delete element ip ${table} ${set} { ${elements.map(({ key }) => key).join(", ")} }`,
    ),
    ...bySet(additions).map(
      ([set, elements]) => `add element ip ${table} ${set} { ${elements.map(written).join(", ")} }`,
    ),
  ];
}

const written = ({ key, value }: Element) => (value === undefined ? key : `${key} : ${value}`);

function bySet(elements: readonly Element[]): [string, Element[]][] {
  const groups = new Map<string, Element[]>();
  for (const element of elements) {
    const group = groups.get(element.set);
    if (group) group.push(element);
    else groups.set(element.set, [element]);
  }
  return [...groups];
}
