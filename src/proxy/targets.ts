import type { Endpoint, EndpointSlice } from "../api/types/discovery-v1.ts";

/** An endpoint's address and port. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/** Endpoints of one port that traffic may go to; each list is sorted. */
export interface Targets {
  readonly all: readonly Target[];
  /** Those on the node. */
  readonly local: readonly Target[];
  readonly readyLocal: readonly Target[];
}

interface Candidate extends Target {
  readonly endpoint: Endpoint;
}

/** The endpoints of a port: in each scope the ready ones, or else those that still serve while they end. */
export function targetsOf(
  slices: readonly EndpointSlice[],
  { portName, nodeName }: { readonly portName: string; readonly nodeName: string },
): Targets {
  const candidates = slices
    .filter(({ addressType }) => addressType === "IPv4")
    .flatMap((slice) => {
      const port = slice.ports?.find(({ name = "" }) => name === portName)?.port;
      if (port === undefined) return [];
      return (slice.endpoints ?? []).flatMap((endpoint) =>
        endpoint.addresses.map((address): Candidate => ({ address, port, endpoint })),
      );
    });
  const local = candidates.filter(({ endpoint }) => endpoint.nodeName === nodeName);
  return { all: usable(candidates), local: usable(local), readyLocal: sorted(local.filter(isReady)) };
}

const isReady = ({ endpoint }: Candidate): boolean => endpoint.conditions?.ready !== false;

function isServingWhileEnding({ endpoint }: Candidate): boolean {
  return endpoint.conditions?.serving === true && endpoint.conditions.terminating === true;
}

function usable(candidates: readonly Candidate[]): Target[] {
  const ready = candidates.filter(isReady);
  return sorted(ready.length > 0 ? ready : candidates.filter(isServingWhileEnding));
}

/** Each once, in the order of addresses, so that slots are stable. */
function sorted(candidates: readonly Candidate[]): Target[] {
  const targets = new Map<string, Target>();
  for (const { address, port } of candidates) targets.set(`${address}:${port}`, { address, port });
  return [...targets].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, target]) => target);
}
