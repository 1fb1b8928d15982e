import { CSINode } from "../../api/types/storage-v1.ts";
import { Lease } from "../../api/types/coordination-v1.ts";
import { Node, Pod, ServiceAccount } from "../../api/types/core-v1.ts";
import type { TokenRequest } from "../../api/types/authentication-v1.ts";
import { nodeNameOf } from "../authorization/node.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { mirrorAnnotation, refused } from "./request.ts";

const restrictedLabels = /(^|\.)node-restriction\.kubernetes\.io\//;
const nodeLeases = "kube-node-lease";

/** Keeps kubelets to their own node and its pods. */
export function nodeRestriction(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    operations: ["CREATE", "UPDATE", "DELETE"],
    validate(request) {
      const node = nodeNameOf(request.user);
      if (node === undefined) return;
      const problem = problemOf({ node, request, reader });
      if (problem !== undefined) throw refused(request, problem);
    },
  };
}

interface Question {
  readonly node: string;
  readonly request: AdmissionRequest;
  readonly reader: ObjectReader;
}

/** Why a kubelet may not do it; undefined when it may. */
function problemOf(question: Question): string | undefined {
  const { request, node } = question;
  const name = request.name || request.object?.metadata.name;
  switch (`${request.resource.plural}.${request.resource.group}`) {
    case `${Pod.plural}.`:
      return podProblem(question);
    case `${Node.plural}.`:
      return nodeProblem(question);
    case `${ServiceAccount.plural}.`:
      return request.subresource === "token" ? tokenProblem(question) : undefined;
    case `${Lease.plural}.${Lease.group}`:
      if (request.namespace !== nodeLeases) {
        return `can only access leases in the ${JSON.stringify(nodeLeases)} system namespace`;
      }
      return name === node
        ? undefined
        : "can only access node lease with the same name as the requesting node";
    case `${CSINode.plural}.${CSINode.group}`:
      return name === node ? undefined : "can only access CSINode with the same name as the requesting node";
    default:
      return undefined;
  }
}

function podProblem({ node, request, reader }: Question): string | undefined {
  const quoted = JSON.stringify(node);
  const pod = request.object as Pod | undefined;
  const stored = (request.old ?? reader.get(Pod, { namespace: request.namespace, name: request.name })) as
    | Pod
    | undefined;
  const own = stored?.spec.nodeName === node;
  switch (`${request.operation} ${request.subresource}`) {
    case "CREATE ":
      return pod && createdPodProblem(node, pod);
    case "DELETE ":
      return own || !stored
        ? undefined
        : `node ${quoted} can only delete pods with spec.nodeName set to itself`;
    case "UPDATE status":
      return own
        ? undefined
        : `node ${quoted} can only update pod status for pods with spec.nodeName set to itself`;
    case "CREATE eviction":
      return own || !stored
        ? undefined
        : `node ${quoted} can only evict pods with spec.nodeName set to itself`;
    default:
      return request.subresource === "" || request.subresource === "status"
        ? `unexpected operation ${JSON.stringify(request.operation)}, node ${quoted} can only create and delete mirror pods`
        : `unexpected pod subresource ${JSON.stringify(request.subresource)}, only 'status' and 'eviction' are allowed`;
  }
}

function createdPodProblem(node: string, pod: Pod): string | undefined {
  const quoted = JSON.stringify(node);
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) {
    return `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${quoted} can only create mirror pods`;
  }
  if (pod.spec.nodeName !== node) {
    return `node ${quoted} can only create pods with spec.nodeName set to itself`;
  }
  const owners = pod.metadata.ownerReferences ?? [];
  const [owner] = owners;
  if (owners.length > 1) {
    return `node ${quoted} can only create pods with a single owner reference set to itself`;
  }
  if (owner && (owner.kind !== "Node" || owner.name !== node)) {
    return `node ${quoted} can only create pods with an owner reference set to itself`;
  }
  return pod.spec.serviceAccountName
    ? `node ${quoted} can not create pods that reference a service account`
    : undefined;
}

function nodeProblem({ node, request }: Question): string | undefined {
  const quoted = JSON.stringify(node);
  const name = request.name || request.object?.metadata.name || "";
  if (name !== node) {
    return `node ${quoted} is not allowed to modify node ${JSON.stringify(name)}`;
  }
  const object = request.object as Node | undefined;
  const old = request.old as Node | undefined;
  if (!object) return undefined;
  const changed = changedLabels(object, old).filter((label) => restrictedLabels.test(label));
  if (changed.length > 0) {
    return `is not allowed to modify labels: ${changed.sort().join(", ")}`;
  }
  if (!old) return undefined;
  if (JSON.stringify(object.spec?.taints ?? []) !== JSON.stringify(old.spec?.taints ?? [])) {
    return `node ${quoted} is not allowed to modify taints`;
  }
  return undefined;
}

function changedLabels(object: Node, old: Node | undefined): string[] {
  const labels = object.metadata.labels ?? {};
  const oldLabels = old?.metadata.labels ?? {};
  return [...new Set([...Object.keys(labels), ...Object.keys(oldLabels)])].filter(
    (label) => labels[label] !== oldLabels[label],
  );
}

function tokenProblem({ node, request, reader }: Question): string | undefined {
  const reference = (request.object as TokenRequest | undefined)?.spec?.boundObjectRef;
  if (reference?.kind !== "Pod" || reference.apiVersion !== "v1" || !reference.name) {
    return "node requested token not bound to a pod";
  }
  if (!reference.uid) return "node requested token with a pod binding without a uid";
  const pod = reader.get(Pod, { namespace: request.namespace, name: reference.name });
  if (!pod) return `pod ${JSON.stringify(reference.name)} not found`;
  if (pod.metadata.uid !== reference.uid) {
    return `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  return pod.spec.nodeName === node
    ? undefined
    : "node requested token bound to a pod scheduled on a different node";
}
