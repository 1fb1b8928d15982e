import { eventsRow } from "./bootstrap-roles.ts";
import type { ResourceRow } from "./bootstrap-roles.ts";

const read = "get list watch";
const certificates = "certificates.k8s.io";

/** What each controller may do, by the name of its service account in kube-system. */
export const controllerRoles: Readonly<Record<string, readonly ResourceRow[]>> = {
  "attachdetach-controller": [
    ["list watch", "core", "persistentvolumeclaims persistentvolumes"],
    [read, "core", "nodes"],
    ["patch update", "core", "nodes/status"],
    ["list watch", "core", "pods"],
    eventsRow,
    [`create delete ${read}`, "storage.k8s.io", "volumeattachments"],
    [read, "storage.k8s.io", "csidrivers"],
    [read, "storage.k8s.io", "csinodes"],
  ],
  "clusterrole-aggregation-controller": [
    [`escalate patch update ${read}`, "rbac.authorization.k8s.io", "clusterroles"],
  ],
  "cronjob-controller": [
    [`update ${read}`, "batch", "cronjobs"],
    [`create delete patch update ${read}`, "batch", "jobs"],
    ["update", "batch", "cronjobs/status"],
    ["update", "batch", "cronjobs/finalizers"],
    ["delete list watch", "core", "pods"],
    eventsRow,
  ],
  "daemon-set-controller": [
    [read, "apps extensions", "daemonsets"],
    ["update", "apps extensions", "daemonsets/status"],
    ["update", "apps extensions", "daemonsets/finalizers"],
    ["list watch", "core", "nodes"],
    ["create delete list patch watch", "core", "pods"],
    ["create", "core", "pods/binding"],
    [`create delete patch update ${read}`, "apps", "controllerrevisions"],
    eventsRow,
  ],
  "deployment-controller": [
    [`update ${read}`, "apps extensions", "deployments"],
    ["update", "apps extensions", "deployments/status"],
    ["update", "apps extensions", "deployments/finalizers"],
    [`create delete patch update ${read}`, "apps extensions", "replicasets"],
    [`update ${read}`, "core", "pods"],
    eventsRow,
  ],
  "device-taint-eviction-controller": [
    [`delete ${read}`, "core", "pods"],
    ["patch update", "core", "pods/status"],
    [read, "resource.k8s.io", "resourceclaims"],
    [read, "resource.k8s.io", "resourceslices"],
    [read, "resource.k8s.io", "deviceclasses"],
    [read, "resource.k8s.io", "devicetaintrules"],
    ["patch update", "resource.k8s.io", "devicetaintrules/status"],
    eventsRow,
  ],
  "disruption-controller": [
    [read, "apps extensions", "deployments"],
    [read, "apps extensions", "replicasets"],
    [read, "core", "replicationcontrollers"],
    [read, "policy", "poddisruptionbudgets"],
    [read, "apps", "statefulsets"],
    ["update", "policy", "poddisruptionbudgets/status"],
    ["patch update", "core", "pods/status"],
    ["get", "*", "*/scale"],
    // Pods are read through the shared view of the controller manager; run alone, the controller reads them itself.
    ["list watch", "core", "pods"],
    eventsRow,
  ],
  "endpoint-controller": [
    [read, "core", "pods services"],
    [`create delete update ${read}`, "core", "endpoints"],
    ["create", "core", "endpoints/restricted"],
    eventsRow,
  ],
  "endpointslice-controller": [
    [read, "core", "nodes pods services"],
    ["update", "core", "services/finalizers"],
    [`create delete update ${read}`, "discovery.k8s.io", "endpointslices"],
    eventsRow,
  ],
  "endpointslicemirroring-controller": [
    [read, "core", "endpoints services"],
    ["update", "core", "services/finalizers"],
    ["update", "core", "endpoints/finalizers"],
    [`create delete update ${read}`, "discovery.k8s.io", "endpointslices"],
    eventsRow,
  ],
  "expand-controller": [
    [`patch update ${read}`, "core", "persistentvolumes"],
    ["patch update", "core", "persistentvolumeclaims/status"],
    [read, "core", "persistentvolumeclaims"],
    eventsRow,
    ["get", "core", "services"],
  ],
  "ephemeral-volume-controller": [
    [read, "core", "pods"],
    ["update", "core", "pods/finalizers"],
    [`create ${read}`, "core", "persistentvolumeclaims"],
    eventsRow,
  ],
  "resource-claim-controller": [
    [read, "core", "pods"],
    ["update", "core", "pods/finalizers"],
    [`create delete ${read}`, "resource.k8s.io", "resourceclaims"],
    ["patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"],
    [read, "resource.k8s.io", "resourceclaimtemplates"],
    ["patch update", "core", "pods/status"],
    eventsRow,
  ],
  "generic-garbage-collector": [[`delete patch update ${read}`, "*", "*"], eventsRow],
  "horizontal-pod-autoscaler": [
    [read, "autoscaling", "horizontalpodautoscalers"],
    ["update", "autoscaling", "horizontalpodautoscalers/status"],
    ["get update", "*", "*/scale"],
    ["list watch", "core", "pods"],
    ["list watch", "metrics.k8s.io", "pods"],
    [read, "custom.metrics.k8s.io", "*"],
    [read, "external.metrics.k8s.io", "*"],
    eventsRow,
  ],
  "job-controller": [
    [`patch update ${read}`, "batch", "jobs"],
    ["update", "batch", "jobs/status"],
    ["update", "batch", "jobs/finalizers"],
    ["create delete list patch watch", "core", "pods"],
    eventsRow,
  ],
  "namespace-controller": [
    [`delete ${read}`, "core", "namespaces"],
    ["update", "core", "namespaces/finalize namespaces/status"],
    [`delete deletecollection ${read}`, "*", "*"],
  ],
  "node-controller": [
    [`delete patch update ${read}`, "core", "nodes"],
    ["patch update", "core", "nodes/status"],
    ["patch update", "core", "pods/status"],
    [`delete ${read}`, "core", "pods"],
    eventsRow,
  ],
  "persistent-volume-binder": [
    [`create delete update ${read}`, "core", "persistentvolumes"],
    ["update", "core", "persistentvolumes/status"],
    [`update ${read}`, "core", "persistentvolumeclaims"],
    ["update", "core", "persistentvolumeclaims/status"],
    [`create delete ${read}`, "core", "pods"],
    [read, "storage.k8s.io", "storageclasses"],
    ["list watch", "core", "nodes"],
    eventsRow,
    ["watch", "core", "events"],
    ["get", "core", "services"],
  ],
  "pod-garbage-collector": [
    ["delete list watch", "core", "pods"],
    [read, "core", "nodes"],
    ["patch", "core", "pods/status"],
  ],
  "replicaset-controller": [
    [`update ${read}`, "apps extensions", "replicasets"],
    ["update", "apps extensions", "replicasets/status"],
    ["update", "apps extensions", "replicasets/finalizers"],
    ["create delete list patch watch", "core", "pods"],
    eventsRow,
  ],
  "replication-controller": [
    [`update ${read}`, "core", "replicationcontrollers"],
    ["update", "core", "replicationcontrollers/status"],
    ["update", "core", "replicationcontrollers/finalizers"],
    ["create delete list patch watch", "core", "pods"],
    eventsRow,
  ],
  "resourcequota-controller": [
    ["list watch", "*", "*"],
    ["update", "core", "resourcequotas/status"],
    eventsRow,
  ],
  "route-controller": [["list watch", "core", "nodes"], ["patch", "core", "nodes/status"], eventsRow],
  "service-account-controller": [["create", "core", "serviceaccounts"], eventsRow],
  "service-controller": [
    [read, "core", "services"],
    ["patch update", "core", "services/status"],
    ["list watch", "core", "nodes"],
    eventsRow,
  ],
  "service-cidrs-controller": [
    [`patch update ${read}`, "networking.k8s.io", "servicecidrs"],
    ["patch update", "networking.k8s.io", "servicecidrs/finalizers"],
    ["patch update", "networking.k8s.io", "servicecidrs/status"],
    [read, "networking.k8s.io", "ipaddresses"],
    eventsRow,
  ],
  "statefulset-controller": [
    ["list watch", "core", "pods"],
    [read, "apps", "statefulsets"],
    ["update", "apps", "statefulsets/status"],
    ["update", "apps", "statefulsets/finalizers"],
    ["create delete get patch update", "core", "pods"],
    [`create delete patch update ${read}`, "apps", "controllerrevisions"],
    [`create ${read}`, "core", "persistentvolumeclaims"],
    ["delete update", "core", "persistentvolumeclaims"],
    ["update", "core", "pods/finalizers"],
    eventsRow,
  ],
  "ttl-controller": [["list patch update watch", "core", "nodes"], eventsRow],
  "certificate-controller": [
    [`delete ${read}`, certificates, "certificatesigningrequests"],
    ["update", certificates, "certificatesigningrequests/approval certificatesigningrequests/status"],
    ["approve", certificates, "signers", "kubernetes.io/kube-apiserver-client-kubelet"],
    [
      "sign",
      certificates,
      "signers",
      "kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown",
    ],
    ["create", "authorization.k8s.io", "subjectaccessreviews"],
    eventsRow,
  ],
  podcertificaterequestcleaner: [[`delete ${read}`, certificates, "podcertificaterequests"]],
  "pvc-protection-controller": [
    [`update ${read}`, "core", "persistentvolumeclaims"],
    [read, "core", "pods"],
    eventsRow,
  ],
  "pv-protection-controller": [[`update ${read}`, "core", "persistentvolumes"], eventsRow],
  "volumeattributesclass-protection-controller": [
    [read, "core", "persistentvolumeclaims"],
    [read, "core", "persistentvolumes"],
    [`update ${read}`, "storage.k8s.io", "volumeattributesclasses"],
    eventsRow,
  ],
  "ttl-after-finished-controller": [[`delete ${read}`, "batch", "jobs"], eventsRow],
  "root-ca-cert-publisher": [["create update", "core", "configmaps"], eventsRow],
  "kube-apiserver-serving-clustertrustbundle-publisher": [
    ["attest", certificates, "signers", "kubernetes.io/kube-apiserver-serving"],
    ["create delete list update watch", certificates, "clustertrustbundles"],
    eventsRow,
  ],
  "validatingadmissionpolicy-status-controller": [
    [read, "admissionregistration.k8s.io", "validatingadmissionpolicies"],
    ["get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"],
    eventsRow,
  ],
  "legacy-service-account-token-cleaner": [
    ["get", "core", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"],
    ["delete patch", "core", "secrets"],
  ],
  "storage-version-migrator-controller": [
    ["create list patch watch", "*", "*"],
    ["update", "storagemigration.k8s.io", "storageversionmigrations/status"],
  ],
  "selinux-warning-controller": [
    eventsRow,
    [read, "core", "persistentvolumes"],
    [read, "core", "persistentvolumeclaims"],
    [read, "core", "pods"],
    [read, "storage.k8s.io", "csidrivers"],
  ],
};

/** A role of one namespace and who has it. */
export interface NamespaceRoleRow {
  readonly namespace: "kube-system" | "kube-public";
  readonly name: string;
  readonly rules: readonly ResourceRow[];
  /** The binding's name when it is not the role's. */
  readonly binding?: string;
  readonly users?: readonly string[];
  /** Names of service accounts in kube-system. */
  readonly serviceAccounts?: readonly string[];
}

const leaderLocking = (component: string): NamespaceRoleRow => ({
  namespace: "kube-system",
  name: `system::leader-locking-${component}`,
  rules: [
    ["watch", "core", "configmaps"],
    ["get update", "core", "configmaps", component],
  ],
  users: [`system:${component}`],
  serviceAccounts: [component],
});

/** Roles and bindings in kube-system and kube-public. */
export const namespaceRoles: readonly NamespaceRoleRow[] = [
  {
    namespace: "kube-system",
    name: "extension-apiserver-authentication-reader",
    rules: [[read, "core", "configmaps", "extension-apiserver-authentication"]],
    binding: "system::extension-apiserver-authentication-reader",
    users: ["system:kube-controller-manager", "system:kube-scheduler"],
  },
  {
    namespace: "kube-system",
    name: "system:controller:bootstrap-signer",
    rules: [[read, "core", "secrets"]],
    serviceAccounts: ["bootstrap-signer"],
  },
  {
    namespace: "kube-system",
    name: "system:controller:cloud-provider",
    rules: [[`create ${read}`, "core", "configmaps"]],
    serviceAccounts: ["cloud-provider"],
  },
  {
    namespace: "kube-system",
    name: "system:controller:token-cleaner",
    rules: [[`delete ${read}`, "core", "secrets"], eventsRow],
    serviceAccounts: ["token-cleaner"],
  },
  leaderLocking("kube-controller-manager"),
  leaderLocking("kube-scheduler"),
  {
    namespace: "kube-public",
    name: "system:controller:bootstrap-signer",
    rules: [[read, "core", "configmaps"], ["update", "core", "configmaps", "cluster-info"], eventsRow],
    serviceAccounts: ["bootstrap-signer"],
  },
];
