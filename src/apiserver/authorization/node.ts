import { Pod, PersistentVolume, PersistentVolumeClaim } from "../../api/types/core-v1.ts";
import type { PodSpec } from "../../api/types/core-v1.ts";
import { keyOf, keyString } from "../../apimachinery/index.ts";
import { VolumeAttachment } from "../../api/types/storage-v1.ts";
import { podReferences } from "../../api/index.ts";
import type { UserInfo } from "../../api/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { Attributes, Authorizer, Decision } from "./authorizer.ts";
import { ruleOf } from "./bootstrap-policy.ts";
import { nodeRows } from "./bootstrap-roles.ts";
import { rulesAllow } from "./rules.ts";

const nodePrefix = "system:node:";
const nodesGroup = "system:nodes";
const nodeLeases = "kube-node-lease";

/** The node whose kubelet the user is; undefined for everyone else. */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(nodePrefix) || !user.groups.includes(nodesGroup)) return undefined;
  return user.name.slice(nodePrefix.length) || undefined;
}

type ResourceAttributes = Extract<Attributes, { type: "resource" }>;

const allow: Decision = { type: "allow", reason: "" };
const noOpinion = (reason: string): Decision => ({ type: "noOpinion", reason });

/** Lets a kubelet reach what its node and the pods bound to it need, and no more. */
export function createNodeAuthorizer(options: {
  readonly reader: ObjectReader;
}): Authorizer & { close(): void } {
  const pods = new PodsByNode(options.reader);
  const rules = nodeRows.map(ruleOf);

  const decide = (node: string, attributes: ResourceAttributes): Decision => {
    const narrowed = narrowedResources[`${attributes.resource}.${attributes.group}`];
    if (narrowed) return narrowed({ node, attributes, pods, reader: options.reader });
    return rulesAllow(rules, attributes) ? allow : noOpinion("");
  };

  return {
    authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return noOpinion("");
      if (attributes.type === "path") return rulesAllow(rules, attributes) ? allow : noOpinion("");
      return decide(node, attributes);
    },
    close: () => pods.close(),
  };
}

interface Question {
  readonly node: string;
  readonly attributes: ResourceAttributes;
  readonly pods: PodsByNode;
  readonly reader: ObjectReader;
}

const unrelated = (node: string) => noOpinion(`no relationship found between node '${node}' and this object`);

/** Resources that a node may use only as far as they concern it. */
const narrowedResources: Readonly<Record<string, (question: Question) => Decision>> = {
  "secrets.": (question) => readReferenced(question, (spec) => podReferences(spec).secrets),
  "configmaps.": (question) => readReferenced(question, (spec) => podReferences(spec).configMaps),
  "persistentvolumeclaims.": (question) =>
    question.attributes.subresource === "status"
      ? referenced(question, ["get", "update", "patch"], (spec) => podReferences(spec).claims)
      : referenced(question, ["get"], (spec) => podReferences(spec).claims),
  "persistentvolumes.": decidePersistentVolume,
  "resourceclaims.resource.k8s.io": decideResourceClaim,
  "volumeattachments.storage.k8s.io": decideVolumeAttachment,
  "serviceaccounts.": decideServiceAccount,
  "leases.coordination.k8s.io": decideLease,
  "csinodes.storage.k8s.io": (question) =>
    ownObject(question, ["get", "create", "update", "patch", "delete"]),
  "nodes.": decideNode,
};

function readReferenced(question: Question, names: (spec: PodSpec) => ReadonlySet<string>): Decision {
  return referenced(question, ["get", "list", "watch"], names);
}

function referenced(
  question: Question,
  verbs: readonly string[],
  names: (spec: PodSpec) => ReadonlySet<string>,
): Decision {
  const { node, attributes, pods } = question;
  if (!verbs.includes(attributes.verb)) return noOpinion(`can only ${verbs.join(", ")} this resource`);
  if (attributes.subresource !== "" && attributes.subresource !== "status") {
    return noOpinion("cannot read subresource");
  }
  if (attributes.name === "") return noOpinion("No Object name found");
  return pods.some(
    node,
    (pod) => pod.metadata.namespace === attributes.namespace && names(pod.spec).has(attributes.name),
  )
    ? allow
    : unrelated(node);
}

