import type { UdpFrontend } from "./elements.ts";

/** UDP flows to an address and port, or to a node port; all of them, or those that go to one endpoint. */
export interface UdpFlow {
  readonly address?: string;
  readonly port: number;
  readonly endpoint?: string;
}

export const flowKey = ({ address = "*", port, endpoint = "*" }: UdpFlow): string =>
  `${address}:${port} ${endpoint}`;

/** UDP knows no connection's end: flows to endpoints that went, or from before there were any, are to be forgotten. */
export function staleFlows(
  before: ReadonlyMap<string, UdpFrontend>,
  after: ReadonlyMap<string, UdpFrontend>,
): UdpFlow[] {
  const left = [...before].flatMap(([key, frontend]): UdpFlow[] => {
    const kept = after.get(key)?.endpoints;
    if (kept === undefined) return [to(frontend)];
    const keeps = new Set(kept);
    return frontend.endpoints
      .filter((endpoint) => !keeps.has(endpoint))
      .map((endpoint) => ({ ...to(frontend), endpoint }));
  });
  const first = [...after].filter(([key]) => !before.has(key)).map(([, frontend]) => to(frontend));
  return [...left, ...first];
}

const to = ({ address, port }: UdpFrontend): UdpFlow =>
  address === undefined ? { port } : { address, port };
