/** `[verbs, API groups, resources, resource names]`, each separated by spaces; `core` is the group without a name. */
export type ResourceRow = readonly [verbs: string, groups: string, resources: string, names?: string];
/** `[verbs, URLs]`. */
export type PathRow = readonly [verbs: string, urls: string];

/** One row of the default policy. */
export interface RoleRow {
  readonly name: string;
  readonly rules?: readonly (ResourceRow | PathRow)[];
  /** The aggregated role that takes this role's rules in. */
  readonly aggregateTo?: "admin" | "edit" | "view";
  /** Takes in the rules of the roles that aggregate to it. */
  readonly aggregates?: "admin" | "edit" | "view";
}

const read = "get list watch";
const change = "create delete deletecollection patch update";
const everything = `${change} ${read}`;
/** Recording events, which most components do. */
export const eventsRow: ResourceRow = ["create patch update", "core events.k8s.io", "events"];
const tokenReviews: ResourceRow = ["create", "authentication.k8s.io", "tokenreviews"];
const accessReviews: ResourceRow = ["create", "authorization.k8s.io", "subjectaccessreviews"];
const certificates = "certificates.k8s.io";
const signers = (verb: string, names: string): ResourceRow => [verb, certificates, "signers", names];

/** What a kubelet may do; the node authorizer narrows it to the node's own objects. */
export const nodeRows: readonly ResourceRow[] = [
  tokenReviews,
  ["create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"],
  [read, "core", "services"],
  [`create ${read}`, "core", "nodes"],
  ["patch update", "core", "nodes/status"],
  ["patch update", "core", "nodes"],
  ["create patch update", "core events.k8s.io", "events"],
  [read, "core", "pods"],
  ["create delete", "core", "pods"],
  ["patch update", "core", "pods/status"],
  ["create", "core", "pods/eviction"],
  [read, "core", "configmaps secrets"],
  ["get", "core", "persistentvolumeclaims persistentvolumes"],
  ["get", "core", "endpoints"],
  [`create ${read}`, certificates, "certificatesigningrequests"],
  ["create delete get patch update", "coordination.k8s.io", "leases"],
  ["get", "storage.k8s.io", "volumeattachments"],
  ["create", "core", "serviceaccounts/token"],
  ["get patch update", "core", "persistentvolumeclaims/status"],
  [read, "storage.k8s.io", "csidrivers"],
  ["create delete get patch update", "storage.k8s.io", "csinodes"],
  [read, "node.k8s.io", "runtimeclasses"],
  ["get", "resource.k8s.io", "resourceclaims"],
  [everything, "resource.k8s.io", "resourceslices"],
  ["get", "core", "serviceaccounts"],
];

const appsWorkloads =
  "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale";
const appsStatus =
  "daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status";

