import { ApiError } from "../../apimachinery/index.ts";
import type { New } from "../../apimachinery/index.ts";
import { Endpoints, Node, Pod, Service } from "../../api/types/core-v1.ts";
import type { EndpointAddress, EndpointPort, EndpointSubset } from "../../api/types/core-v1.ts";
import {
  addressTypesOf,
  hasSelector,
  planBackends,
  podsOf,
  TriggerTimes,
  withTriggerTime,
  watchServicesOfPods,
} from "../endpointslice/index.ts";
import type { Backend } from "../endpointslice/index.ts";
import { canonicalJson, equalJson, observed, settled, watch, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";

const headlessLabel = "service.kubernetes.io/headless";
const managedByLabel = "endpoints.kubernetes.io/managed-by";
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
/** The most addresses that an Endpoints object holds; more are left out. */
const capacity = 1000;

/** Keeps the legacy Endpoints of each service with a selector. */
export function endpointsController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const services = informers.informer(Service);
  const pods = informers.informer(Pod);
  const nodes = informers.informer(Node);
  const endpoints = informers.informer(Endpoints);
  const triggerTimes = new TriggerTimes();
  return {
    name: "endpoint",
    watches: [
      watchItself(services),
      watchServicesOfPods({ services, pods }),
      watch(endpoints, ({ type, object: { metadata } }, wake) => {
        if (type === "deleted") wake({ namespace: metadata.namespace, name: metadata.name });
      }),
      { whenSynced: (signal) => nodes.whenSynced(signal), connect: () => () => undefined },
    ],
    async reconcile(key, signal) {
      const service = services.get(key);
      const current = endpoints.get(key);
      if (service === undefined) {
        triggerTimes.forget(key);
        if (current?.metadata.labels?.[managedByLabel]) await remove(key);
        return settled;
      }
      if (!hasSelector(service)) return settled;
      const selected = podsOf(pods, service);
      const [addressType = "IPv4"] = addressTypesOf(service, selected);
      const nodeOf = (name: string) => nodes.get({ name });
      const all = planBackends(service, selected, { addressType, nodeOf });
      // Pods that are going are not shown, unless the service wants even those not ready.
      const publishes = service.spec?.publishNotReadyAddresses === true;
      const shown = all.filter(({ endpoint }) => publishes || endpoint.conditions?.terminating !== true);
      const subsets = planSubsets(shown.slice(0, capacity));
      const wanted = metadataOf(service, { overCapacity: shown.length > capacity });
      const time = triggerTimes.next(service, selected);
      const annotations = withTriggerTime(wanted.annotations, time);
      if (current === undefined) {
        const draft = { metadata: { ...key, ...wanted, annotations }, subsets } as New<Endpoints>;
        const created = await client.create<Endpoints>(Endpoints, draft);
        await observed(endpoints, { stored: [created] }, { clock, signal });
        return settled;
      }
      const same =
        equalJson(current.subsets ?? [], subsets) &&
        equalJson(current.metadata.labels ?? {}, wanted.labels) &&
        current.metadata.annotations?.[overCapacityAnnotation] === wanted.annotations[overCapacityAnnotation];
      if (same) return settled;
      const metadata = { ...current.metadata, ...wanted, annotations };
      const updated = await client.update<Endpoints>(Endpoints, { ...current, metadata, subsets });
      await observed(endpoints, { stored: [updated] }, { clock, signal });
      return settled;
    },
  };

  async function remove(key: { namespace?: string | undefined; name: string }): Promise<void> {
    try {
      await client.delete(Endpoints, key);
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
    }
  }
}

function metadataOf(service: Service, { overCapacity }: { overCapacity: boolean }) {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {};
  const headless = service.spec?.clusterIP === "None" ? { [headlessLabel]: "" } : {};
  const annotations: Readonly<Record<string, string>> = overCapacity
    ? { [overCapacityAnnotation]: "truncated" }
    : {};
  return { labels: { ...own, ...headless, [managedByLabel]: "endpoint-controller" }, annotations };
}

/** Subsets of the pods that offer the same ports, all in a fixed order. */
export function planSubsets(backends: readonly Backend[]): readonly EndpointSubset[] {
  const groups = new Map<
    string,
    { ports: EndpointPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }
  >();
  for (const { endpoint, ports } of backends) {
    const shown = ports
      .map(({ name, ...rest }) => ({ ...(name ? { name } : {}), ...rest }) as EndpointPort)
      .sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
    const key = canonicalJson(shown);
    const group = groups.get(key) ?? { ports: shown, ready: [], notReady: [] };
    groups.set(key, group);
    const { addresses, hostname, nodeName, targetRef } = endpoint;
    const address = {
      ip: addresses[0] ?? "",
      ...(hostname ? { hostname } : {}),
      ...(nodeName ? { nodeName } : {}),
      ...(targetRef ? { targetRef } : {}),
    };
    (endpoint.conditions?.ready ? group.ready : group.notReady).push(address);
  }
  const sorted = (addresses: readonly EndpointAddress[]) =>
    [...addresses].sort((a, b) => (a.ip < b.ip ? -1 : 1));
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 ? { addresses: sorted(ready) } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: sorted(notReady) } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    }));
}
