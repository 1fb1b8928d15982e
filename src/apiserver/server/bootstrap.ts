import { ApiError } from "../../apimachinery/index.ts";
import type { New } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { Endpoints, Namespace, Service } from "../../api/types/core-v1.ts";
import { EndpointSlice } from "../../api/types/discovery-v1.ts";

/** Namespaces that every cluster has. */
export const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"] as const;

/** Makes the namespaces that every cluster has, unless they are there. */
export async function ensureSystemNamespaces(client: Client): Promise<void> {
  for (const name of systemNamespaces) {
    await present(client.create(Namespace, { metadata: { name } }));
  }
}

const name = "kubernetes";
const namespace = "default";
const portName = "https";

/** Makes the service `kubernetes`, by which pods reach the API server, and keeps its endpoint at `endpoint`. */
export async function ensureKubernetesService(
  client: Client,
  at: {
    /** The first address of the service network. */
    readonly clusterIP: string;
    /** Where the API server listens, as nodes reach it. */
    readonly endpoint: { readonly address: string; readonly port: number };
  },
): Promise<void> {
  const { address, port } = at.endpoint;
  const labels = { component: "apiserver", provider: "kubernetes" };
  await present(
    client.create(Service, {
      metadata: { name, namespace, labels },
      spec: {
        type: "ClusterIP",
        clusterIP: at.clusterIP,
        clusterIPs: [at.clusterIP],
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        sessionAffinity: "None",
        internalTrafficPolicy: "Cluster",
        ports: [{ name: portName, port: 443, protocol: "TCP", targetPort: port }],
      },
    }),
  );
  const subsets = [
    { addresses: [{ ip: address }], ports: [{ name: portName, port, protocol: "TCP" as const }] },
  ];
  const mirrored = { "endpointslice.kubernetes.io/skip-mirror": "true" };
  await put(client, Endpoints, { metadata: { name, namespace, labels: mirrored }, subsets });
  await put(client, EndpointSlice, {
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: portName, port, protocol: "TCP" }],
  });
}

/** Creates the object, or gives it this content when it is there. */
async function put<T extends Endpoints | EndpointSlice>(
  client: Client,
  resource: Parameters<typeof client.get<T>>[0],
  object: New<T>,
): Promise<void> {
  if (await present(client.create(resource, object))) return;
  const old = await client.get(resource, { namespace, name });
  // The content is whole but for metadata, which stays.
  await client.update(resource, { ...old, ...object, metadata: old.metadata });
}

/** Whether the create made the object; false when it was there. */
async function present(creation: Promise<unknown>): Promise<boolean> {
  try {
    await creation;
    return true;
  } catch (error) {
    if (ApiError.is(error, "AlreadyExists")) return false;
    throw error;
  }
}
