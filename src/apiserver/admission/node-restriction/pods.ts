import { podReferences } from "../../../api/index.ts";
import { Node, Pod } from "../../../api/types/core-v1.ts";
import type { PodSpec } from "../../../api/types/core-v1.ts";
import { ApiError } from "../../../apimachinery/index.ts";
import type { OwnerReference } from "../../../apimachinery/index.ts";
import type { ObjectReader } from "../../reader.ts";
import { mirrorAnnotation } from "../request.ts";
import type { Question } from "./question.ts";

type Problem = string | ApiError | undefined;

/** Kubelets mirror their static pods, tell of the status of theirs, and delete and evict these. */
export function podProblem(question: Question): Problem {
  const { node, request, reader } = question;
  const { operation, subresource } = request;
  const quoted = JSON.stringify(node);
  switch (subresource) {
    case "":
      if (operation === "CREATE") return mirrorProblem(question);
      if (operation === "DELETE") {
        return present(question, `node ${quoted} can only delete pods with spec.nodeName set to itself`);
      }
      return `unexpected operation ${JSON.stringify(operation)}, node ${quoted} can only create and delete mirror pods`;
    case "status":
      return operation === "UPDATE" ? statusProblem(question) : unexpected(JSON.stringify(operation));
    case "eviction":
      if (operation !== "CREATE") return unexpected(operation);
      return present(
        { node, request, reader },
        `node ${node} can only evict pods with spec.nodeName set to itself`,
      );
    default:
      return `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`;
  }
}

const unexpected = (operation: string): string => `unexpected operation ${operation}`;

/** `why` unless the pod that is there is the node's. */
function present({ node, request, reader }: Question, why: string): Problem {
  const key = { namespace: request.namespace, name: request.name };
  const pod = (request.old as Pod | undefined) ?? reader.get(Pod, key);
  if (!pod) return ApiError.notFound({ group: "", resource: "pods" }, request.name);
  return pod.spec.nodeName === node ? undefined : why;
}

function mirrorProblem({ node, request, reader }: Question): Problem {
  const pod = request.object as Pod;
  const quoted = JSON.stringify(node);
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) {
    return `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${quoted} can only create mirror pods`;
  }
  if (pod.spec.nodeName !== node) {
    return `node ${quoted} can only create pods with spec.nodeName set to itself`;
  }
  const [owner, ...others] = pod.metadata.ownerReferences ?? [];
  if (others.length > 0) {
    return `node ${quoted} can only create pods with a single owner reference set to itself`;
  }
  return ownerProblem(owner, { node, reader }) ?? referenceProblem(pod.spec, quoted);
}

function ownerProblem(
  owner: OwnerReference | undefined,
  { node, reader }: { readonly node: string; readonly reader: ObjectReader },
): Problem {
  const quoted = JSON.stringify(node);
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) {
    return `node ${quoted} can only create pods with an owner reference set to itself`;
  }
  if (!owner.controller) {
    return `node ${quoted} can only create pods with a controller owner reference set to itself`;
  }
  if (owner.blockOwnerDeletion) {
    return `node ${quoted} must not set blockOwnerDeletion on an owner reference`;
  }
  const stored = reader.get(Node, { name: node });
  if (!stored) return ApiError.notFound({ group: "", resource: "nodes" }, node);
  const { uid } = stored.metadata;
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
}

/** Mirror pods use nothing of the API: whoever could make one could read it. */
function referenceProblem(spec: PodSpec, quoted: string): string | undefined {
  const refuse = (what: string) => `node ${quoted} can not create pods that reference ${what}`;
  if (spec.serviceAccountName) return refuse("a service account");
  const { secrets, configMaps, claims } = podReferences(spec);
  if (secrets.size > 0) return refuse("secrets");
  if (configMaps.size > 0) return refuse("configmaps");
  const sources = (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  if (sources.some(({ clusterTrustBundle }) => clusterTrustBundle)) return refuse("clustertrustbundles");
  if (claims.size > 0) return refuse("persistentvolumeclaims");
  return spec.resourceClaims?.length ? refuse("resourceclaims") : undefined;
}

function statusProblem({ node, request }: Question): string | undefined {
  const pod = request.object as Pod;
  const old = request.old as Pod;
  const quoted = JSON.stringify(node);
  if (old.spec.nodeName !== node) {
    return `node ${quoted} can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (!sameLabels(pod.metadata.labels, old.metadata.labels)) {
    return `node ${quoted} cannot update labels through pod status`;
  }
  const claims = ({ status }: Pod) =>
    JSON.stringify(
      (status?.resourceClaimStatuses ?? []).map(({ name, resourceClaimName }) => [name, resourceClaimName]),
    );
  return claims(pod) === claims(old) ? undefined : `node ${quoted} cannot update resource claim statues`;
}

function sameLabels(one: Readonly<Record<string, string>> = {}, other: typeof one = {}): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
