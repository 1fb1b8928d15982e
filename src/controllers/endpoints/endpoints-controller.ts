import { ignoreMissing } from "../../api/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
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
import {
  canonicalJson,
  equalJson,
  observed,
  settled,
  watch,
  watchItself,
  watchOnlyUntilSynced,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";

const headlessLabel = "service.kubernetes.io/headless";
const managedByLabel = "endpoints.kubernetes.io/managed-by";
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
/** The most addresses that an Endpoints object holds; more are left out. */
const capacity = 1000;

/** Keeps the legacy Endpoints of each service with a selector. */
export function endpointsController(context: ControllerContext): Controller {
  return new EndpointsController(context);
}

class EndpointsController implements Controller {
  readonly name = "endpoint";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly services: SharedInformer<Service>;
  private readonly pods: SharedInformer<Pod>;
  private readonly nodes: SharedInformer<Node>;
  private readonly endpoints: SharedInformer<Endpoints>;
  private readonly triggerTimes = new TriggerTimes();

  constructor(context: ControllerContext) {
    this.context = context;
    this.services = context.informers.informer(Service);
    this.pods = context.informers.informer(Pod);
    this.nodes = context.informers.informer(Node);
    this.endpoints = context.informers.informer(Endpoints);
    this.watches = [
      watchItself(this.services),
      watchServicesOfPods({ services: this.services, pods: this.pods }),
      watch(this.endpoints, ({ type, object: { metadata } }, wake) => {
        if (type === "deleted") wake({ namespace: metadata.namespace, name: metadata.name });
      }),
      watchOnlyUntilSynced(this.nodes),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const service = this.services.get(key);
    const current = this.endpoints.get(key);
    if (service === undefined) {
      this.triggerTimes.forget(key);
      if (current?.metadata.labels?.[managedByLabel]) await this.remove(key);
      return settled;
    }
    if (!hasSelector(service)) return settled;
    const selected = podsOf(this.pods, service);
    const { subsets, overCapacity } = this.plan(service, selected);
    const wanted = metadataOf(service, { overCapacity });
    const annotations = withTriggerTime(wanted.annotations, this.triggerTimes.next(service, selected));
    if (current !== undefined && isSame(current, { ...wanted, subsets })) return settled;
    const stored = await this.write(current ?? key, { ...wanted, annotations, subsets });
    await observed(this.endpoints, { stored: [stored] }, { clock: this.context.clock, signal });
    return settled;
  }

  private plan(service: Service, selected: readonly Pod[]) {
    const [addressType = "IPv4"] = addressTypesOf(service, selected);
    const nodeOf = (name: string) => this.nodes.get({ name });
    const all = planBackends(service, selected, { addressType, nodeOf });
    // Pods that are going are not shown, unless the service wants even those not ready.
    const publishes = service.spec?.publishNotReadyAddresses === true;
    const shown = all.filter(({ endpoint }) => publishes || endpoint.conditions?.terminating !== true);
    return { subsets: planSubsets(shown.slice(0, capacity)), overCapacity: shown.length > capacity };
  }

  private write(at: Endpoints | ObjectKey, { subsets, ...shown }: Content): Promise<Endpoints> {
    const { client } = this.context;
    if ("metadata" in at) {
      const metadata = { ...at.metadata, ...shown };
      return client.update<Endpoints>(Endpoints, { ...at, metadata, subsets });
    }
    return client.create<Endpoints>(Endpoints, { metadata: { ...at, ...shown }, subsets });
  }

  private async remove(key: ObjectKey): Promise<void> {
    await ignoreMissing(this.context.client.delete(Endpoints, key));
  }
}

/** What Endpoints show of their service. */
interface Content {
  readonly subsets: readonly EndpointSubset[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

function isSame({ subsets = [], metadata }: Endpoints, wanted: Content): boolean {
  return (
    equalJson(subsets, wanted.subsets) &&
    equalJson(metadata.labels ?? {}, wanted.labels) &&
    metadata.annotations?.[overCapacityAnnotation] === wanted.annotations[overCapacityAnnotation]
  );
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
