import type { Resource } from "../../apimachinery/index.ts";

/** How upstream's storage of a resource differs from the general rule. */
export interface StorageRules {
  /** A PUT to a name that is not there creates it. */
  readonly createOnUpdate?: true;
  /** An update must say which version it replaces. */
  readonly versionRequired?: true;
  /** Dependents stay when a delete does not say what becomes of them. */
  readonly orphansByDefault?: true;
  /** A delete answers the deleted object rather than a Status. */
  readonly returnsDeleted?: true;
}

const rules: Readonly<Record<string, StorageRules>> = {
  "/pods": { returnsDeleted: true },
  "/services": { createOnUpdate: true, returnsDeleted: true },
  "/endpoints": { createOnUpdate: true },
  "/events": { createOnUpdate: true },
  "/limitranges": { createOnUpdate: true },
  "/podtemplates": { createOnUpdate: true, returnsDeleted: true },
  "/persistentvolumes": { returnsDeleted: true },
  "/persistentvolumeclaims": { returnsDeleted: true },
  "/resourcequotas": { returnsDeleted: true },
  "/serviceaccounts": { returnsDeleted: true },
  "/replicationcontrollers": { orphansByDefault: true },
  "batch/jobs": { orphansByDefault: true },
  "policy/poddisruptionbudgets": { versionRequired: true },
  "coordination.k8s.io/leases": { createOnUpdate: true, versionRequired: true },
  "events.k8s.io/events": { createOnUpdate: true },
  "rbac.authorization.k8s.io/roles": { createOnUpdate: true },
  "rbac.authorization.k8s.io/rolebindings": { createOnUpdate: true },
  "rbac.authorization.k8s.io/clusterroles": { createOnUpdate: true },
  "rbac.authorization.k8s.io/clusterrolebindings": { createOnUpdate: true },
  "apiextensions.k8s.io/customresourcedefinitions": { versionRequired: true },
  "apiregistration.k8s.io/apiservices": { versionRequired: true },
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": { versionRequired: true },
  "admissionregistration.k8s.io/validatingwebhookconfigurations": { versionRequired: true },
  "internal.apiserver.k8s.io/storageversions": { versionRequired: true },
};

const none: StorageRules = {};
const custom: StorageRules = { versionRequired: true };

export function rulesOf(served: { readonly resource: Resource; readonly custom: boolean }): StorageRules {
  if (served.custom) return custom;
  return rules[`${served.resource.group}/${served.resource.plural}`] ?? none;
}
