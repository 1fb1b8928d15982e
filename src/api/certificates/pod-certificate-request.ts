import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Subdomain, omittedValue } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fillMissing } from "../common/fill.ts";
import { immutableValue } from "../common/internal-value.ts";
import { onlyStatus } from "../common/metadata.ts";
import { isKubernetesSigner, validateSignerName, validateUserAnnotations } from "../common/signers.ts";
import { updateChecks } from "../common/updates.ts";
import { fromBase64Bytes } from "../core/data.ts";
import { defineResource } from "../definition.ts";
import { PodCertificateRequest } from "../types/certificates-v1beta1.ts";
import { validatePodCertificateStatus } from "./pod-certificate-status.ts";
import { isProven, signatureProblem } from "./signature.ts";
import { parseBase64Request } from "./signing-request.ts";
import { keyAlgorithms, keyCurves, publicKeyType } from "./x509.ts";

type Spec = PodCertificateRequest["spec"];

const oneDay = 86_400;
const expirations = { shortest: 3600, longest: 7_862_400, longestOfKubernetes: oneDay };
const longestIdentity = 128;
const mostBytes = 10 * 1024;
const rsaSizes = [3072, 4096];
const specPath = FieldPath.root("spec");

/** The rules of pods' requests for certificates. */
export const podCertificateRequestDefinition = defineResource<PodCertificateRequest>({
  resource: PodCertificateRequest,
  requiresVersion: true,
  tracksGeneration: false,
  defaults: (request) => ({ ...request, spec: fillMissing(request.spec, { maxExpirationSeconds: oneDay }) }),
  validateCreate: ({ spec }) => validate(spec),
  verify: verifyProof,
  validateUpdate: updateChecks({
    other: ({ spec }, old) =>
      immutableValue(specPath, {
        next: spec,
        old: old.spec,
        type: "io.k8s.api.certificates.v1beta1.PodCertificateRequestSpec",
      }),
    status: (request, old, { now }) => validatePodCertificateStatus(request, old, now),
  }),
  prepareForStatusUpdate: onlyStatus,
  columns: [
    nameColumn,
    column("PodName", "The pod that asks", { value: ({ spec }) => spec.podName ?? "" }),
    column("ServiceAccountName", "The pod's service account", {
      value: ({ spec }) => spec.serviceAccountName ?? "",
    }),
    column("NodeName", "The pod's node", { value: ({ spec }) => spec.nodeName ?? "" }),
    column("SignerName", "Who is asked to sign", { value: ({ spec }) => spec.signerName ?? "" }),
    column("State", "What became of the request", { value: state }),
    ageColumn,
  ],
  selectableFields: {
    "spec.signerName": ({ spec }) => spec.signerName ?? "",
    "spec.podName": ({ spec }) => spec.podName ?? "",
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
  },
});

function state({ status }: PodCertificateRequest): string {
  return (
    status.conditions?.find(({ type }) => ["Issued", "Denied", "Failed"].includes(type))?.type ?? "Pending"
  );
}

function validate(spec: Spec): FieldError[] {
  const errors = [
    ...validateSignerName(spec.signerName ?? "", specPath.child("signerName")),
    ...validateUserAnnotations(
      spec.unverifiedUserAnnotations ?? {},
      specPath.child("unverifiedUserAnnotations"),
    ),
    ...(["pod", "serviceAccount", "node"] as const).flatMap((who) => validateIdentity(spec, who)),
  ];
  const { maxExpirationSeconds } = spec;
  const path = specPath.child("maxExpirationSeconds");
  if (maxExpirationSeconds === undefined) return [...errors, fieldErrors.required(path, "must be set")];
  const { shortest, longest, longestOfKubernetes } = expirations;
  const most = isKubernetesSigner(spec.signerName ?? "") ? longestOfKubernetes : longest;
  if (maxExpirationSeconds < shortest || maxExpirationSeconds > most) {
    errors.push(
      fieldErrors.invalid(path, maxExpirationSeconds, `must be in the range [${shortest}, ${most}]`),
    );
  }
  return [...errors, ...validateKey(spec)];
}