function decidePersistentVolume(question: Question): Decision {
  const { node, attributes, pods, reader } = question;
  if (attributes.verb !== "get") return noOpinion("can only get individual resources of this type");
  const claim = reader.get(PersistentVolume, { name: attributes.name })?.spec.claimRef;
  if (!claim?.name) return unrelated(node);
  const bound = reader.get(PersistentVolumeClaim, { namespace: claim.namespace, name: claim.name });
  const related =
    bound?.spec.volumeName === attributes.name &&
    pods.some(
      node,
      (pod) =>
        pod.metadata.namespace === claim.namespace && podReferences(pod.spec).claims.has(claim.name ?? ""),
    );
  return related ? allow : unrelated(node);
}

function decideResourceClaim(question: Question): Decision {
  const { node, attributes, pods } = question;
  if (attributes.verb !== "get" || attributes.subresource !== "") {
    return noOpinion("can only get individual resources of this type");
  }
  const related = pods.some(node, (pod) => {
    if (pod.metadata.namespace !== attributes.namespace) return false;
    const direct = pod.spec.resourceClaims?.some((claim) => claim.resourceClaimName === attributes.name);
    const made = pod.status?.resourceClaimStatuses?.some(
      (claim) => claim.resourceClaimName === attributes.name,
    );
    return direct === true || made === true;
  });
  return related ? allow : unrelated(node);
}

function decideVolumeAttachment({ node, attributes, reader }: Question): Decision {
  if (attributes.verb !== "get") return noOpinion("can only get individual resources of this type");
  const attachment = reader.get(VolumeAttachment, { name: attributes.name });
  return attachment?.spec.nodeName === node ? allow : unrelated(node);
}

function decideServiceAccount({ node, attributes, pods }: Question): Decision {
  const wanted = attributes.subresource === "token" ? "create" : "get";
  if (attributes.verb !== wanted) return noOpinion("can only create tokens for individual service accounts");
  return pods.some(
    node,
    (pod) =>
      pod.metadata.namespace === attributes.namespace &&
      (pod.spec.serviceAccountName || "default") === attributes.name,
  )
    ? allow
    : unrelated(node);
}

function decideLease(question: Question): Decision {
  if (question.attributes.namespace !== nodeLeases) {
    return noOpinion(`can only access leases in the ${JSON.stringify(nodeLeases)} system namespace`);
  }
  return ownObject(question, ["get", "create", "update", "patch", "delete"]);
}

/** Objects of the node's own name; what is created may have no name yet, admission checks it then. */
function ownObject({ node, attributes }: Question, verbs: readonly string[]): Decision {
  if (!verbs.includes(attributes.verb)) return noOpinion(`can only ${verbs.join(", ")} this resource`);
  if (attributes.subresource !== "") return noOpinion("cannot access subresource");
  if (attributes.name === node || (attributes.verb === "create" && attributes.name === "")) return allow;
  return noOpinion("can only access the object with the same name as the requesting node");
}

function decideNode({ node, attributes }: Question): Decision {
  const { verb, subresource, name } = attributes;
  if (subresource === "status" && (verb === "update" || verb === "patch")) return allow;
  if (subresource !== "") return noOpinion("");
  switch (verb) {
    // What a node may write of its own object, admission (NodeRestriction) decides.
    case "create":
    case "update":
    case "patch":
      return allow;
    case "get":
    case "list":
    case "watch":
      return name === node
        ? allow
        : noOpinion(`node '${node}' cannot read '${name}', only its own Node object`);
    default:
      return noOpinion("");
  }
}

/** Pods by the node they are bound to, kept current. */
class PodsByNode {
  private readonly nodes = new Map<string, Map<string, Pod>>();
  readonly close: () => void;

  constructor(reader: ObjectReader) {
    this.close = reader.subscribe(Pod, ({ object, old }) => {
      if (old) this.remove(old);
      if (object) this.add(object);
    });
    for (const pod of reader.list(Pod)) this.add(pod);
  }

  some(node: string, test: (pod: Pod) => boolean): boolean {
    for (const pod of this.nodes.get(node)?.values() ?? []) if (test(pod)) return true;
    return false;
  }

  private add(pod: Pod): void {
    const node = pod.spec.nodeName;
    if (!node) return;
    const pods = this.nodes.get(node) ?? new Map<string, Pod>();
    pods.set(keyString(keyOf(pod)), pod);
    this.nodes.set(node, pods);
  }

  private remove(pod: Pod): void {
    const node = pod.spec.nodeName;
    if (!node) return;
    const pods = this.nodes.get(node);
    pods?.delete(keyString(keyOf(pod)));
    if (pods?.size === 0) this.nodes.delete(node);
  }
}
