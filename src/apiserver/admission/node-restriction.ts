import { parseSigningRequest } from "../../api/index.ts";
import { Lease } from "../../api/types/coordination-v1.ts";
import { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import { Node, PersistentVolumeClaim, Pod, ServiceAccount } from "../../api/types/core-v1.ts";
import { ResourceSlice } from "../../api/types/resource-v1.ts";
import { CSINode } from "../../api/types/storage-v1.ts";
import type { ApiError, Resource } from "../../apimachinery/index.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { nodeNameOf } from "../authorization/node.ts";
import type { ObjectReader } from "../reader.ts";
import { claimProblem, nodeProblem } from "./node-restriction/objects.ts";
import { podProblem } from "./node-restriction/pods.ts";
import type { Question } from "./node-restriction/question.ts";
import { tokenProblem } from "./node-restriction/tokens.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { refused } from "./request.ts";

const nodeLeases = "kube-node-lease";
const kubeletSigners = ["kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"];

/** What a rule answers: nothing where all is well, why not, or an error of its own. */
type Problem = string | ApiError | undefined;

/** What kubelets may do with each resource that concerns them. */
const rules: readonly (readonly [Pick<Resource, "group" | "plural">, (question: Question) => Problem])[] = [
  [Pod, podProblem],
  [Node, nodeProblem],
  [PersistentVolumeClaim, claimProblem],
  [ServiceAccount, tokenProblem],
  [Lease, leaseProblem],
  [CSINode, csiNodeProblem],
  [ResourceSlice, sliceProblem],
  [CertificateSigningRequest, signingProblem],
];

/** Keeps kubelets to their own node and its pods. */
export function nodeRestriction(options: {
  readonly reader: ObjectReader;
  /** Who else may ask for tokens of an audience; absent: nobody. */
  readonly authorizer?: Authorizer | undefined;
}): AdmissionPlugin {
  const check = (request: AdmissionRequest): void => {
    const node = nodeNameOf(request.user);
    if (node === undefined) return;
    const { group, plural } = request.resource;
    const rule = rules.find(([resource]) => resource.group === group && resource.plural === plural)?.[1];
    const problem = rule?.({ ...options, node, request });
    if (problem === undefined) return;
    throw typeof problem === "string" ? refused(request, problem) : problem;
  };
  return {
    name: "NodeRestriction",
    operations: ["CREATE", "UPDATE", "DELETE"],
    resources: rules.map(([resource]) => resource),
    admit(request) {
      check(request);
      return request.object;
    },
    validate(request) {
      if (request.operation === "DELETE") check(request);
    },
  };
}

function leaseProblem({ node, request }: Question): Problem {
  if (request.namespace !== nodeLeases) {
    return `can only access leases in the ${JSON.stringify(nodeLeases)} system namespace`;
  }
  return nameOf(request) === node
    ? undefined
    : "can only access node lease with the same name as the requesting node";
}

function csiNodeProblem({ node, request }: Question): Problem {
  return nameOf(request) === node
    ? undefined
    : "can only access CSINode with the same name as the requesting node";
}

const nameOf = (request: AdmissionRequest): string => request.name || request.object?.metadata.name || "";

/** Other writes of slices the node authorizer judges, who knows their present state. */
function sliceProblem({ node, request }: Question): Problem {
  const judged = { CREATE: request.object, DELETE: request.old, UPDATE: undefined, CONNECT: undefined };
  const slice = judged[request.operation] as ResourceSlice | undefined;
  if (!slice || slice.spec.nodeName === node) return undefined;
  return `can only ${request.operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`;
}

function signingProblem({ node, request }: Question): Problem {
  const asked = request.object as CertificateSigningRequest | undefined;
  if (request.operation !== "CREATE" || !asked) return undefined;
  if (!kubeletSigners.includes(asked.spec.signerName ?? "")) return undefined;
  const parsed = parseSigningRequest(asked.spec.request);
  if (parsed.type === "unreadable") return `unable to parse csr: ${parsed.why}`;
  return parsed.commonName === `system:node:${node}`
    ? undefined
    : `can only create a node CSR with CN=system:node:${node}`;
}
