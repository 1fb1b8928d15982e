import { admissionPolicyDefinitions } from "./admissionregistration/policy.ts";
import {
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
} from "./admissionregistration/webhook-configuration.ts";
import { customResourceDefinitionDefinition } from "./apiextensions/custom-resource-definition.ts";
import { apiServiceDefinition } from "./apiregistration/api-service.ts";
import { controllerRevisionDefinition } from "./apps/controller-revision.ts";
import { daemonSetDefinition } from "./apps/daemon-set.ts";
import { deploymentDefinition } from "./apps/deployment.ts";
import { replicaSetDefinition } from "./apps/replica-set.ts";
import { statefulSetDefinition } from "./apps/stateful-set.ts";
import { autoscalerDefinition, firstAutoscalerDefinition } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { cronJobDefinition } from "./batch/cron-job.ts";
import { jobDefinition } from "./batch/job.ts";
import { certificateSigningRequestDefinition } from "./certificates/certificate-signing-request.ts";
import {
  alphaClusterTrustBundleDefinition,
  clusterTrustBundleDefinition,
} from "./certificates/cluster-trust-bundle.ts";
import { podCertificateRequestDefinition } from "./certificates/pod-certificate-request.ts";
import { leaseDefinition } from "./coordination/lease.ts";
import { alphaLeaseCandidateDefinition, leaseCandidateDefinition } from "./coordination/lease-candidate.ts";
import { componentStatusDefinition } from "./core/component-status.ts";
import { configMapDefinition } from "./core/config-map.ts";
import { endpointsDefinition } from "./core/endpoints.ts";
import { eventDefinition } from "./core/event.ts";
import { limitRangeDefinition } from "./core/limit-range.ts";
import { namespaceDefinition } from "./core/namespace.ts";
import { nodeDefinition } from "./core/node.ts";
import { persistentVolumeDefinition } from "./core/persistent-volume.ts";
import { persistentVolumeClaimDefinition } from "./core/persistent-volume-claim.ts";
import { podDefinition } from "./core/pod.ts";
import { podTemplateDefinition } from "./core/pod-template.ts";
import { replicationControllerDefinition } from "./core/replication-controller.ts";
import { resourceQuotaDefinition } from "./core/resource-quota.ts";
import { secretDefinition } from "./core/secret.ts";
import { serviceDefinition } from "./core/service.ts";
import { serviceAccountDefinition } from "./core/service-account.ts";
import type { ResourceDefinition } from "./definition.ts";
import { endpointSliceDefinition } from "./discovery/endpoint-slice.ts";
import { eventsEventDefinition } from "./events/event.ts";
import { flowSchemaDefinition, priorityLevelConfigurationDefinition } from "./flowcontrol/flow-schema.ts";
import { storageVersionDefinition } from "./internal/storage-version.ts";
import { ingressClassDefinition } from "./networking/ingress-class.ts";
import { ingressDefinition } from "./networking/ingress.ts";
import { networkPolicyDefinition } from "./networking/network-policy.ts";
import {
  betaIpAddressDefinition,
  betaServiceCidrDefinition,
  ipAddressDefinition,
  serviceCidrDefinition,
} from "./networking/service-cidr.ts";
import { runtimeClassDefinition } from "./node/runtime-class.ts";
import { podDisruptionBudgetDefinition } from "./policy/pod-disruption-budget.ts";
import { clusterRoleBindingDefinition, roleBindingDefinition } from "./rbac/role-binding.ts";
import { clusterRoleDefinition, roleDefinition } from "./rbac/role.ts";
import { dynamicResourceDefinitions } from "./resource/definitions.ts";
import { priorityClassDefinition } from "./scheduling/priority-class.ts";
import { podGroupDefinition, workloadDefinition } from "./scheduling/workload.ts";
import { csiDriverDefinition } from "./storage/csi-driver.ts";
import { csiNodeDefinition } from "./storage/csi-node.ts";
import { csiStorageCapacityDefinition } from "./storage/csi-storage-capacity.ts";
import { storageClassDefinition } from "./storage/storage-class.ts";
import { volumeAttachmentDefinition } from "./storage/volume-attachment.ts";
import {
  betaVolumeAttributesClassDefinition,
  volumeAttributesClassDefinition,
} from "./storage/volume-attributes-class.ts";
import { storageVersionMigrationDefinition } from "./storagemigration/storage-version-migration.ts";

/** The definitions of kinds that have rules of their own. */
export const writtenDefinitions: readonly ResourceDefinition[] = [
  ...group(componentStatusDefinition, configMapDefinition, endpointsDefinition, eventDefinition),
  ...group(limitRangeDefinition, namespaceDefinition, nodeDefinition),
  ...group(persistentVolumeDefinition, persistentVolumeClaimDefinition, podDefinition, podTemplateDefinition),
  ...group(replicationControllerDefinition, resourceQuotaDefinition),
  ...group(secretDefinition, serviceDefinition, serviceAccountDefinition),
  ...group(controllerRevisionDefinition, daemonSetDefinition, deploymentDefinition),
  ...group(replicaSetDefinition, statefulSetDefinition, cronJobDefinition, jobDefinition),
  ...group(autoscalerDefinition, firstAutoscalerDefinition, podDisruptionBudgetDefinition),
  ...group(eventsEventDefinition, endpointSliceDefinition),
  ...group(leaseDefinition, leaseCandidateDefinition, alphaLeaseCandidateDefinition),
  ...group(clusterRoleDefinition, roleDefinition, clusterRoleBindingDefinition, roleBindingDefinition),
  ...group(ingressDefinition, ingressClassDefinition, networkPolicyDefinition),
  ...group(serviceCidrDefinition, betaServiceCidrDefinition, ipAddressDefinition, betaIpAddressDefinition),
  ...group(priorityClassDefinition, podGroupDefinition, workloadDefinition, runtimeClassDefinition),
  ...group(storageClassDefinition, volumeAttributesClassDefinition, betaVolumeAttributesClassDefinition),
  ...group(csiDriverDefinition, csiNodeDefinition, csiStorageCapacityDefinition, volumeAttachmentDefinition),
  ...group(mutatingWebhookConfigurationDefinition, validatingWebhookConfigurationDefinition),
  ...group(...admissionPolicyDefinitions),
  ...group(customResourceDefinitionDefinition, apiServiceDefinition),
  ...group(certificateSigningRequestDefinition, podCertificateRequestDefinition),
  ...group(clusterTrustBundleDefinition, alphaClusterTrustBundleDefinition),
  ...group(flowSchemaDefinition, priorityLevelConfigurationDefinition),
  ...group(...dynamicResourceDefinitions, storageVersionDefinition, storageVersionMigrationDefinition),
];

/**
 * Definitions as the registry keeps them. A definition only ever gets objects of its own resource, so its
 * functions may demand them.
 */
function group(
  ...definitions: readonly { readonly resource: { readonly kind: string } }[]
): readonly ResourceDefinition[] {
  return definitions as unknown as readonly ResourceDefinition[];
}
