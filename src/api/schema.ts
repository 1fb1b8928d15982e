import admissionV1 from "./facts/admission-v1.json" with { type: "json" };
import admissionregistrationV1 from "./facts/admissionregistration-v1.json" with { type: "json" };
import admissionregistrationV1alpha1 from "./facts/admissionregistration-v1alpha1.json" with { type: "json" };
import admissionregistrationV1beta1 from "./facts/admissionregistration-v1beta1.json" with { type: "json" };
import apidiscoveryV2 from "./facts/apidiscovery-v2.json" with { type: "json" };
import apidiscoveryV2beta1 from "./facts/apidiscovery-v2beta1.json" with { type: "json" };
import apiextensionsV1 from "./facts/apiextensions-v1.json" with { type: "json" };
import apiregistrationV1 from "./facts/apiregistration-v1.json" with { type: "json" };
import appsV1 from "./facts/apps-v1.json" with { type: "json" };
import auditV1 from "./facts/audit-v1.json" with { type: "json" };
import authenticationV1 from "./facts/authentication-v1.json" with { type: "json" };
import authorizationV1 from "./facts/authorization-v1.json" with { type: "json" };
import autoscalingV1 from "./facts/autoscaling-v1.json" with { type: "json" };
import autoscalingV2 from "./facts/autoscaling-v2.json" with { type: "json" };
import batchV1 from "./facts/batch-v1.json" with { type: "json" };
import certificatesV1 from "./facts/certificates-v1.json" with { type: "json" };
import certificatesV1alpha1 from "./facts/certificates-v1alpha1.json" with { type: "json" };
import certificatesV1beta1 from "./facts/certificates-v1beta1.json" with { type: "json" };
import coordinationV1 from "./facts/coordination-v1.json" with { type: "json" };
import coordinationV1alpha2 from "./facts/coordination-v1alpha2.json" with { type: "json" };
import coordinationV1beta1 from "./facts/coordination-v1beta1.json" with { type: "json" };
import coreV1 from "./facts/core-v1.json" with { type: "json" };
import discoveryV1 from "./facts/discovery-v1.json" with { type: "json" };
import eventsV1 from "./facts/events-v1.json" with { type: "json" };
import flowcontrolV1 from "./facts/flowcontrol-v1.json" with { type: "json" };
import internalV1alpha1 from "./facts/internal-v1alpha1.json" with { type: "json" };
import metricsV1beta1 from "./facts/metrics-v1beta1.json" with { type: "json" };
import networkingV1 from "./facts/networking-v1.json" with { type: "json" };
import networkingV1beta1 from "./facts/networking-v1beta1.json" with { type: "json" };
import nodeV1 from "./facts/node-v1.json" with { type: "json" };
import policyV1 from "./facts/policy-v1.json" with { type: "json" };
import rbacV1 from "./facts/rbac-v1.json" with { type: "json" };
import resourceV1 from "./facts/resource-v1.json" with { type: "json" };
import resourceV1alpha3 from "./facts/resource-v1alpha3.json" with { type: "json" };
import resourceV1beta1 from "./facts/resource-v1beta1.json" with { type: "json" };
import resourceV1beta2 from "./facts/resource-v1beta2.json" with { type: "json" };
import schedulingV1 from "./facts/scheduling-v1.json" with { type: "json" };
import schedulingV1alpha2 from "./facts/scheduling-v1alpha2.json" with { type: "json" };
import storageV1 from "./facts/storage-v1.json" with { type: "json" };
import storageV1beta1 from "./facts/storage-v1beta1.json" with { type: "json" };
import storagemigrationV1beta1 from "./facts/storagemigration-v1beta1.json" with { type: "json" };
import intstr from "../apimachinery/facts/intstr.json" with { type: "json" };
import metaV1 from "../apimachinery/facts/meta-v1.json" with { type: "json" };
import metaV1beta1 from "../apimachinery/facts/meta-v1beta1.json" with { type: "json" };
import resource from "../apimachinery/facts/resource.json" with { type: "json" };
import runtime from "../apimachinery/facts/runtime.json" with { type: "json" };
import types from "../apimachinery/facts/types.json" with { type: "json" };
import version from "../apimachinery/facts/version.json" with { type: "json" };
import resources from "./facts/resources.json" with { type: "json" };
import {
  createSchemaRegistry,
  type GroupVersionFacts,
  type ResourceFacts,
  type SchemaRegistry,
} from "../apimachinery/index.ts";

/** The facts of all built-in group versions. */
export const groupVersionFacts = [
  admissionV1,
  admissionregistrationV1,
  admissionregistrationV1alpha1,
  admissionregistrationV1beta1,
  apidiscoveryV2,
  apidiscoveryV2beta1,
  apiextensionsV1,
  apiregistrationV1,
  appsV1,
  auditV1,
  authenticationV1,
  authorizationV1,
  autoscalingV1,
  autoscalingV2,
  batchV1,
  certificatesV1,
  certificatesV1alpha1,
  certificatesV1beta1,
  coordinationV1,
  coordinationV1alpha2,
  coordinationV1beta1,
  coreV1,
  discoveryV1,
  eventsV1,
  flowcontrolV1,
  internalV1alpha1,
  metricsV1beta1,
  networkingV1,
  networkingV1beta1,
  nodeV1,
  policyV1,
  rbacV1,
  resourceV1,
  resourceV1alpha3,
  resourceV1beta1,
  resourceV1beta2,
  schedulingV1,
  schedulingV1alpha2,
  storageV1,
  storageV1beta1,
  storagemigrationV1beta1,
  intstr,
  metaV1,
  metaV1beta1,
  resource,
  runtime,
  types,
  version,
] as unknown as readonly GroupVersionFacts[];

/** The types of all built-in kinds. */
export const schemas: SchemaRegistry = createSchemaRegistry(groupVersionFacts);

/** All built-in resources, with verbs, short names and subresources. */
export const resourceFacts = resources as unknown as readonly ResourceFacts[];
