import type { Node, PersistentVolumeClaim } from "../../../api/types/core-v1.ts";
import { describeDifference, semanticallyEqual } from "../../../api/index.ts";
import type { Question } from "./question.ts";

/** Labels of Kubernetes that kubelets say of their own node. */
const kubeletLabels = new Set([
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
]);
/** And namespaces of labels that are theirs. */
const kubeletNamespace = /^([^/]*\.)?(kubelet|node)\.kubernetes\.io\//;
const kubernetesNamespace = /^([^/]*\.)?(kubernetes|k8s)\.io\//;
const restrictedNamespace = /^([^/]*\.)?node-restriction\.kubernetes\.io\//;

/** A node says of itself what it is, but not what runs on it: taints and reserved labels belong to others. */
export function nodeProblem({ node, request }: Question): string | undefined {
  const quoted = JSON.stringify(node);
  const name = request.name || request.object?.metadata.name || "";
  if (name !== node) return `node ${quoted} is not allowed to modify node ${JSON.stringify(name)}`;
  const object = request.object as Node | undefined;
  if (!object) return undefined;
  const old = request.old as Node | undefined;
  const labels = forbiddenLabels(object, old).join(", ");
  if (!old) {
    if (object.spec?.configSource) {
      return `node ${quoted} is not allowed to create pods with a non-nil configSource`;
    }
    return labels === "" ? undefined : `node ${quoted} is not allowed to set the following labels: ${labels}`;
  }
  if (object.spec?.configSource && !semanticallyEqual(object.spec.configSource, old.spec?.configSource)) {
    return `node ${quoted} is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!semanticallyEqual(object.spec?.taints ?? [], old.spec?.taints ?? [])) {
    return `node ${quoted} is not allowed to modify taints`;
  }
  return labels === "" ? undefined : `is not allowed to modify labels: ${labels}`;
}

function forbiddenLabels(object: Node, old: Node | undefined): readonly string[] {
  const now = object.metadata.labels ?? {};
  const then = old?.metadata.labels ?? {};
  const changed = [...new Set([...Object.keys(now), ...Object.keys(then)])].filter(
    (label) => now[label] !== then[label],
  );
  return changed.filter(isForbidden).sort();
}

function isForbidden(label: string): boolean {
  if (restrictedNamespace.test(label)) return true;
  return kubernetesNamespace.test(label) && !kubeletLabels.has(label) && !kubeletNamespace.test(label);
}

/** Of claims a node tells how large they have become. */
export function claimProblem({ node, request }: Question): string | undefined {
  if (request.subresource !== "status") return "may only update PVC status";
  if (request.operation !== "UPDATE") return `unexpected operation ${JSON.stringify(request.operation)}`;
  const claim = fixedPart(request.object as PersistentVolumeClaim);
  const old = fixedPart(request.old as PersistentVolumeClaim);
  if (semanticallyEqual(claim, old)) return undefined;
  return `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions: ${describeDifference({ from: old, to: claim })}`;
}

function fixedPart({ metadata, spec, status }: PersistentVolumeClaim): object {
  const own = { resourceVersion: undefined, managedFields: undefined };
  const told = {
    capacity: undefined,
    conditions: undefined,
    allocatedResources: undefined,
    allocatedResourceStatuses: undefined,
  };
  return { metadata: { ...metadata, ...own }, spec, status: { ...status, ...told } };
}
