import { createUnlessPresent, semanticallyEqual, ignoreMissing } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { APIService } from "../../api/types/apiregistration-v1.ts";
import type { ObjectReader } from "../reader.ts";
import type { ServedTable } from "../registry/served.ts";

/** Says who makes and removes an APIService: `onstart` for what the server itself serves. */
const automanagedLabel = "kube-aggregator.kubernetes.io/automanaged";
const onStart = "onstart";

/** Priority of each group, and of each of its versions: which of them clients prefer. */
const priorities: Readonly<
  Record<string, readonly [group: number, versions: Readonly<Record<string, number>>]>
> = {
  "": [18_000, { v1: 1 }],
  apps: [17_800, { v1: 15 }],
  "events.k8s.io": [17_750, { v1: 15 }],
  "authentication.k8s.io": [17_700, { v1: 15 }],
  "authorization.k8s.io": [17_600, { v1: 15 }],
  autoscaling: [17_500, { v1: 15, v2: 30 }],
  batch: [17_400, { v1: 15 }],
  "certificates.k8s.io": [17_300, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  "networking.k8s.io": [17_200, { v1: 15, v1beta1: 9 }],
  policy: [17_100, { v1: 15 }],
  "rbac.authorization.k8s.io": [17_000, { v1: 15 }],
  "storage.k8s.io": [16_800, { v1: 15, v1beta1: 9 }],
  "apiextensions.k8s.io": [16_700, { v1: 15 }],
  "admissionregistration.k8s.io": [16_700, { v1: 15, v1beta1: 12, v1alpha1: 9 }],
  "scheduling.k8s.io": [16_600, { v1: 15, v1alpha2: 9 }],
  "coordination.k8s.io": [16_500, { v1: 15, v1beta1: 13, v1alpha2: 12 }],
  "node.k8s.io": [16_300, { v1: 15 }],
  "discovery.k8s.io": [16_200, { v1: 15 }],
  "flowcontrol.apiserver.k8s.io": [16_100, { v1: 21 }],
  "internal.apiserver.k8s.io": [16_000, { v1alpha1: 9 }],
  "resource.k8s.io": [16_200, { v1: 20, v1beta2: 15, v1beta1: 9, v1alpha3: 1 }],
  "storagemigration.k8s.io": [15_800, { v1beta1: 9 }],
};

/** The APIServices of group versions that the server serves itself; the aggregator's own group has none. */
export function localApiServices(
  groupVersions: Iterable<{ readonly group: string; readonly version: string }>,
): ReadonlyMap<string, APIService["spec"]> {
  const services = new Map<string, APIService["spec"]>();
  for (const { group, version } of groupVersions) {
    const [groupPriorityMinimum, versions] = priorities[group] ?? [];
    const versionPriority = versions?.[version];
    if (groupPriorityMinimum === undefined || versionPriority === undefined) continue;
    const named = group === "" ? {} : { group };
    services.set(`${version}.${group}`, { ...named, version, groupPriorityMinimum, versionPriority });
  }
  return services;
}

/** Makes the APIServices of what is served; those of versions that are not served any more go. */
export async function publishApiServices(options: {
  readonly client: Client;
  readonly reader: ObjectReader;
  readonly served: ServedTable;
}): Promise<void> {
  const { client, reader, served } = options;
  const builtIn = Array.from(served.all()).filter(({ custom }) => !custom);
  const wanted = localApiServices(builtIn.map(({ resource }) => resource));
  const present = new Map(reader.list(APIService).map((service) => [service.metadata.name, service]));
  const labels = { [automanagedLabel]: onStart };
  const made = Array.from(wanted, async ([name, spec]) => {
    const service = present.get(name);
    if (service === undefined) {
      return createUnlessPresent(client, APIService, { metadata: { name, labels }, spec });
    }
    if (semanticallyEqual(service.spec, spec)) return;
    const metadata = { ...service.metadata, labels: { ...service.metadata.labels, ...labels } };
    await client.update(APIService, { ...service, metadata, spec });
  });
  const gone = Array.from(present.values())
    .filter(({ metadata }) => metadata.labels?.[automanagedLabel] === onStart && !wanted.has(metadata.name))
    .map(({ metadata: { name } }) => ignoreMissing(client.delete(APIService, { name })));
  await Promise.all([...made, ...gone]);
}
