import { ApiError, ipFamilyOf, parseIP, type New, type Resource } from "../apimachinery/index.ts";
import { createUnlessPresent, unlessMissing } from "../api/index.ts";
import type { Client } from "../api/index.ts";
import { Namespace, Service, ServiceAccount } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import { Endpoints } from "../api/types/core-v1.ts";
import { ClusterRole, ClusterRoleBinding } from "../api/types/rbac-v1.ts";
import { PriorityClass } from "../api/types/scheduling-v1.ts";
import { reconcileBootstrapPolicy } from "../apiserver/authorization/index.ts";

const loopbackOctet = 127;
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

/** A service that no pod is behind, but something on a machine of the cluster. */
export interface MachineService {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly clusterIP: string;
  readonly address: string;
  /** Addresses of all machines that serve it, where they are several. */
  readonly addresses?: readonly string[];
  readonly ports: readonly {
    readonly name: string;
    readonly protocol: "TCP" | "UDP";
    readonly port: number;
    readonly targetPort: number;
  }[];
}

/** The API server as the service `kubernetes`. */
export function apiServerService(options: {
  clusterIP: string;
  address: string;
  port: number;
}): MachineService {
  const { clusterIP, address, port } = options;
  return {
    name: "kubernetes",
    namespace: "default",
    labels: { component: "apiserver", provider: "kubernetes" },
    clusterIP,
    address,
    ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: port }],
  };
}

/** Cluster DNS as the service `kube-dns`. */
export function dnsService(options: { clusterIP: string; address: string; port: number }): MachineService {
  const { clusterIP, address, port } = options;
  return {
    name: "kube-dns",
    namespace: "kube-system",
    labels: {
      "k8s-app": "kube-dns",
      "kubernetes.io/cluster-service": "true",
      "kubernetes.io/name": "CoreDNS",
    },
    clusterIP,
    address,
    ports: [
      { name: "dns", protocol: "UDP", port: 53, targetPort: port },
      { name: "dns-tcp", protocol: "TCP", port: 53, targetPort: port },
    ],
  };
}

/** Lets cluster DNS, as the service account `coredns`, read what it answers from. */
export async function grantDnsAccess(client: Client): Promise<void> {
  const metadata = { name: "system:coredns", labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } };
  const verbs = ["list", "watch"];
  await createUnlessPresent(client, ServiceAccount, {
    metadata: { namespace: "kube-system", name: "coredns" },
  });
  await createUnlessPresent(client, ClusterRole, {
    metadata,
    rules: [
      { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs },
    ],
  });
  await createUnlessPresent(client, ClusterRoleBinding, {
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
    subjects: [{ kind: "ServiceAccount", name: "coredns", namespace: "kube-system" }],
  });
}

/** Makes the namespaces of the system, where they are missing. */
export async function bootstrapNamespaces(client: Client): Promise<void> {
  await Promise.all(
    systemNamespaces.map((name) => createUnlessPresent(client, Namespace, { metadata: { name } })),
  );
}

/** Makes the roles and priorities that every cluster has from the start, where they are missing. */
export async function bootstrapCluster(client: Client): Promise<void> {
  await Promise.all([
    reconcileBootstrapPolicy(client),
    ...priorityClasses.map((priorityClass) => createUnlessPresent(client, PriorityClass, priorityClass)),
  ]);
}

/** Makes the service, and keeps its endpoints pointed at the machine. */
export async function publishService(client: Client, service: MachineService): Promise<void> {
  const { name, namespace, labels, clusterIP, address, addresses = [address] } = service;
  const metadata = { name, namespace };
  // A second create would be refused for the address before it is for the name.
  const present = await unlessMissing(client.get(Service, metadata));
  if (present === undefined) {
    await client.create(Service, {
      metadata: { ...metadata, labels },
      spec: { type: "ClusterIP", clusterIP, ports: service.ports, sessionAffinity: "None" },
    });
  }
  // No endpoint may be on the loopback, which leads nowhere from a pod.
  if (address === "::1" || parseIP(address)?.[0] === loopbackOctet) return;
  const ports = service.ports.map(({ name, protocol, targetPort }) => ({ name, protocol, port: targetPort }));
  const endpoints: New<Endpoints> = {
    metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports }],
  };
  const slice: New<EndpointSlice> = {
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": name } },
    addressType: ipFamilyOf(address) ?? "IPv4",
    endpoints: addresses.map((one) => ({ addresses: [one], conditions: { ready: true } })),
    ports,
  };
  await replace<Endpoints>(client, Endpoints, endpoints);
  await replace<EndpointSlice>(client, EndpointSlice, slice);
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
    await client.patch(resource, key, { type: "merge", body: object });
  }
}
