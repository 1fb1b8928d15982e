import { chainName, type Element, type PickChain } from "./elements.ts";

/** The mark of connections whose source address is replaced. */
const masqueradeMark = "0x4000";
/** Clients remembered for session affinity, all services together. */
const rememberedClients = 65_536;

const setTypes: Readonly<Record<Element["set"], string>> = {
  services: "map services { type ipv4_addr . inet_proto . inet_service : verdict; }",
  endpoints:
    "map endpoints { type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; }",
  "node-ports": "map node-ports { type inet_proto . inet_service : verdict; }",
  "node-port-endpoints":
    "map node-port-endpoints { type inet_proto . inet_service . mark : ipv4_addr . inet_service; }",
  refused: "set refused { type ipv4_addr . inet_proto . inet_service; }",
  "refused-node-ports": "set refused-node-ports { type inet_proto . inet_service; }",
  hairpin: "set hairpin { type ipv4_addr . ipv4_addr; }",
};

/**
 * The empty table. A packet's destination is looked up in flat maps, so that neither the number of services nor
 * that of endpoints counts: the first map names the chain that draws a slot, the second the slot's endpoint.
 */
export function baseTable(table: string): string {
  return `
table ip ${table}
delete table ip ${table}
table ip ${table} {
  ${Object.values(setTypes).join("\n  ")}
  map clients { type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark; flags dynamic,timeout; timeout 3h; size ${rememberedClients}; }
  chain lookup {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local meta l4proto . th dport vmap @node-ports
  }
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
  chain refuse {
    ip daddr . meta l4proto . th dport @refused meta l4proto tcp reject with tcp reset
    ip daddr . meta l4proto . th dport @refused reject with icmp port-unreachable
    fib daddr type local meta l4proto . th dport @refused-node-ports meta l4proto tcp reject with tcp reset
    fib daddr type local meta l4proto . th dport @refused-node-ports reject with icmp port-unreachable
  }
  chain refuse-incoming {
    type filter hook prerouting priority -110; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    jump refuse
  }
  chain refuse-outgoing {
    type filter hook output priority -110; policy accept;
    jump refuse
  }
}
`;
}

/** Adds a chain that draws a slot and rewrites the destination. Adding one that is there changes nothing. */
export function addChain(table: string, chain: PickChain): string {
  const { count, stickySeconds, masquerade } = chain;
  const inNode = chain.table === "node-port-endpoints";
  const destination = inNode ? "" : "ip daddr . ";
  const client = "ip saddr . ip daddr . meta l4proto . th dport";
  const rewrite = `dnat ip to ${destination}meta l4proto . th dport . meta mark map @${chain.table}`;
  const draw = count === 1 ? "meta mark set 0" : `meta mark set numgen random mod ${count}`;
  const remember = `update @clients { ${client} timeout ${stickySeconds}s : meta mark }`;
  const rules = [
    ...(masquerade ? [`ct mark set ${masqueradeMark}`] : []),
    ...(stickySeconds === undefined
      ? []
      : [`meta mark set ${client} map @clients ${remember} meta l4proto { tcp, udp, sctp } ${rewrite}`]),
    draw,
    ...(stickySeconds === undefined ? [] : [remember]),
    `meta l4proto { tcp, udp, sctp } ${rewrite}`,
  ];
  const name = chainName(chain);
  return [
    `add chain ip ${table} ${name}`,
    ...rules.map((rule) => `add rule ip ${table} ${name} ${rule}`),
  ].join("\n");
}

/** The commands that turn the elements in force into those wanted; removals first, since a changed value is both. */
export function elementChanges(
  table: string,
  { inForce, wanted }: { readonly inForce: readonly Element[]; readonly wanted: readonly Element[] },
): { readonly removals: string[]; readonly additions: string[] } {
  const identity = ({ set, key, value = "" }: Element) => `${set} ${key} : ${value}`;
  const before = new Set(inForce.map(identity));
  const after = new Set(wanted.map(identity));
  const removed = inForce.filter((element) => !after.has(identity(element)));
  const added = wanted.filter((element) => !before.has(identity(element)));
  return {
    removals: bySet(removed).map(
      ([set, keys]) => `delete element ip ${table} ${set} { ${keys.map(({ key }) => key).join(", ")} }`,
    ),
    additions: bySet(added).map(
      ([set, elements]) =>
        `add element ip ${table} ${set} { ${elements.map(({ key, value }) => (value === undefined ? key : `${key} : ${value}`)).join(", ")} }`,
    ),
  };
}

function bySet(elements: readonly Element[]): [string, Element[]][] {
  const groups = new Map<string, Element[]>();
  for (const element of elements) {
    const group = groups.get(element.set);
    if (group) group.push(element);
    else groups.set(element.set, [element]);
  }
  return [...groups];
}
