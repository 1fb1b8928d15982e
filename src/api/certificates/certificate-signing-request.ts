import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { humanDuration } from "../common/duration.ts";
import { omit } from "../common/fill.ts";
import type { RequestContext } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { CertificateSigningRequest } from "../types/certificates-v1.ts";
import { withConditionTimes, withVerdictsOf } from "./conditions.ts";
import { validateChange, validateNew, verifySignature } from "./validation.ts";

/** The rules of requests for certificates. */
export const certificateSigningRequestDefinition = defineResource<CertificateSigningRequest>({
  resource: CertificateSigningRequest,
  nameRule: "none",
  validateCreate: validateNew,
  validateUpdate: (request, old, { subresource }) => validateChange(request, old, subresource),
  verify: verifySignature,
  repeatedMetadataChecks: ["whole", "change"],
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

function askedBy(
  spec: CertificateSigningRequest["spec"],
  user: RequestContext["user"],
): CertificateSigningRequest["spec"] {
  const asked = omit(spec, "username", "uid", "groups", "extra");
  if (user === undefined) return asked;
  const { name: username, uid, groups, extra } = user;
  return { ...asked, username, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}

function conditionText({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map(({ type }) => type));
  const verdict = types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending";
  const failed = types.has("Failed") ? ",Failed" : "";
  return `${verdict}${failed}${status?.certificate ? ",Issued" : ""}`;
}
