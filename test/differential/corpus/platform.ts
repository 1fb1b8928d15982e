import { certificateSequence } from "./certificates.ts";
import { get, namespace, patch, post, put, remove, tableOf, type Sequence, type Step } from "../step.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A kind of the platform: good objects, refused ones, and changes of the first good one of which some are refused. */
interface PlatformKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced?: true;
  readonly good: readonly Fields[];
  readonly bad: readonly Fields[];
  readonly changes?: readonly Fields[];
  readonly statuses?: readonly Fields[];
}

const long = "a".repeat(260);

const backend = { service: { name: "web", port: { number: 80 } } };
const pathsOf = (...paths: readonly object[]) => ({
  spec: { rules: [{ host: "a.example.com", http: { paths } }] },
});
const path = { path: "/", pathType: "Prefix", backend };

const ingress: PlatformKind = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  resource: "ingresses",
  namespaced: true,
  good: [
    pathsOf(path),
    {
      spec: { defaultBackend: backend, tls: [{ hosts: ["*.a.b"], secretName: "s" }], ingressClassName: "c" },
    },
    { spec: { defaultBackend: { resource: { apiGroup: "a.b", kind: "K", name: "n" } } } },
    pathsOf({ pathType: "ImplementationSpecific", backend }),
  ],
  bad: [
    { spec: {} },
    { spec: { rules: [{ host: "10.0.0.1" }, { host: "*.*" }, { host: "A" }, { http: { paths: [] } }] } },
    pathsOf({ ...path, path: "x" }, { ...path, path: "/a//b/./c/../d%2f%2F" }, { ...path, path: "/.." }),
    pathsOf({ ...path, pathType: "Other" }, { ...path, pathType: "" }, { path: "/", backend }),
    pathsOf({ path: "x", pathType: "ImplementationSpecific", backend: {} }),
    pathsOf({ ...path, backend: { service: { name: "web", port: {} } } }),
    pathsOf({ ...path, backend: { service: { name: "web", port: { name: "a", number: 1 } } } }),
    pathsOf({ ...path, backend: { service: { name: "", port: { name: "A_" } } } }),
    pathsOf({
      ...path,
      backend: { service: { name: "w", port: { number: 70000 } }, resource: { kind: "K", name: "n" } },
    }),
    pathsOf({ ...path, backend: { service: { name: "w", port: { number: -1 } } } }),
    { spec: { defaultBackend: { resource: { apiGroup: "A B", kind: "a/b", name: "" } } } },
    {
      spec: {
        defaultBackend: backend,
        tls: [{ hosts: ["a*", "B"], secretName: "S_" }],
        ingressClassName: "C D",
      },
    },
  ],
  changes: [
    { spec: { ingressClassName: "d" } },
    { spec: { ingressClassName: "D d" } },
    { spec: { rules: null } },
  ],
  statuses: [
    { status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }, { hostname: "a.b" }] } } },
    { status: { loadBalancer: { ingress: [{ ip: "x" }, { hostname: "A_" }, { hostname: "1.1.1.1" }] } } },
  ],
};

const ingressClass: PlatformKind = {
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  resource: "ingressclasses",
  good: [
    { spec: { controller: "example.com/c" } },
    { spec: { controller: "example.com/c/d", parameters: { apiGroup: "a.b", kind: "K", name: "n" } } },
  ],
  bad: [
    { spec: {} },
    { spec: { controller: "nothing" } },
    { spec: { controller: "/a" } },
    { spec: { controller: "a/" } },
    { spec: { controller: "A b/c d" } },
    { spec: { controller: `a.b/${long}` } },
  ],
  changes: [{ spec: { controller: "example.com/other" } }],
};

const peers = (...from: readonly object[]) => ({ spec: { podSelector: {}, ingress: [{ from }] } });
const ports = (...list: readonly object[]) => ({ spec: { podSelector: {}, egress: [{ ports: list }] } });

