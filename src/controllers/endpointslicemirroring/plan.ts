import type { EndpointAddress, Endpoints, Service } from "../../api/types/core-v1.ts";
import type { Endpoint, EndpointPort } from "../../api/types/discovery-v1.ts";
import { triggerTimeAnnotation } from "../endpointslice/index.ts";
import type { Backend } from "../endpointslice/index.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const managedBy = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
const appliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
/** The most endpoints that a subset may give, and that a slice may hold. */
export const mirrorLimit = 1000;

/** What slices are to show of an Endpoints object. */
export interface Mirror {
  readonly IPv4: readonly Backend[];
  readonly IPv6: readonly Backend[];
  readonly skipped: number;
  readonly invalid: number;
}

/** Whether an Endpoints object is someone's own and not kept by a controller for a selector. */
export function isMirrored(
  endpoints: Endpoints | undefined,
  service: Service | undefined,
): endpoints is Endpoints {
  if (endpoints === undefined || service === undefined) return false;
  const { labels, annotations } = endpoints.metadata;
  if (labels?.[skipLabel] === "true" || annotations?.[leaderAnnotation] !== undefined) return false;
  return service.spec?.selector === undefined;
}

/** The endpoints of each family, ready and not. */
export function planMirror({ subsets = [] }: Endpoints): Mirror {
  const families = { IPv4: [] as Backend[], IPv6: [] as Backend[] };
  let skipped = 0;
  let invalid = 0;
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const shownPorts = ports.map((port) => ({ name: "", protocol: "TCP", ...port })) as EndpointPort[];
    const all = [
      ...addresses.map((address) => endpointOf(address, { ready: true })),
      ...notReadyAddresses.map((address) => endpointOf(address, { ready: false })),
    ];
    let added = 0;
    for (const endpoint of all) {
      if (added >= mirrorLimit) {
        skipped++;
        continue;
      }
      const family = familyOf(endpoint.addresses[0] ?? "");
      if (family === undefined) {
        invalid++;
        continue;
      }
      added++;
      families[family].push({ endpoint, ports: shownPorts });
    }
  }
  return { ...families, skipped, invalid };
}

function endpointOf(address: EndpointAddress, { ready }: { readonly ready: boolean }): Endpoint {
  const { ip, hostname, nodeName, targetRef } = address;
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
}

function familyOf(address: string): "IPv4" | "IPv6" | undefined {
  if (/^[0-9a-fA-F:.]+$/.test(address) && address.includes(":")) return "IPv6";
  const parts = address.split(".");
  const decimal = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  return decimal ? "IPv4" : undefined;
}

/** Labels and annotations that slices take from the object that they mirror. */
export function mirroredMetadata({ metadata }: Endpoints): {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
} {
  const {
    [triggerTimeAnnotation]: _time,
    [appliedAnnotation]: _applied,
    ...annotations
  } = metadata.annotations ?? {};
  const labels = { ...metadata.labels, [serviceNameLabel]: metadata.name, [managedByLabel]: managedBy };
  return { labels, annotations };
}
