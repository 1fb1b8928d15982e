import { namespace } from "../step.ts";

/** A kind that v1.20 and v1.36 both serve, with an object that is valid and not trivial. */
export interface CorpusKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly object: Readonly<Record<string, unknown>>;
  /** A merge patch that is allowed. */
  readonly change: object;
}

const labels = { app: "web" };
const template = {
  metadata: { labels },
  spec: { containers: [{ name: "web", image: "web:1", ports: [{ containerPort: 80 }] }] },
};
const workload = { selector: { matchLabels: labels }, template };
const note = { metadata: { annotations: { note: "changed" } } };

type Row = readonly [apiVersion: string, kind: string, resource: string, object: object, change?: object];

const namespacedRows: readonly Row[] = [
  [
    "v1",
    "ConfigMap",
    "configmaps",
    { data: { a: "1", b: "2" }, binaryData: { c: "AAE=" } },
    { data: { a: null } },
  ],
  ["v1", "Secret", "secrets", { stringData: { password: "secret" }, data: { user: "YWRtaW4=" } }],
  ["v1", "Service", "services", { spec: { selector: labels, ports: [{ port: 80, name: "http" }] } }],
  ["v1", "ServiceAccount", "serviceaccounts", { automountServiceAccountToken: false }],
  ["v1", "Pod", "pods", { spec: { ...template.spec, automountServiceAccountToken: false } }],
  [
    "v1",
    "Endpoints",
    "endpoints",
    { subsets: [{ addresses: [{ ip: "10.1.1.1" }, { ip: "10.1.1.2" }], ports: [{ port: 80 }] }] },
  ],
  [
    "v1",
    "PersistentVolumeClaim",
    "persistentvolumeclaims",
    { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  ],
  ["v1", "PodTemplate", "podtemplates", { template }],
  [
    "v1",
    "ReplicationController",
    "replicationcontrollers",
    { spec: { replicas: 2, selector: labels, template } },
  ],
  ["v1", "LimitRange", "limitranges", { spec: { limits: [{ type: "Pod", max: { cpu: "64" } }] } }],
  ["v1", "ResourceQuota", "resourcequotas", { spec: { hard: { "count/widgets.example.com": "10" } } }],
  [
    "v1",
    "Event",
    "events",
    {
      involvedObject: { kind: "Pod", namespace, name: "web" },
      reason: "Started",
      message: "began",
      type: "Normal",
      source: { component: "tests" },
      count: 1,
    },
  ],
  ["apps/v1", "Deployment", "deployments", { spec: { replicas: 2, ...workload } }, { spec: { replicas: 3 } }],
  ["apps/v1", "ReplicaSet", "replicasets", { spec: { replicas: 2, ...workload } }, { spec: { replicas: 3 } }],
  ["apps/v1", "DaemonSet", "daemonsets", { spec: workload }],
  [
    "apps/v1",
    "StatefulSet",
    "statefulsets",
    { spec: { serviceName: "web", ...workload } },
    { spec: { replicas: 3 } },
  ],
  ["apps/v1", "ControllerRevision", "controllerrevisions", { revision: 1, data: { a: 1 } }],
  [
    "batch/v1",
    "Job",
    "jobs",
    { spec: { template: { spec: { ...template.spec, restartPolicy: "Never" } } } },
    { spec: { parallelism: 2 } },
  ],
  [
    "autoscaling/v1",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    {
      spec: {
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      },
    },
    { spec: { minReplicas: 2 } },
  ],
  [
    "networking.k8s.io/v1",
    "Ingress",
    "ingresses",
    {
      spec: {
        rules: [
          {
            host: "a.example.com",
            http: {
              paths: [
                {
                  path: "/",
                  pathType: "Prefix",
                  backend: { service: { name: "web", port: { number: 80 } } },
                },
              ],
            },
          },
        ],
      },
    },
  ],
  [
    "networking.k8s.io/v1",
    "NetworkPolicy",
    "networkpolicies",
    { spec: { podSelector: { matchLabels: labels }, ingress: [{ ports: [{ port: 80 }] }] } },
  ],
  [
    "rbac.authorization.k8s.io/v1",
    "Role",
    "roles",
    { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
  ],
  [
    "rbac.authorization.k8s.io/v1",
    "RoleBinding",
    "rolebindings",
    {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "User", name: "jane" }],
    },
  ],
  [
    "coordination.k8s.io/v1",
    "Lease",
    "leases",
    { spec: { holderIdentity: "one", leaseDurationSeconds: 15 } },
  ],
  [
    "events.k8s.io/v1",
    "Event",
    "events",
    {
      eventTime: "2030-01-01T00:00:00.000000Z",
      reportingController: "example.com/tests",
      reportingInstance: "tests-1",
      action: "Binding",
      reason: "Scheduled",
      type: "Normal",
      note: "went well",
      regarding: { kind: "Pod", namespace, name: "web", apiVersion: "v1" },
    },
  ],
];

const clusterRows: readonly Row[] = [
  ["v1", "Namespace", "namespaces", {}],
  ["v1", "Node", "nodes", { spec: { unschedulable: true, podCIDR: "10.244.1.0/24" } }],
  [
    "v1",
    "PersistentVolume",
    "persistentvolumes",
    {
      spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } },
    },
  ],
  [
    "rbac.authorization.k8s.io/v1",
    "ClusterRole",
    "clusterroles",
    { rules: [{ nonResourceURLs: ["/healthz"], verbs: ["get"] }] },
  ],
  [
    "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
    {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "Group", name: "readers" }],
    },
  ],
  ["storage.k8s.io/v1", "StorageClass", "storageclasses", { provisioner: "example.com/disk" }],
  ["storage.k8s.io/v1", "CSIDriver", "csidrivers", { spec: { attachRequired: true } }],
  ["storage.k8s.io/v1", "CSINode", "csinodes", { spec: { drivers: [] } }],
  [
    "storage.k8s.io/v1",
    "VolumeAttachment",
    "volumeattachments",
    { spec: { attacher: "example.com", nodeName: "node-1", source: { persistentVolumeName: "pv" } } },
  ],
  ["scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", { value: 1000 }],
  ["node.k8s.io/v1", "RuntimeClass", "runtimeclasses", { handler: "fast" }],
  ["networking.k8s.io/v1", "IngressClass", "ingressclasses", { spec: { controller: "example.com/ingress" } }],
  [
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    { webhooks: [] },
  ],
  [
    "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    { webhooks: [] },
  ],
];

const kindOf = (row: Row, namespaced: boolean): CorpusKind => {
  const [apiVersion, kind, resource, object, change = note] = row;
  return { apiVersion, kind, resource, namespaced, object: { ...object }, change };
};

/** One object of each kind; certificate requests stand apart, since they need a real request in them. */
export const kinds: readonly CorpusKind[] = [
  ...namespacedRows.map((row) => kindOf(row, true)),
  ...clusterRows.map((row) => kindOf(row, false)),
];

/** Where the kind's objects are listed. */
export function collectionOf({ apiVersion, resource, namespaced }: CorpusKind, inside = namespace): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespaced ? `${root}/namespaces/${inside}/${resource}` : `${root}/${resource}`;
}

/** The kind's object with a name. */
export function named({ apiVersion, kind, object }: CorpusKind, name: string): Record<string, unknown> {
  return { apiVersion, kind, metadata: { name, labels: { corpus: "kinds" } }, ...object };
}