const networkPolicy: PlatformKind = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  resource: "networkpolicies",
  namespaced: true,
  good: [
    { spec: { podSelector: { matchLabels: { a: "b" } } } },
    { spec: { podSelector: {}, egress: [{}], ingress: [] } },
    peers(
      { podSelector: {}, namespaceSelector: {} },
      { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } },
    ),
    ports({ port: 80 }, { port: "http", protocol: "UDP" }, {}),
  ],
  bad: [
    {
      spec: {
        podSelector: { matchLabels: { "a b": "c d" }, matchExpressions: [{ key: "x", operator: "In" }] },
      },
    },
    peers(
      {},
      { podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } },
      { ipBlock: {} },
      { ipBlock: { cidr: "x" } },
    ),
    peers({ ipBlock: { cidr: "10.0.0.0/8", except: ["x", "11.0.0.0/16", "10.0.0.0/8"] } }),
    ports({ port: 0 }, { port: "A_" }, { protocol: "X", port: 70000 }),
    { spec: { podSelector: {}, policyTypes: ["Ingress", "Egress", "Ingress"] } },
    { spec: { podSelector: {}, policyTypes: ["Other"] } },
  ],
  changes: [{ spec: { policyTypes: ["Egress"] } }, { spec: { ingress: [{ from: [{}] }] } }],
};

const storageClass: PlatformKind = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  resource: "storageclasses",
  good: [
    { provisioner: "example.com/disk", parameters: { a: "1" } },
    { provisioner: "Example.com/Disk", reclaimPolicy: "Retain", volumeBindingMode: "WaitForFirstConsumer" },
    { provisioner: "p", reclaimPolicy: "" },
    { provisioner: "p", allowedTopologies: [{ matchLabelExpressions: [{ key: "a", values: ["b"] }] }] },
  ],
  bad: [
    {},
    { provisioner: "a b" },
    { provisioner: "p", reclaimPolicy: "Recycle", volumeBindingMode: "" },
    { provisioner: "p", volumeBindingMode: "Other", parameters: { "": "x" } },
    { provisioner: "p", allowedTopologies: [{}] },
    {
      provisioner: "p",
      allowedTopologies: [
        { matchLabelExpressions: [{ key: "a", values: ["b", "c"] }] },
        { matchLabelExpressions: [{ key: "a", values: ["c", "b"] }] },
        {
          matchLabelExpressions: [
            { key: "a b", values: ["c", "c"] },
            { key: "d" },
            { key: "d", values: ["e"] },
          ],
        },
      ],
    },
  ],
  changes: [
    { allowVolumeExpansion: true },
    {
      provisioner: "q",
      parameters: { a: "2" },
      reclaimPolicy: "Retain",
      volumeBindingMode: "WaitForFirstConsumer",
    },
  ],
};

const csiNode: PlatformKind = {
  apiVersion: "storage.k8s.io/v1",
  kind: "CSINode",
  resource: "csinodes",
  good: [
    { spec: { drivers: [{ name: "d.e", nodeID: "n", topologyKeys: ["a/b"], allocatable: { count: 3 } }] } },
  ],
  bad: [
    { spec: { drivers: [{ name: "", nodeID: "" }] } },
    { spec: { drivers: [{ name: "A b", nodeID: long }] } },
    {
      spec: {
        drivers: [
          { name: "d", nodeID: "n" },
          { name: "d", nodeID: "n" },
        ],
      },
    },
    {
      spec: {
        drivers: [
          { name: "d", nodeID: "n", topologyKeys: ["", "a", "a", "b c"], allocatable: { count: -1 } },
        ],
      },
    },
  ],
  changes: [{ spec: { drivers: [{ name: "d.e", nodeID: "m", topologyKeys: ["a/b"] }] } }],
};

const volumeAttachment: PlatformKind = {
  apiVersion: "storage.k8s.io/v1",
  kind: "VolumeAttachment",
  resource: "volumeattachments",
  good: [
    { spec: { attacher: "e.com", nodeName: "n", source: { persistentVolumeName: "pv" } } },
    {
      spec: {
        attacher: "e.com",
        nodeName: "n",
        source: {
          inlineVolumeSpec: { accessModes: ["ReadWriteOnce"], csi: { driver: "d", volumeHandle: "h" } },
        },
      },
    },
  ],
  bad: [
    { spec: {} },
    { spec: { attacher: "A b", nodeName: "N", source: { persistentVolumeName: "P" } } },
    { spec: { attacher: "a".repeat(64), nodeName: "n", source: { persistentVolumeName: "" } } },
    { spec: { attacher: "e.com", nodeName: "n", source: { inlineVolumeSpec: {} } } },
    {
      spec: {
        attacher: "e.com",
        nodeName: "n",
        source: {
          inlineVolumeSpec: {
            accessModes: [],
            capacity: { storage: "1" },
            claimRef: { name: "a" },
            nodeAffinity: {},
            persistentVolumeReclaimPolicy: "Delete",
            storageClassName: "s",
            volumeMode: "Block",
            hostPath: { path: "/.." },
            csi: { driver: "A_" },
          },
        },
      },
    },
  ],
  changes: [{ spec: { nodeName: "m" } }],
  statuses: [
    { metadata: { labels: { a: "b" } }, status: { attached: true, attachmentMetadata: { a: "b" } } },
    { status: { attached: true, attachError: { message: "x".repeat(1025) } } },
  ],
};

