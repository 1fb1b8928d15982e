import { ignoreMissing } from "../../api/index.ts";
import { keyOf } from "../../apimachinery/index.ts";
import type { New, ObjectKey } from "../../apimachinery/index.ts";
import { Node, Pod, Service } from "../../api/types/core-v1.ts";
import { EndpointSlice } from "../../api/types/discovery-v1.ts";
import {
  controllerReference,
  equalJson,
  isReady,
  matchesLabels,
  observed,
  settled,
  watch,
  watchItself,
  watchOnlyUntilSynced,
} from "../framework/index.ts";
import type { Change, Controller, ControllerContext, Outcome, Wake } from "../framework/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { addressTypesOf, planBackends } from "./backends.ts";
import { planSlices } from "./plan.ts";
import type { SliceContent, SlicePlan } from "./plan.ts";
import { TriggerTimes, withTriggerTime } from "./trigger-times.ts";

const serviceNameLabel = "kubernetes.io/service-name";
const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const managedBy = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";
const serviceIndex = "service";

/** Lists the pods behind each service with a selector in slices of up to a hundred. */
export function endpointSliceController(context: ControllerContext): Controller {
  return new EndpointSliceController(context);
}

class EndpointSliceController implements Controller {
  readonly name = "endpointslice";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly services: SharedInformer<Service>;
  private readonly pods: SharedInformer<Pod>;
  private readonly nodes: SharedInformer<Node>;
  private readonly slices: SharedInformer<EndpointSlice>;
  private readonly triggerTimes = new TriggerTimes();

  constructor(context: ControllerContext) {
    this.context = context;
    this.services = context.informers.informer(Service);
    this.pods = context.informers.informer(Pod);
    this.nodes = context.informers.informer(Node);
    this.slices = indexByService(context.informers.informer(EndpointSlice));
    this.watches = [
      watchItself(this.services),
      watchServicesOfPods({ services: this.services, pods: this.pods }),
      watch(this.slices, ({ type, object: { metadata } }, wake) => {
        const name = metadata.labels?.[serviceNameLabel];
        if (type !== "added" && name && metadata.labels?.[managedByLabel] === managedBy) {
          wake({ namespace: metadata.namespace, name });
        }
      }),
      watchOnlyUntilSynced(this.nodes),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const service = this.services.get(key);
    if (service === undefined) this.triggerTimes.forget(key);
    // Slices of a deleted service are garbage: they have it as owner.
    if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return settled;
    const selected = podsOf(this.pods, service);
    const nodeOf = (name: string) => this.nodes.get({ name });
    const backends = Object.fromEntries(
      addressTypesOf(service, selected).map((addressType) => [
        addressType,
        planBackends(service, selected, { addressType, nodeOf }),
      ]),
    );
    const existing = slicesOf(this.slices, key);
    const plan = planSlices(backends, existing);
    const time = this.triggerTimes.next(service, selected);
    const stored = await this.store(service, { plan, existing, time });
    await this.remove(plan.delete);
    const { clock } = this.context;
    await observed(this.slices, { stored, deleted: plan.delete }, { clock, signal });
    return settled;
  }

  /** New slices, those with other content, then those that only lack a label of the service. */
  private async store(
    service: Service,
    {
      plan,
      existing,
      time,
    }: { plan: SlicePlan; existing: readonly EndpointSlice[]; time: string | undefined },
  ): Promise<readonly EndpointSlice[]> {
    const { client } = this.context;
    const labels = labelsOf(service);
    const stored: EndpointSlice[] = [];
    for (const content of plan.create) {
      const draft = draftSlice(service, { content, labels, time });
      stored.push(await client.create<EndpointSlice>(EndpointSlice, draft));
    }
    for (const { slice, content } of plan.update) {
      const annotations = withTriggerTime(slice.metadata.annotations, time);
      const metadata = { ...slice.metadata, labels, annotations };
      stored.push(await client.update<EndpointSlice>(EndpointSlice, { ...slice, ...content, metadata }));
    }
    const done = new Set([...plan.update.map(({ slice }) => slice), ...plan.delete]);
    for (const slice of existing) {
      if (done.has(slice) || equalJson(slice.metadata.labels, labels)) continue;
      const metadata = { ...slice.metadata, labels };
      stored.push(await client.update<EndpointSlice>(EndpointSlice, { ...slice, metadata }));
    }
    return stored;
  }

  private async remove(slices: readonly EndpointSlice[]): Promise<void> {
    for (const slice of slices) {
      await ignoreMissing(this.context.client.delete(EndpointSlice, keyOf(slice)));
    }
  }
}

const serviceKey = (namespace: string | undefined, name: string) => `${namespace ?? ""}/${name}`;

/** Makes `slicesOf` work. */
function indexByService(slices: SharedInformer<EndpointSlice>): SharedInformer<EndpointSlice> {
  if (!slices.hasIndex(serviceIndex)) {
    slices.addIndex(serviceIndex, ({ metadata: { namespace, labels } }) => [
      serviceKey(namespace, labels?.[serviceNameLabel] ?? ""),
    ]);
  }
  return slices;
}

/** This controller's slices of a service. */
function slicesOf(
  slices: SharedInformer<EndpointSlice>,
  { namespace, name }: ObjectKey,
): readonly EndpointSlice[] {
  return slices
    .byIndex(serviceIndex, serviceKey(namespace, name))
    .filter(({ metadata }) => metadata.labels?.[managedByLabel] === managedBy);
}

function draftSlice(
  service: Service,
  of: {
    readonly content: SliceContent;
    readonly labels: Readonly<Record<string, string>>;
    readonly time: string | undefined;
  },
): New<EndpointSlice> {
  const { namespace, name } = service.metadata;
  const { content, labels, time } = of;
  return {
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      generateName: `${name}-`,
      labels,
      ...(time === undefined ? {} : { annotations: withTriggerTime({}, time) }),
      ownerReferences: [controllerReference(Service, service)],
    },
    ...content,
  };
}

