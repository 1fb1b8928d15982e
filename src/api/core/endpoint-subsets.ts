import { semanticallyEqual } from "../common/equal.ts";
import type { EndpointAddress, EndpointPort, EndpointSubset } from "../types/core-v1.ts";

/** An address of a port, and whether it is ready: an address that is not wins. */
interface Member {
  readonly address: EndpointAddress;
  readonly ready: boolean;
}

/**
 * Subsets that say the same with the fewest entries, as upstream keeps them: ports that have the same addresses share
 * a subset, an address is there once, those that are ready apart from those that are not.
 */
export function packSubsets(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
  const byPort = new Map<string, { readonly port: EndpointPort | undefined; members: Map<string, Member> }>();
  const known = new Map<string, EndpointAddress>();
  for (const subset of subsets) {
    for (const port of subset.ports?.length ? subset.ports : [undefined]) {
      const key = portKey(port);
      const entry = byPort.get(key) ?? { port, members: new Map<string, Member>() };
      byPort.set(key, entry);
      addMembers(entry.members, subset, known);
    }
  }
  const packed = new Map<string, { readonly members: readonly Member[]; readonly ports: EndpointPort[] }>();
  for (const { port, members } of byPort.values()) {
    const sorted = [...members].sort(([one], [other]) => (one < other ? -1 : 1));
    const key = JSON.stringify(sorted.map(([name, { ready }]) => [name, ready]));
    const entry = packed.get(key) ?? { members: sorted.map(([, member]) => member), ports: [] };
    packed.set(key, entry);
    if (port !== undefined) entry.ports.push(port);
  }
  const result = [...packed.values()].map(({ members, ports }) => subsetOf(members, ports));
  return semanticallyEqual(result, subsets) ? subsets : result;
}

function addMembers(
  members: Map<string, Member>,
  { addresses = [], notReadyAddresses = [] }: EndpointSubset,
  known: Map<string, EndpointAddress>,
): void {
  const add = (address: EndpointAddress, ready: boolean) => {
    const key = `${address.ip}/${address.targetRef?.uid ?? ""}`;
    const first = known.get(key) ?? address;
    known.set(key, first);
    const before = members.get(key);
    if (before === undefined || before.ready) members.set(key, { address: first, ready });
  };
  for (const address of addresses) add(address, true);
  for (const address of notReadyAddresses) add(address, false);
}

function portKey(port: EndpointPort | undefined): string {
  if (port === undefined) return "";
  const { name = "", port: number, protocol = "", appProtocol } = port;
  return JSON.stringify([name, number, protocol, appProtocol ?? null]);
}

function subsetOf(members: readonly Member[], ports: readonly EndpointPort[]): EndpointSubset {
  const addresses = members.filter(({ ready }) => ready).map(({ address }) => address);
  const waiting = members.filter(({ ready }) => !ready).map(({ address }) => address);
  return {
    ...(addresses.length > 0 ? { addresses } : {}),
    ...(waiting.length > 0 ? { notReadyAddresses: waiting } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  };
}
