import { ApiError, keyOf } from "../../apimachinery/index.ts";
import type { New } from "../../apimachinery/index.ts";
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
} from "../framework/index.ts";
import type { Change, Controller, ControllerContext, Wake } from "../framework/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { addressTypesOf, planBackends } from "./backends.ts";
import { planSlices } from "./plan.ts";
import type { SliceContent } from "./plan.ts";
import { TriggerTimes, withTriggerTime } from "./trigger-times.ts";

const serviceNameLabel = "kubernetes.io/service-name";
const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const managedBy = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";
const serviceIndex = "service";

/** Lists the pods behind each service with a selector in slices of up to a hundred. */
export function endpointSliceController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const services = informers.informer(Service);
  const pods = informers.informer(Pod);
  const nodes = informers.informer(Node);
  const slices = informers.informer(EndpointSlice);
  const keyText = (namespace: string | undefined, name: string) => `${namespace ?? ""}/${name}`;
  if (!slices.hasIndex(serviceIndex)) {
    slices.addIndex(serviceIndex, ({ metadata: { namespace, labels } }) => [
      keyText(namespace, labels?.[serviceNameLabel] ?? ""),
    ]);
  }
  const slicesOf = (namespace: string | undefined, name: string) =>
    slices
      .byIndex(serviceIndex, keyText(namespace, name))
      .filter(({ metadata }) => metadata.labels?.[managedByLabel] === managedBy);

  const triggerTimes = new TriggerTimes();

  const draft = (
    service: Service,
    { content, time }: { content: SliceContent; time: string | undefined },
  ): New<EndpointSlice> => {
    const { namespace, name } = service.metadata;
    return {
      metadata: {
        ...(namespace === undefined ? {} : { namespace }),
        generateName: `${name}-`,
        labels: labelsOf(service),
        ...(time === undefined ? {} : { annotations: withTriggerTime({}, time) }),
        ownerReferences: [controllerReference(Service, service)],
      },
      ...content,
    };
  };

  return {
    name: "endpointslice",
    watches: [
      watchItself(services),
      watchServicesOfPods({ services, pods }),
      watch(slices, ({ type, object: { metadata } }, wake) => {
        const name = metadata.labels?.[serviceNameLabel];
        if (type !== "added" && name && metadata.labels?.[managedByLabel] === managedBy) {
          wake({ namespace: metadata.namespace, name });
        }
      }),
      { whenSynced: (signal) => nodes.whenSynced(signal), connect: () => () => undefined },
    ],
    async reconcile({ namespace, name }, signal) {
      const service = services.get({ namespace, name });
      if (service === undefined) triggerTimes.forget({ namespace, name });
      // Slices of a deleted service are garbage: they have it as owner.
      if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return settled;
      const selected = podsOf(pods, service);
      const nodeOf = (node: string) => nodes.get({ name: node });
      const types = addressTypesOf(service, selected);
      const backends = Object.fromEntries(
        types.map((addressType) => [addressType, planBackends(service, selected, { addressType, nodeOf })]),
      );
      const existing = slicesOf(namespace, name);
      const plan = planSlices(backends, existing);
      const labels = labelsOf(service);
      const time = triggerTimes.next(service, selected);
      const stored: EndpointSlice[] = [];
      const updated = new Set(plan.update.map(({ slice }) => slice));
      for (const content of plan.create) {
        stored.push(await client.create<EndpointSlice>(EndpointSlice, draft(service, { content, time })));
      }
      for (const { slice, content } of plan.update) {
        const annotations = withTriggerTime(slice.metadata.annotations, time);
        const metadata = { ...slice.metadata, labels, annotations };
        stored.push(await client.update<EndpointSlice>(EndpointSlice, { ...slice, ...content, metadata }));
      }
      for (const slice of existing) {
        if (updated.has(slice) || plan.delete.includes(slice) || equalJson(slice.metadata.labels, labels))
          continue;
        const metadata = { ...slice.metadata, labels };
        stored.push(await client.update<EndpointSlice>(EndpointSlice, { ...slice, metadata }));
      }
      for (const slice of plan.delete) {
        await client.delete(EndpointSlice, keyOf(slice)).catch((error: unknown) => {
          if (!ApiError.is(error, "NotFound")) throw error;
        });
      }
      await observed(slices, { stored, deleted: plan.delete }, { clock, signal });
      return settled;
    },
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