function labelsOf(service: Service): Readonly<Record<string, string>> {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {};
  return {
    ...own,
    ...(service.spec?.clusterIP === "None" ? { [headlessLabel]: "" } : {}),
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: managedBy,
  };
}

/** Whether the service selects pods, and so has endpoints that controllers keep. */
export function hasSelector(service: Service | undefined): service is Service {
  return (
    service !== undefined &&
    service.spec?.type !== "ExternalName" &&
    service.spec?.selector !== undefined &&
    Object.keys(service.spec.selector).length > 0
  );
}

export function podsOf(pods: SharedInformer<Pod>, service: Service): readonly Pod[] {
  const selector = service.spec?.selector ?? {};
  return pods
    .list(service.metadata.namespace)
    .filter(({ metadata }) => matchesLabels(selector, metadata.labels));
}

/** Wakes the services that select a pod, before or after a change that endpoints show. */
export function watchServicesOfPods(views: { services: SharedInformer<Service>; pods: SharedInformer<Pod> }) {
  return watch(views.pods, (change: Change<Pod>, wake: Wake) => {
    if (change.type === "updated" && !showsIn(change)) return;
    const { metadata } = change.object;
    const before = change.type === "updated" ? change.old.metadata.labels : metadata.labels;
    for (const service of views.services.list(metadata.namespace)) {
      if (!hasSelector(service)) continue;
      const selector = service.spec?.selector ?? {};
      if (matchesLabels(selector, metadata.labels) || matchesLabels(selector, before)) wake(keyOf(service));
    }
  });
}

function showsIn({ object, old }: { object: Pod; old: Pod }): boolean {
  const shown = ({ metadata, spec, status }: Pod) => [
    metadata.labels,
    metadata.deletionTimestamp,
    spec?.nodeName,
    status?.podIPs,
    status?.podIP,
    status?.phase,
  ];
  return isReady(object) !== isReady(old) || !equalJson(shown(object), shown(old));
}