function validateIdentity(spec: Spec, who: "pod" | "serviceAccount" | "node"): FieldError[] {
  const [name, identity] = [spec[`${who}Name`] ?? "", spec[`${who}UID`] ?? ""];
  const path = specPath.child(`${who}UID`);
  const errors = invalidFor(specPath.child(`${who}Name`), name, isDNS1123Subdomain(name));
  if (identity === "") errors.push(fieldErrors.invalid(path, identity, "must not be empty"));
  if (identity.length > longestIdentity) errors.push(fieldErrors.tooLong(path, longestIdentity));
  return errors;
}

/** Checks what kind of key the request is for; whether the sender has it, is told by `verifyProof`. */
function validateKey(spec: Spec): FieldError[] {
  for (const field of ["pkixPublicKey", "proofOfPossession", "stubPKCS10Request"] as const) {
    const bytes = fromBase64Bytes(spec[field] ?? "");
    if (bytes !== undefined && bytes.length > mostBytes) {
      return [fieldErrors.tooLong(specPath.child(field), mostBytes)];
    }
  }
  if (!spec.stubPKCS10Request) {
    return keyProblem(fromBase64Bytes(spec.pkixPublicKey ?? ""), {
      path: specPath.child("pkixPublicKey"),
      shown: spec.pkixPublicKey ?? "",
    });
  }
  const path = specPath.child("stubPKCS10Request");
  const parsed = parseBase64Request(spec.stubPKCS10Request);
  if (parsed.type === "unreadable") {
    return [fieldErrors.invalid(path, omittedValue, "must be a valid PKCS#10 certificate signing request")];
  }
  return keyProblem(parsed.proof.publicKey, { path, shown: spec.stubPKCS10Request });
}

function keyProblem(
  key: Uint8Array | undefined,
  { path, shown }: { readonly path: FieldPath; readonly shown: string },
): FieldError[] {
  const type = key && publicKeyType(key);
  if (type === undefined) {
    return [fieldErrors.invalid(path, shown, "must be a valid PKIX-serialized public key")];
  }
  switch (type.algorithm) {
    case keyAlgorithms.ed25519:
      return [];
    case keyAlgorithms.ecdsa: {
      if (Object.values(keyCurves).includes(type.curve)) return [];
      const why = "elliptic public keys must use curve P256 or P384";
      return [fieldErrors.invalid(path, "curve P-224", why)];
    }
    case keyAlgorithms.rsa: {
      if (rsaSizes.includes(type.bits)) return [];
      const why = "RSA keys must have modulus size 3072 or 4096";
      return [fieldErrors.invalid(path, `${type.bits}-bit modulus`, why)];
    }
    default: {
      const why = "unknown public key type; supported types are Ed25519, ECDSA, and RSA";
      return [fieldErrors.invalid(path, shown, why)];
    }
  }
}

async function verifyProof({ spec }: PodCertificateRequest): Promise<readonly FieldError[]> {
  const why = "could not verify proof-of-possession signature";
  if (spec.stubPKCS10Request) {
    const parsed = parseBase64Request(spec.stubPKCS10Request);
    const isSigned = parsed.type === "request" && (await signatureProblem(parsed.proof)) === undefined;
    return isSigned ? [] : [fieldErrors.invalid(specPath.child("stubPKCS10Request"), omittedValue, why)];
  }
  const [publicKey, signature] = [spec.pkixPublicKey, spec.proofOfPossession].map(
    (base64) => fromBase64Bytes(base64 ?? "") ?? new Uint8Array(),
  );
  const signed = new TextEncoder().encode(spec.podUID);
  if (publicKey && signature && (await isProven({ publicKey, signature, signed }))) return [];
  return [fieldErrors.invalid(specPath.child("proofOfPossession"), omittedValue, why)];
}
