import type { TokenRequest } from "../../../api/types/authentication-v1.ts";
import { PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/types/core-v1.ts";
import type { Volume } from "../../../api/types/core-v1.ts";
import { CSIDriver } from "../../../api/types/storage-v1.ts";
import { ApiError } from "../../../apimachinery/index.ts";
import type { Question } from "./question.ts";

type Problem = string | ApiError | undefined;

const audienceVerb = "request-serviceaccounts-token-audience";

/** Kubelets ask for tokens that die with a pod of theirs, for audiences that the pod speaks to. */
export function tokenProblem(question: Question): Problem {
  const { node, request, reader } = question;
  if (request.operation !== "CREATE" || request.subresource !== "token") return undefined;
  const { spec } = request.object as Partial<TokenRequest>;
  const reference = spec?.boundObjectRef;
  if (reference?.kind !== "Pod" || reference.apiVersion !== "v1" || !reference.name) {
    return "node requested token not bound to a pod";
  }
  if (!reference.uid) return "node requested token with a pod binding without a uid";
  const pod = reader.get(Pod, { namespace: request.namespace, name: reference.name });
  if (!pod) return ApiError.notFound({ group: "", resource: "pods" }, reference.name);
  if (pod.metadata.uid !== reference.uid) {
    return `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  if (pod.spec.nodeName !== node) return "node requested token bound to a pod scheduled on a different node";
  return audienceProblem(question, { pod, audiences: spec?.audiences ?? [] });
}

function audienceProblem(
  { request, reader, authorizer }: Question,
  { pod, audiences }: { readonly pod: Pod; readonly audiences: readonly string[] },
): string | undefined {
  const [audience = "", ...others] = audiences;
  if (others.length > 0) return "node may only request 0 or 1 audiences";
  if ((pod.spec.volumes ?? []).some((volume) => speaksTo(volume, { pod, audience, reader })))
    return undefined;
  const decision = authorizer?.authorize({
    type: "resource",
    user: request.user,
    verb: audienceVerb,
    group: "",
    version: "v1",
    resource: audience,
    subresource: "",
    namespace: request.namespace,
    name: request.name,
  });
  if (decision?.type === "allow") return undefined;
  return `audience ${JSON.stringify(audience)} not found in pod spec volume, ${request.user.name} is not authorized to request tokens for this audience`;
}

/** Whether the volume holds a token for the audience, or its driver asks for one. */
function speaksTo(
  volume: Volume,
  context: { readonly pod: Pod; readonly audience: string; readonly reader: Question["reader"] },
): boolean {
  const { pod, audience, reader } = context;
  const held = volume.projected?.sources?.some(
    ({ serviceAccountToken }) => serviceAccountToken && (serviceAccountToken.audience ?? "") === audience,
  );
  if (held) return true;
  const claim =
    volume.persistentVolumeClaim?.claimName ??
    (volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined);
  const driver = volume.csi?.driver ?? (claim === undefined ? undefined : driverOfClaim(claim, context));
  if (!driver) return false;
  const requests = reader.get(CSIDriver, { name: driver })?.spec.tokenRequests ?? [];
  return requests.some((request) => (request.audience ?? "") === audience);
}

function driverOfClaim(
  name: string,
  { pod, reader }: { readonly pod: Pod; readonly reader: Question["reader"] },
): string | undefined {
  const { namespace } = pod.metadata;
  const volume = reader.get(PersistentVolumeClaim, { namespace, name })?.spec.volumeName;
  return volume ? reader.get(PersistentVolume, { name: volume })?.spec.csi?.driver : undefined;
}
