import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { humanDuration } from "../common/duration.ts";
import { omit } from "../common/fill.ts";
import type { RequestContext } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { CertificateSigningRequest } from "../types/certificates-v1.ts";
import { ClusterTrustBundle as AlphaTrustBundle } from "../types/certificates-v1alpha1.ts";
import { ClusterTrustBundle } from "../types/certificates-v1beta1.ts";

import { validateConditionUpdate, withConditionTimes, withVerdictsOf } from "./conditions.ts";

const shortestSeconds = 600;

/** The rules of requests for certificates. */
export const certificateSigningRequestDefinition = defineResource<CertificateSigningRequest>({
  resource: CertificateSigningRequest,
  validate,
  validateUpdate: (request, old, { subresource }) => validateConditionUpdate(request, old, subresource),
  // Who asks is whoever sent the request.
  prepareForCreate: (request, { user }) => ({ ...request, spec: askedBy(request.spec, user) }),
  // What is asked for stays as it was first asked.
  prepareForUpdate: (request, old, { now }) => withConditionTimes({ ...request, spec: old.spec }, old, now),
  prepareForStatusUpdate: (request, old, { now }) =>
    withConditionTimes(withVerdictsOf(old, { ...request, spec: old.spec }), old, now),
  columns: [
    nameColumn,
    ageColumn,
    column("SignerName", "Who is asked to sign", { value: ({ spec }) => spec.signerName ?? "" }),
    column("Requestor", "Who asks", { value: ({ spec }) => spec.username ?? "" }),
    column("RequestedDuration", "How long the certificate should be valid", {
      value: ({ spec }) =>
        spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000),
    }),
    column("Condition", "What became of the request", { value: conditionText }),
  ],
  selectableFields: { "spec.signerName": ({ spec }) => spec.signerName ?? "" },
  tracksGeneration: false,
});

/** The rules of bundles of trusted certificates. */
export const clusterTrustBundleDefinition = defineResource<ClusterTrustBundle>({
  resource: ClusterTrustBundle,
  columns: [
    nameColumn,
    column("SignerName", "Whose certificates they are", { value: ({ spec }) => spec.signerName ?? "" }),
  ],
  selectableFields: { "spec.signerName": ({ spec }) => spec.signerName ?? "" },
  nameRule: "none",
});

/** The rules of bundles of trusted certificates, in the alpha version. */
export const alphaClusterTrustBundleDefinition = defineResource<AlphaTrustBundle>({
  resource: AlphaTrustBundle,
  columns: [
    nameColumn,
    column("SignerName", "Whose certificates they are", { value: ({ spec }) => spec.signerName ?? "" }),
  ],
  selectableFields: { "spec.signerName": ({ spec }) => spec.signerName ?? "" },
  nameRule: "none",
});

function askedBy(
  spec: CertificateSigningRequest["spec"],
  user: RequestContext["user"],
): CertificateSigningRequest["spec"] {
  const asked = omit(spec, "username", "uid", "groups", "extra");
  if (user === undefined) return asked;
  const { name: username, uid, groups, extra } = user;
  return { ...asked, username, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}

function validate({ spec }: CertificateSigningRequest): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  if (!spec.usages?.length) errors.push(fieldErrors.required(path.child("usages")));
  if (!spec.signerName) errors.push(fieldErrors.required(path.child("signerName")));
  else if (spec.signerName === "kubernetes.io/legacy-unknown") {
    const why = "the legacy signerName is not allowed via this API version";
    errors.push(fieldErrors.invalid(path.child("signerName"), spec.signerName, why));
  } else if (!spec.signerName.includes("/")) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(fieldErrors.invalid(path.child("signerName"), spec.signerName, why));
  }
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < shortestSeconds) {
    const why = "may not specify a duration less than 600 seconds (10 minutes)";
    errors.push(fieldErrors.invalid(path.child("expirationSeconds"), spec.expirationSeconds, why));
  }
  return errors;
}

function conditionText({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map(({ type }) => type));
  const verdict = types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending";
  const failed = types.has("Failed") ? ",Failed" : "";
  return `${verdict}${failed}${status?.certificate ? ",Issued" : ""}`;
}