const lease: PlatformKind = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  resource: "leases",
  namespaced: true,
  good: [{ spec: { holderIdentity: "" } }, {}, { spec: { leaseDurationSeconds: 1, leaseTransitions: 0 } }],
  bad: [{ spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } }],
  changes: [{ spec: { leaseDurationSeconds: -1 } }, { spec: { holderIdentity: "two" } }],
};

const runtimeClass: PlatformKind = {
  apiVersion: "node.k8s.io/v1",
  kind: "RuntimeClass",
  resource: "runtimeclasses",
  good: [
    { handler: "h" },
    {
      handler: "h",
      overhead: { podFixed: { cpu: "10m", memory: "1Mi" } },
      scheduling: { nodeSelector: { a: "b" }, tolerations: [{ key: "k", operator: "Exists" }] },
    },
  ],
  bad: [
    {},
    { handler: "A.b" },
    { handler: "h", overhead: { podFixed: { cpu: "-1", nonsense: "1" } } },
    { handler: "h", scheduling: { nodeSelector: { "a b": "c d" }, tolerations: [{ operator: "Equal" }] } },
  ],
  changes: [{ handler: "i" }],
};

const priorityClass: PlatformKind = {
  apiVersion: "scheduling.k8s.io/v1",
  kind: "PriorityClass",
  resource: "priorityclasses",
  good: [{ value: 5 }, { value: -5, preemptionPolicy: "Never", description: "d" }],
  bad: [{ value: 1000000001 }, { value: 1, preemptionPolicy: "" }, { value: 1, preemptionPolicy: "Other" }],
  changes: [{ description: "other" }, { value: 6, preemptionPolicy: "Never" }],
};

const role: PlatformKind = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  resource: "roles",
  namespaced: true,
  good: [
    { rules: [{ apiGroups: [""], resources: ["pods", "nodes"], verbs: ["get"], resourceNames: ["a"] }] },
    {},
  ],
  bad: [
    { rules: [{}] },
    { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] },
    { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"], resources: ["pods"] }] },
  ],
  changes: [{ rules: [] }, { rules: [{ verbs: ["get"] }] }],
};

const clusterRole: PlatformKind = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  resource: "clusterroles",
  good: [
    { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] },
    { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] } },
  ],
  bad: [
    { aggregationRule: {} },
    { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { "a b": "c" } }] } },
    { aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: "a", operator: "Other" }] }] } },
  ],
};

const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
const binding = (kind: string, resource: string): PlatformKind => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind,
  resource,
  ...(kind === "RoleBinding" ? { namespaced: true } : {}),
  good: [
    { roleRef: { kind: "ClusterRole", name: "view" }, subjects: [{ kind: "User", name: "a b" }] },
    {
      roleRef,
      subjects: [
        { kind: "ServiceAccount", name: "s", namespace: "n" },
        { kind: "Group", name: "g" },
      ],
    },
    { roleRef },
  ],
  bad: [
    { roleRef: {} },
    { roleRef: { apiGroup: "other", kind: "Other", name: "a/b%" } },
    { roleRef: { ...roleRef, name: ".." } },
    { roleRef: { ...roleRef, kind: "Role" }, subjects: [{}] },
    {
      roleRef,
      subjects: [
        { kind: "User" },
        { kind: "Group", apiGroup: "other", name: "g" },
        { kind: "Other", name: "x" },
      ],
    },
    {
      roleRef,
      subjects: [{ kind: "ServiceAccount", name: "A b", apiGroup: "x" }, { kind: "ServiceAccount" }],
    },
  ],
  changes: [
    { roleRef: { name: "edit" } },
    { subjects: [{ kind: "User", name: "b" }] },
    { subjects: [{ kind: "Other", name: "b" }] },
  ],
});

const apiService: PlatformKind = {
  apiVersion: "apiregistration.k8s.io/v1",
  kind: "APIService",
  resource: "apiservices",
  good: [],
  bad: [
    { spec: {} },
    { spec: { group: "a.b", version: "v1" } },
    { spec: { group: "A b", version: "1x", groupPriorityMinimum: 20001, versionPriority: 1001 } },
    {
      spec: {
        version: "v2",
        groupPriorityMinimum: -1,
        versionPriority: 1,
        caBundle: "AAEC",
        insecureSkipTLSVerify: true,
      },
    },
    { spec: { group: "a.b", version: "v1", groupPriorityMinimum: 1, versionPriority: 1, service: {} } },
    {
      spec: {
        group: "a.b",
        version: "v1",
        groupPriorityMinimum: 1,
        versionPriority: 1,
        caBundle: "AAEC",
        insecureSkipTLSVerify: true,
        service: { name: "n", namespace: "m" },
      },
    },
  ],
};