/** Roles for people: who may use a namespace, and how. */
export const userRoles: readonly RoleRow[] = [
  {
    name: "cluster-admin",
    rules: [
      ["*", "*", "*"],
      ["*", "*"],
    ],
  },
  { name: "admin", aggregates: "admin" },
  { name: "edit", aggregates: "edit", aggregateTo: "admin" },
  { name: "view", aggregates: "view", aggregateTo: "edit" },
  {
    name: "system:aggregate-to-admin",
    aggregateTo: "admin",
    rules: [
      ["create", "authorization.k8s.io", "localsubjectaccessreviews"],
      [everything, "rbac.authorization.k8s.io", "rolebindings roles"],
    ],
  },
  {
    name: "system:aggregate-to-edit",
    aggregateTo: "edit",
    rules: [
      [read, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"],
      ["impersonate", "core", "serviceaccounts"],
      [change, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"],
      ["create", "core", "pods/eviction"],
      [
        change,
        "core",
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
      ],
      ["create", "core", "serviceaccounts/token"],
      [change, "apps", `${appsWorkloads} statefulsets statefulsets/scale`],
      [change, "autoscaling", "horizontalpodautoscalers"],
      [change, "batch", "cronjobs jobs"],
      [change, "extensions", `${appsWorkloads} ingresses networkpolicies replicationcontrollers/scale`],
      [change, "policy", "poddisruptionbudgets"],
      [change, "networking.k8s.io", "ingresses networkpolicies"],
      [everything, "coordination.k8s.io", "leases"],
      [change, "resource.k8s.io", "resourceclaims resourceclaimtemplates"],
    ],
  },
  {
    name: "system:aggregate-to-view",
    aggregateTo: "view",
    rules: [
      [
        read,
        "core",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
      ],
      [
        read,
        "core",
        "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
      ],
      [read, "core", "namespaces"],
      [read, "discovery.k8s.io", "endpointslices"],
      [read, "apps", `controllerrevisions ${appsStatus} statefulsets statefulsets/scale statefulsets/status`],
      [read, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"],
      [read, "batch", "cronjobs cronjobs/status jobs jobs/status"],
      [
        read,
        "extensions",
        `${appsStatus} ingresses ingresses/status networkpolicies replicationcontrollers/scale`,
      ],
      [read, "policy", "poddisruptionbudgets poddisruptionbudgets/status"],
      [read, "networking.k8s.io", "ingresses ingresses/status networkpolicies"],
      [read, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"],
    ],
  },
];

/** Roles for the cluster's components and for finding out what the server offers. */
export const systemRoles: readonly RoleRow[] = [
  { name: "system:auth-delegator", rules: [tokenReviews, accessReviews] },
  {
    name: "system:basic-user",
    rules: [
      ["create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"],
      ["create", "authentication.k8s.io", "selfsubjectreviews"],
    ],
  },
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    rules: [["create", certificates, "certificatesigningrequests/nodeclient"]],
  },
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    rules: [["create", certificates, "certificatesigningrequests/selfnodeclient"]],
  },
  {
    name: "system:certificates.k8s.io:kube-apiserver-client-approver",
    rules: [signers("approve", "kubernetes.io/kube-apiserver-client")],
  },
  {
    name: "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver",
    rules: [signers("approve", "kubernetes.io/kube-apiserver-client-kubelet")],
  },
  {
    name: "system:certificates.k8s.io:kubelet-serving-approver",
    rules: [signers("approve", "kubernetes.io/kubelet-serving")],
  },
  {
    name: "system:certificates.k8s.io:legacy-unknown-approver",
    rules: [signers("approve", "kubernetes.io/legacy-unknown")],
  },
  {
    name: "system:discovery",
    rules: [
      ["get", "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"],
    ],
  },
  {
    name: "system:heapster",
    rules: [
      [read, "core", "events namespaces nodes pods"],
      [read, "extensions", "deployments"],
    ],
  },
  { name: "system:kube-aggregator", rules: [[read, "core", "endpoints services"]] },
  {
    name: "system:kube-controller-manager",
    rules: [
      eventsRow,
      ["create", "coordination.k8s.io", "leases"],
      ["get update", "coordination.k8s.io", "leases", "kube-controller-manager"],
      ["create", "core", "secrets serviceaccounts"],
      ["delete", "core", "secrets"],
      ["get", "core", "configmaps namespaces secrets serviceaccounts"],
      ["update", "core", "secrets serviceaccounts"],
      tokenReviews,
      accessReviews,
      ["list watch", "*", "*"],
      ["create", "core", "serviceaccounts/token"],
    ],
  },
  { name: "system:kube-dns", rules: [["list watch", "core", "endpoints services"]] },
  {
    name: "system:kube-scheduler",
    rules: [
      eventsRow,
      ["create", "coordination.k8s.io", "leases"],
      ["get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"],
      [read, "core", "nodes"],
      [`delete ${read}`, "core", "pods"],
      ["create", "core", "bindings pods/binding"],
      ["patch update", "core", "pods/status"],
      [read, "core", "replicationcontrollers services"],
      [read, "apps extensions", "replicasets"],
      [read, "apps", "statefulsets"],
      [read, "policy", "poddisruptionbudgets"],
      [read, "core", "persistentvolumeclaims persistentvolumes"],
      tokenReviews,
      accessReviews,
      [read, "storage.k8s.io", "csinodes"],
      [read, "core", "namespaces"],
      [read, "storage.k8s.io", "csidrivers"],
      [read, "storage.k8s.io", "csistoragecapacities"],
      [read, "storage.k8s.io", "volumeattachments"],
      [read, "resource.k8s.io", "deviceclasses resourceclaims resourceslices"],
      ["patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"],
      ["update", "core", "pods/finalizers"],
    ],
  },
  {
    name: "system:kubelet-api-admin",
    rules: [
      [read, "core", "nodes"],
      ["proxy", "core", "nodes"],
      ["*", "core", "nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats"],
    ],
  },
  {
    name: "system:monitoring",
    rules: [["get", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*"]],
  },
  { name: "system:node", rules: nodeRows },
  {
    name: "system:node-bootstrapper",
    rules: [[`create ${read}`, certificates, "certificatesigningrequests"]],
  },
  {
    name: "system:node-problem-detector",
    rules: [["get", "core", "nodes"], ["patch", "core", "nodes/status"], eventsRow],
  },
  {
    name: "system:node-proxier",
    rules: [
      ["list watch", "core", "endpoints services"],
      [read, "core", "nodes"],
      eventsRow,
      ["list watch", "discovery.k8s.io", "endpointslices"],
      ["list watch", "networking.k8s.io", "servicecidrs"],
    ],
  },
  {
    name: "system:persistent-volume-provisioner",
    rules: [
      [`create delete ${read}`, "core", "persistentvolumes"],
      ["get list update watch", "core", "persistentvolumeclaims"],
      [read, "storage.k8s.io", "storageclasses"],
      ["watch", "core", "events"],
      eventsRow,
    ],
  },
  {
    name: "system:public-info-viewer",
    rules: [["get", "/healthz /livez /readyz /version /version/"]],
  },
  {
    name: "system:service-account-issuer-discovery",
    rules: [["get", "/.well-known/openid-configuration /openid/v1/jwks"]],
  },
  {
    name: "system:volume-scheduler",
    rules: [
      [`patch update ${read}`, "core", "persistentvolumes"],
      [read, "storage.k8s.io", "storageclasses"],
      [`patch update ${read}`, "core", "persistentvolumeclaims"],
    ],
  },
];
