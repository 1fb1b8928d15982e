import { expect, test } from "vitest";
import type { Resource } from "../../apimachinery/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import { Lease } from "../../api/types/coordination-v1.ts";
import {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ServiceAccount,
} from "../../api/types/core-v1.ts";
import { ResourceSlice } from "../../api/types/resource-v1.ts";
import { CSIDriver, CSINode } from "../../api/types/storage-v1.ts";
import { object, pod, setUpAdmission, shop } from "./admission-suite.ts";
import type { Json } from "./admission-suite.ts";

const kubelet: UserInfo = { name: "system:node:one", groups: ["system:nodes"] };
const own = pod({ nodeName: "one" });
const foreign = pod({ nodeName: "two" });
const node = (name: string, rest: Json = {}, labels: Json = {}) => object<Node>(name, rest, { labels });
const update = (next: object, old: object, rest: Json = {}) => ({
  operation: "UPDATE",
  object: next,
  old,
  ...rest,
});

const owner = { apiVersion: "v1", kind: "Node", name: "one", uid: "one", controller: true };
const mirror = (spec: Json = {}, owners: readonly Json[] = [owner]) =>
  pod(
    { nodeName: "one", ...spec },
    { annotations: { "kubernetes.io/config.mirror": "x" }, ownerReferences: owners },
  );
const creates = (made: object, rest: Json = {}) => ({ object: made, ...rest });
const token = (reference: Json, audiences: readonly string[] = []) =>
  creates(
    { metadata: {}, spec: { audiences, boundObjectRef: { apiVersion: "v1", kind: "Pod", ...reference } } },
    { subresource: "token", name: "default" },
  );
const claim = (rest: Json = {}) => object<PersistentVolumeClaim>("data", rest, shop);
const lease = (name: string, namespace: string) => creates(object(name, {}, { namespace }), { namespace });
const slice = (nodeName: string) => object<ResourceSlice>("s", { spec: { nodeName } });

