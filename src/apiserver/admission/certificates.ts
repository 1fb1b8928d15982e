import { parseSigningRequest, semanticallyEqual } from "../../api/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import { ClusterTrustBundle, PodCertificateRequest } from "../../api/types/certificates-v1beta1.ts";
import { ApiError, FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { refused } from "./request.ts";

const clientSigner = "kubernetes.io/kube-apiserver-client";

/** Whether the user may do it for the signer, or for all signers of its domain. */
function mayForSigner(
  authorizer: Authorizer,
  asked: { readonly user: UserInfo; readonly verb: string; readonly signer: string },
): boolean {
  const { user, verb, signer } = asked;
  return [signer, `${signer.split("/")[0] ?? ""}/*`].some((name) => {
    const decision = authorizer.authorize({
      type: "resource",
      user,
      verb,
      group: "certificates.k8s.io",
      version: "*",
      resource: "signers",
      subresource: "",
      namespace: "",
      name,
    });
    return decision.type === "allow";
  });
}

const signerOf = (request: AdmissionRequest): string =>
  (request.old as CertificateSigningRequest | PodCertificateRequest | undefined)?.spec.signerName ?? "";

/** Requests are approved by those who may approve for their signer. */
export const certificateApproval = (authorizer: Authorizer): AdmissionPlugin => ({
  name: "CertificateApproval",
  operations: ["UPDATE"],
  resources: [CertificateSigningRequest],
  validate(request) {
    if (request.subresource !== "approval") return;
    const signer = signerOf(request);
    if (mayForSigner(authorizer, { user: request.user, verb: "approve", signer })) return;
    throw refused(
      request,
      `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`,
    );
  },
});

/** Certificates are issued by those who may sign for the request's signer. */
export const certificateSigning = (authorizer: Authorizer): AdmissionPlugin => ({
  name: "CertificateSigning",
  operations: ["UPDATE"],
  resources: [CertificateSigningRequest, PodCertificateRequest],
  validate(request) {
    if (request.subresource !== "status") return;
    if (request.object?.kind === PodCertificateRequest.kind) checkPodSigner(authorizer, request);
    else checkSigner(authorizer, request);
  },
});

function checkSigner(authorizer: Authorizer, request: AdmissionRequest): void {
  const { status } = request.object as CertificateSigningRequest;
  const { status: before } = request.old as CertificateSigningRequest;
  const same =
    (status?.certificate ?? "") === (before?.certificate ?? "") &&
    semanticallyEqual(status?.conditions, before?.conditions);
  const signer = signerOf(request);
  if (same || mayForSigner(authorizer, { user: request.user, verb: "sign", signer })) return;
  throw refused(request, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`);
}

/** What becomes of pods' requests is their signers' to say; upstream tells others so as a fault of the object. */
function checkPodSigner(authorizer: Authorizer, request: AdmissionRequest): void {
  const { user, object, old, name } = request;
  const signer = signerOf(request);
  const [next, before] = [object, old].map((given) => (given as PodCertificateRequest | undefined)?.status);
  if (semanticallyEqual(next, before) || mayForSigner(authorizer, { user, verb: "sign", signer })) return;
  const why = `User ${JSON.stringify(user.name)} is not permitted to "sign" for signer ${JSON.stringify(signer)}`;
  throw ApiError.invalid(PodCertificateRequest, name, [
    fieldErrors.forbidden(FieldPath.root("spec").child("signerName"), why),
  ]);
}

/** Bundles of a signer are published by those who may attest for it. */
export const clusterTrustBundleAttest = (authorizer: Authorizer): AdmissionPlugin => ({
  name: "ClusterTrustBundleAttest",
  operations: ["CREATE", "UPDATE"],
  resources: [ClusterTrustBundle],
  validate(request) {
    const bundle = request.object as ClusterTrustBundle | undefined;
    const signer = bundle?.spec.signerName;
    if (!bundle || !signer) return;
    if (request.old && sameButForCollection(bundle, request.old as ClusterTrustBundle)) return;
    if (mayForSigner(authorizer, { user: request.user, verb: "attest", signer })) return;
    throw refused(request, `user not permitted to attest for signerName ${JSON.stringify(signer)}`);
  },
});

/** Whether no more changes than what garbage collection and storage migration write. */
function sameButForCollection(bundle: ClusterTrustBundle, old: ClusterTrustBundle): boolean {
  const rest = (value: ClusterTrustBundle) => ({
    ...value,
    metadata: {
      ...value.metadata,
      ownerReferences: undefined,
      finalizers: undefined,
      managedFields: undefined,
      resourceVersion: undefined,
    },
  });
  return semanticallyEqual(rest(bundle), rest(old));
}

/** Nobody becomes an administrator by a certificate that the cluster signs on request. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  operations: ["CREATE"],
  resources: [CertificateSigningRequest],
  validate(request) {
    const asked = request.object as CertificateSigningRequest | undefined;
    if (request.subresource !== "" || asked?.spec.signerName !== clientSigner) return;
    const parsed = parseSigningRequest(asked.spec.request);
    if (parsed.type === "unreadable") throw refused(request, `failed to parse CSR: ${parsed.why}`);
    if (!parsed.organizations.includes("system:masters")) return;
    throw refused(request, `use of ${clientSigner} signer with system:masters group is not allowed`);
  },
};
