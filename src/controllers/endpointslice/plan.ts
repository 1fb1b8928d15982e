import type { Endpoint, EndpointPort, EndpointSlice } from "../../api/types/discovery-v1.ts";
import { canonicalJson, equalJson } from "../framework/index.ts";
import type { AddressType, Backend } from "./backends.ts";

/** The most endpoints that a slice gets. */
export const sliceLimit = 100;

/** What a slice is to hold. */
export interface SliceContent {
  readonly addressType: AddressType;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly EndpointPort[];
}

export interface SlicePlan {
  readonly create: readonly SliceContent[];
  readonly update: readonly { readonly slice: EndpointSlice; readonly content: SliceContent }[];
  readonly delete: readonly EndpointSlice[];
}

/** How to change a service's slices with as few writes as may be: endpoints stay where they are. */
export function planSlices(
  backends: Readonly<Partial<Record<AddressType, readonly Backend[]>>>,
  existing: readonly EndpointSlice[],
  options: {
    /** The most endpoints that a slice gets; default 100. */
    readonly limit?: number;
    /** Whether nothing at all is shown as one empty slice, default, or as no slice. */
    readonly empty?: "slice" | "nothing";
  } = {},
): SlicePlan {
  const { limit = sliceLimit, empty = "slice" } = options;
  const create: SliceContent[] = [];
  const update: { slice: EndpointSlice; content: SliceContent }[] = [];
  const kept = new Set<EndpointSlice>();
  for (const [type, all] of Object.entries(backends)) {
    const addressType = type as AddressType;
    for (const [key, group] of groupByPorts(all)) {
      const slices = existing.filter(
        (slice) =>
          slice.addressType === addressType && portsKey(slice.ports ?? []) === key && !kept.has(slice),
      );
      const packed = pack(group.endpoints, { slices, limit });
      for (const [slice, endpoints] of packed.held) {
        if (endpoints.length === 0 && (all.length > 0 || empty === "nothing")) continue;
        kept.add(slice);
        update.push({ slice, content: { addressType, endpoints, ports: group.ports } });
      }
      for (const endpoints of packed.fresh) {
        if (endpoints.length === 0 && empty === "nothing") continue;
        create.push({ addressType, endpoints, ports: group.ports });
      }
    }
  }
  const changed = update.filter(({ slice, content }) => !equalJson(slice.endpoints ?? [], content.endpoints));
  return { create, update: changed, delete: existing.filter((slice) => !kept.has(slice)) };
}

const portsKey = (ports: readonly EndpointPort[]) =>
  canonicalJson([...ports].map((port) => canonicalJson(port)).sort());

/** Groups of the same ports; a service without backends keeps one group, for its one empty slice. */
function groupByPorts(all: readonly Backend[]) {
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  for (const { endpoint, ports } of all) {
    const key = portsKey(ports);
    const group = groups.get(key);
    if (group) group.endpoints.push(endpoint);
    else groups.set(key, { ports, endpoints: [endpoint] });
  }
  if (groups.size === 0) groups.set(portsKey([]), { ports: [], endpoints: [] });
  return groups;
}

function pack(
  wanted: readonly Endpoint[],
  { slices, limit }: { readonly slices: readonly EndpointSlice[]; readonly limit: number },
) {
  const left = new Map(wanted.map((endpoint) => [identity(endpoint), endpoint]));
  const held = new Map<EndpointSlice, Endpoint[]>();
  for (const slice of slices) {
    const stay: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const next = left.get(identity(endpoint));
      if (next === undefined) continue;
      stay.push(next);
      left.delete(identity(endpoint));
    }
    held.set(slice, stay);
  }
  const rest = [...left.values()];
  for (const endpoints of held.values()) {
    while (rest.length > 0 && endpoints.length < limit) endpoints.push(rest.shift() as Endpoint);
  }
  const fresh: Endpoint[][] = [];
  for (let start = 0; start < rest.length; start += limit) fresh.push(rest.slice(start, start + limit));
  if (slices.length === 0 && wanted.length === 0) fresh.push([]);
  return { held, fresh };
}

const identity = ({ targetRef, addresses }: Endpoint) => `${targetRef?.uid ?? ""} ${addresses.join(",")}`;