const cases: readonly (readonly [string, Resource<never> | Resource, Json, string | undefined])[] = [
  ["own node", Node, update(node("one"), node("one")), undefined],
  ["another node", Node, update(node("two"), node("two")), 'node "one" is not allowed to modify node "two"'],
  [
    "taints",
    Node,
    update(node("one", { spec: { taints: [{ key: "a" }] } }), node("one")),
    'node "one" is not allowed to modify taints',
  ],
  [
    "reserved labels",
    Node,
    update(node("one", {}, { "x.node-restriction.kubernetes.io/a": "1" }), node("one")),
    "is not allowed to modify labels: x.node-restriction.kubernetes.io/a",
  ],
  [
    "labels of Kubernetes, on creation",
    Node,
    creates(node("one", {}, { "node-role.kubernetes.io/x": "", "foo.k8s.io/y": "", own: "" })),
    'node "one" is not allowed to set the following labels: foo.k8s.io/y, node-role.kubernetes.io/x',
  ],
  [
    "labels that say what a node is",
    Node,
    creates(
      node(
        "one",
        {},
        { "kubernetes.io/os": "linux", "node.kubernetes.io/x": "", "a.kubelet.kubernetes.io/b": "" },
      ),
    ),
    undefined,
  ],
  [
    "a source of configuration",
    Node,
    creates(node("one", { spec: { configSource: {} } })),
    'node "one" is not allowed to create pods with a non-nil configSource',
  ],
  ["own pod's status", Pod, update(own, own, { subresource: "status" }), undefined],
  [
    "another pod's status",
    Pod,
    update(foreign, foreign, { subresource: "status" }),
    'node "one" can only update pod status for pods with spec.nodeName set to itself',
  ],
  [
    "labels through status",
    Pod,
    update(pod({ nodeName: "one" }, { labels: { a: "b" } }), own, { subresource: "status" }),
    'node "one" cannot update labels through pod status',
  ],
  [
    "claims through status",
    Pod,
    update({ ...own, status: { resourceClaimStatuses: [{ name: "a" }] } }, own, { subresource: "status" }),
    'node "one" cannot update resource claim statues',
  ],
  [
    "a pod itself",
    Pod,
    update(own, own),
    'unexpected operation "UPDATE", node "one" can only create and delete mirror pods',
  ],
  [
    "other subresources",
    Pod,
    update(own, own, { subresource: "resize" }),
    "unexpected pod subresource \"resize\", only 'status' and 'eviction' are allowed",
  ],
  ["deleting its pod", Pod, { operation: "DELETE", name: "web", old: own }, undefined],
  [
    "deleting another's",
    Pod,
    { operation: "DELETE", name: "web", old: foreign },
    'node "one" can only delete pods with spec.nodeName set to itself',
  ],
  [
    "evicting another's",
    Pod,
    creates({ metadata: {} }, { subresource: "eviction", name: "theirs" }),
    "node one can only evict pods with spec.nodeName set to itself",
  ],
  [
    "evicting what is not there",
    Pod,
    creates({ metadata: {} }, { subresource: "eviction", name: "none" }),
    'pods "none" not found',
  ],
  [
    "a pod that mirrors nothing",
    Pod,
    creates(own),
    'pod does not have "kubernetes.io/config.mirror" annotation, node "one" can only create mirror pods',
  ],
  ["a mirror pod", Pod, creates(mirror()), undefined],
  [
    "one without owner",
    Pod,
    creates(mirror({}, [])),
    'node "one" can only create pods with an owner reference set to itself',
  ],
  [
    "one that the node does not control",
    Pod,
    creates(mirror({}, [{ ...owner, controller: false }])),
    'node "one" can only create pods with a controller owner reference set to itself',
  ],
  [
    "one that holds the node",
    Pod,
    creates(mirror({}, [{ ...owner, blockOwnerDeletion: true }])),
    'node "one" must not set blockOwnerDeletion on an owner reference',
  ],
  [
    "one of an earlier node",
    Pod,
    creates(mirror({}, [{ ...owner, uid: "x" }])),
    "node one UID mismatch: expected x got one",
  ],
  [
    "one with a config map",
    Pod,
    creates(mirror({ volumes: [{ name: "v", configMap: { name: "m" } }] })),
    'node "one" can not create pods that reference configmaps',
  ],
  [
    "one with a claim",
    Pod,
    creates(mirror({ volumes: [{ name: "v", persistentVolumeClaim: { claimName: "m" } }] })),
    'node "one" can not create pods that reference persistentvolumeclaims',
  ],
  [
    "one with trust bundles",
    Pod,
    creates(
      mirror({ volumes: [{ name: "v", projected: { sources: [{ clusterTrustBundle: { path: "p" } }] } }] }),
    ),
    'node "one" can not create pods that reference clustertrustbundles',
  ],
  ["a claim", PersistentVolumeClaim, creates(claim()), "may only update PVC status"],
  [
    "a claim's size",
    PersistentVolumeClaim,
    update(claim({ status: { capacity: { storage: "2Gi" } } }), claim(), { subresource: "status" }),
    undefined,
  ],
  [
    "a claim's phase",
    PersistentVolumeClaim,
    update(claim({ status: { phase: "Lost" } }), claim(), { subresource: "status" }),
    'node "one" is not allowed to update fields other than status.quantity and status.conditions: ',
  ],
  ["own lease", Lease, lease("one", "kube-node-lease"), undefined],
  [
    "another's lease",
    Lease,
    lease("two", "kube-node-lease"),
    "can only access node lease with the same name as the requesting node",
  ],
  [
    "a lease elsewhere",
    Lease,
    lease("one", "shop"),
    'can only access leases in the "kube-node-lease" system namespace',
  ],
  [
    "another's drivers",
    CSINode,
    creates(object("two")),
    "can only access CSINode with the same name as the requesting node",
  ],
  ["own slice", ResourceSlice, creates(slice("one")), undefined],
  [
    "another's slice",
    ResourceSlice,
    creates(slice("two")),
    "can only create ResourceSlice with the same NodeName as the requesting node",
  ],
  [
    "deleting another's slice",
    ResourceSlice,
    { operation: "DELETE", name: "s", old: slice("two") },
    "can only delete ResourceSlice with the same NodeName as the requesting node",
  ],
  ["a token of its pod", ServiceAccount, token({ name: "mine", uid: "mine" }), undefined],
  ["a token of nothing", ServiceAccount, token({}), "node requested token not bound to a pod"],
  [
    "a token without uid",
    ServiceAccount,
    token({ name: "mine" }),
    "node requested token with a pod binding without a uid",
  ],
  ["a token of no pod", ServiceAccount, token({ name: "none", uid: "x" }), 'pods "none" not found'],
  [
    "a token of an earlier pod",
    ServiceAccount,
    token({ name: "mine", uid: "x" }),
    "the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated",
  ],
  [
    "a token of another's pod",
    ServiceAccount,
    token({ name: "theirs", uid: "theirs" }),
    "node requested token bound to a pod scheduled on a different node",
  ],
  [
    "a token for many",
    ServiceAccount,
    token({ name: "mine", uid: "mine" }, ["a", "b"]),
    "node may only request 0 or 1 audiences",
  ],
  [
    "a token for whom the pod does not know",
    ServiceAccount,
    token({ name: "mine", uid: "mine" }, ["bank"]),
    'audience "bank" not found in pod spec volume, system:node:one is not authorized to request tokens for this audience',
  ],
  [
    "a token for a driver of its volumes",
    ServiceAccount,
    token({ name: "mine", uid: "mine" }, ["vault"]),
    undefined,
  ],
  [
    "a request that cannot be read",
    CertificateSigningRequest,
    creates(
      object("csr", { spec: { signerName: "kubernetes.io/kubelet-serving", request: "bm90aGluZw==" } }),
    ),
    "unable to parse csr: PEM block type must be CERTIFICATE REQUEST",
  ],
];

function setUp() {
  const context = setUpAdmission();
  const { reader } = context;
  const volumes = [
    { name: "t", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
    { name: "d", persistentVolumeClaim: { claimName: "data" } },
  ];
  const named = (name: string, spec: Json) => object<Pod>(name, { spec: { containers: [], ...spec } }, shop);
  reader.put(Pod, named("mine", { nodeName: "one", volumes }));
  reader.put(Pod, named("theirs", { nodeName: "two" }));
  reader.put(Node, node("one"));
  reader.put(PersistentVolumeClaim, claim({ spec: { volumeName: "disk" } }));
  reader.put(PersistentVolume, object("disk", { spec: { csi: { driver: "csi.example.com" } } }));
  reader.put(CSIDriver, object("csi.example.com", { spec: { tokenRequests: [{ audience: "vault" }] } }));
  return context;
}

test.each(cases)("%s", async (_, resource, request, problem) => {
  const context = setUp();
  const given = { ...request, user: kubelet } as Parameters<typeof context.run>[1];
  const namespace = request["namespace"] as string | undefined;
  const result = context.run(resource, { ...given, ...(namespace ? { namespace } : {}) });
  if (problem === undefined) await result;
  else await expect(result).rejects.toThrow(problem);
});

test("a user of the nodes' group that is no node is refused nothing here", async () => {
  const user: UserInfo = { name: "ann", groups: ["system:nodes"] };
  await setUp().run(Node, { object: node("two"), user });
});