const kinds: readonly PlatformKind[] = [
  ingress,
  ingressClass,
  networkPolicy,
  storageClass,
  csiNode,
  volumeAttachment,
  lease,
  runtimeClass,
  priorityClass,
  role,
  clusterRole,
  binding("RoleBinding", "rolebindings"),
  binding("ClusterRoleBinding", "clusterrolebindings"),
  apiService,
];

function sequenceOf(kind: PlatformKind): Sequence {
  const { apiVersion, resource, good, bad, changes = [], statuses = [] } = kind;
  const root = `/apis/${apiVersion}`;
  const collection = kind.namespaced ? `${root}/namespaces/${namespace}/${resource}` : `${root}/${resource}`;
  const named = (name: string, fields: Fields) => ({
    apiVersion,
    kind: kind.kind,
    metadata: { name },
    ...fields,
  });
  const steps: Step[] = bad.map((fields) => post(collection, named("platform-bad", fields)));
  for (const [index, fields] of good.entries()) {
    const name = `platform-${index}`;
    steps.push(post(collection, named(name, fields)), get(`${collection}/${name}`, tableOf));
  }
  const first = `${collection}/platform-0`;
  if (good.length > 0) {
    steps.push(
      ...changes.map((body) => patch(first, "merge", { body })),
      ...statuses.map((body) => patch(`${first}/status`, "merge", { body })),
      put(first, named("platform-0", good[0] ?? {})),
      put(`${collection}/platform-new`, named("platform-new", good[0] ?? {})),
      remove(`${collection}/platform-new`),
      ...good.map((_, index) => remove(`${collection}/platform-${index}`)),
    );
  }
  return { name: `rules of ${apiVersion} ${resource}`, steps };
}

const reviews = "/apis/authorization.k8s.io/v1";
const review = (kind: string, fields: Fields) => ({ apiVersion: "authorization.k8s.io/v1", kind, ...fields });
const asked = { resourceAttributes: { verb: "get", resource: "pods", namespace } };
const subjectReview = (fields: Fields) =>
  post(`${reviews}/subjectaccessreviews`, review("SubjectAccessReview", fields));
const selfReview = (fields: Fields) =>
  post(`${reviews}/selfsubjectaccessreviews`, review("SelfSubjectAccessReview", fields));
const localReview = (fields: Fields) =>
  post(
    `${reviews}/namespaces/${namespace}/localsubjectaccessreviews`,
    review("LocalSubjectAccessReview", fields),
  );
const tokenReview = (fields: Fields) =>
  post("/apis/authentication.k8s.io/v1/tokenreviews", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    ...fields,
  });

const reviewSequence: Sequence = {
  name: "reviews of access and tokens",
  steps: [
    subjectReview({ spec: { user: "a", ...asked } }),
    subjectReview({ spec: {} }),
    subjectReview({ spec: { groups: ["g"], ...asked, nonResourceAttributes: { path: "/", verb: "get" } } }),
    subjectReview({ spec: { user: "a", ...asked }, metadata: { name: "x", labels: { a: "b" } } }),
    selfReview({ spec: asked }),
    selfReview({ spec: {} }),
    selfReview({ spec: { nonResourceAttributes: { path: "/", verb: "get" } }, metadata: { name: "x" } }),
    localReview({ spec: { user: "a", ...asked } }),
    localReview({ spec: { user: "a", resourceAttributes: { verb: "get", resource: "pods" } } }),
    localReview({ spec: { user: "a", nonResourceAttributes: { path: "/", verb: "get" } } }),
    localReview({ spec: { user: "a", ...asked }, metadata: { namespace: "other" } }),
    tokenReview({ spec: { token: "nonsense" } }),
    tokenReview({ spec: {} }),
    post(`${reviews}/selfsubjectrulesreviews`, review("SelfSubjectRulesReview", { spec: {} })),
  ],
};

/** Rules of kinds of the platform, and reviews. */
export const platformSequences: readonly Sequence[] = [
  ...kinds.map(sequenceOf),
  reviewSequence,
  certificateSequence,
];
