import { ApiError, type New, type Resource } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { Namespace, Service } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import { Endpoints } from "../api/types/core-v1.ts";
import { PriorityClass } from "../api/types/scheduling-v1.ts";
import { reconcileBootstrapPolicy } from "../apiserver/authorization/index.ts";

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Priorities that system pods name, as upstream's API server makes them. */
const priorityClasses: readonly New<PriorityClass>[] = [
  {
    metadata: { name: "system-node-critical" },
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    metadata: { name: "system-cluster-critical" },
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
];

/** Where clients inside the cluster find the API server. */
export interface ServiceFrontend {
  /** First address of the service network. */
  readonly clusterIP: string;
  /** The address and port that the API server listens on. */
  readonly address: string;
  readonly port: number;
}

/** Makes what every cluster has from the start, where it is missing. */
export async function bootstrapCluster(client: Client): Promise<void> {
  await Promise.all(
    systemNamespaces.map((name) => createUnlessPresent(client, Namespace, { metadata: { name } })),
  );
  await Promise.all([
    reconcileBootstrapPolicy(client),
    ...priorityClasses.map((priorityClass) => createUnlessPresent(client, PriorityClass, priorityClass)),
  ]);
}

/** Keeps the service `kubernetes` and its endpoints pointed at this API server. */
export async function publishFrontend(
  client: Client,
  { clusterIP, address, port }: ServiceFrontend,
): Promise<void> {
  const metadata = { name: "kubernetes", namespace: "default" };
  const labels = { component: "apiserver", provider: "kubernetes" };
  await createUnlessPresent(client, Service, {
    metadata: { ...metadata, labels },
    spec: {
      type: "ClusterIP",
      clusterIP,
      ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: port }],
      sessionAffinity: "None",
    },
  });
  const endpoints: New<Endpoints> = {
    metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: "https", port, protocol: "TCP" }] }],
  };
  const slice: New<EndpointSlice> = {
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "https", port, protocol: "TCP" }],
  };
  await replace<Endpoints>(client, Endpoints, endpoints);
  await replace<EndpointSlice>(client, EndpointSlice, slice);
}

export async function createUnlessPresent<T extends object>(
  client: Client,
  resource: Resource<T>,
  object: New<T>,
): Promise<void> {
  try {
    await client.create(resource, object);
  } catch (error) {
    if (!ApiError.is(error, "AlreadyExists")) throw error;
  }
}

/** Creates the object, or overwrites what it says in the one that is there. */
export async function replace<T extends object>(
  client: Client,
  resource: Resource<T>,
  object: New<T>,
): Promise<void> {
  try {
    await client.create(resource, object);
  } catch (error) {
    if (!ApiError.is(error, "AlreadyExists")) throw error;
    const { metadata } = object as {
      readonly metadata?: { readonly name?: string; readonly namespace?: string };
    };
    const key = { name: metadata?.name ?? "", namespace: metadata?.namespace };
    await client.patch(resource, key, { type: "merge", body: object as object });
  }
}
