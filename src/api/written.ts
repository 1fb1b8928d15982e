import type { KubernetesObject } from "../apimachinery/index.ts";
import { leaseDefinition } from "./coordination/lease.ts";
import { alphaLeaseCandidateDefinition, leaseCandidateDefinition } from "./coordination/lease-candidate.ts";
import { configMapDefinition } from "./core/config-map.ts";
import { endpointsDefinition } from "./core/endpoints.ts";
import { eventDefinition } from "./core/event.ts";
import { namespaceDefinition } from "./core/namespace.ts";
import { nodeDefinition } from "./core/node.ts";
import { podDefinition } from "./core/pod.ts";
import { secretDefinition } from "./core/secret.ts";
import { serviceDefinition } from "./core/service.ts";
import { serviceAccountDefinition } from "./core/service-account.ts";
import type { ResourceDefinition } from "./definition.ts";
import { endpointSliceDefinition } from "./discovery/endpoint-slice.ts";
import { clusterRoleDefinition, roleDefinition } from "./rbac/role.ts";
import { clusterRoleBindingDefinition, roleBindingDefinition } from "./rbac/role-binding.ts";

/** The definitions of kinds that have rules of their own. */
export const writtenDefinitions: readonly ResourceDefinition[] = [
  ...group(
    configMapDefinition,
    endpointsDefinition,
    eventDefinition,
    namespaceDefinition,
    nodeDefinition,
    podDefinition,
    secretDefinition,
    serviceDefinition,
    serviceAccountDefinition,
  ),
  ...group(endpointSliceDefinition, leaseDefinition, leaseCandidateDefinition, alphaLeaseCandidateDefinition),
  ...group(clusterRoleDefinition, roleDefinition, clusterRoleBindingDefinition, roleBindingDefinition),
];

/**
 * Definitions as the registry keeps them. A definition only ever gets objects of its own resource, so its
 * functions may demand them.
 */
function group(
  ...definitions: readonly { readonly resource: { readonly kind: string } }[]
): readonly ResourceDefinition[] {
  return definitions as unknown as readonly ResourceDefinition<KubernetesObject>[];
}
