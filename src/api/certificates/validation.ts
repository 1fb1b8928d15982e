import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { validateSignerName } from "../common/signers.ts";
import type { CertificateSigningRequest } from "../types/certificates-v1.ts";
import { faultsOf, validateConditions, validateVerdicts } from "./conditions.ts";
import { pemBlocksOfBase64 } from "./pem.ts";
import { signatureProblem } from "./signature.ts";
import { parseSigningRequest } from "./signing-request.ts";
import { parseCertificate } from "./x509.ts";

const shortestSeconds = 600;
const legacySigner = "kubernetes.io/legacy-unknown";
const knownUsages = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];
const specPath = FieldPath.root("spec");
const certificatePath = FieldPath.root("status").child("certificate");

/** What is wrong with a new request. */
export const validateNew = (request: CertificateSigningRequest): readonly FieldError[] =>
  validate(request, undefined);

/** What is wrong with a changed request; what the old one had already is let through. */
export function validateChange(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  subresource: string | undefined,
): readonly FieldError[] {
  const errors = [
    ...validate(request, old),
    ...validateVerdicts(request, old, { mayGive: subresource === "approval" }),
  ];
  const [next, before] = [request.status?.certificate ?? "", old.status?.certificate ?? ""];
  if (next === before) return errors;
  if (subresource !== "status") {
    errors.push(fieldErrors.forbidden(certificatePath, "updates may not set certificate content"));
  } else if (before !== "") {
    errors.push(
      fieldErrors.forbidden(certificatePath, "updates may not modify existing certificate content"),
    );
  }
  return errors;
}

/** Whether the request was signed with the key that it is for. */
export async function verifySignature({ spec }: CertificateSigningRequest): Promise<readonly FieldError[]> {
  const parsed = parseSigningRequest(spec.request);
  const why = parsed.type === "unreadable" ? parsed.why : await signatureProblem(parsed.proof);
  return why === undefined ? [] : [fieldErrors.invalid(specPath.child("request"), spec.request, why)];
}

function validate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest | undefined,
): readonly FieldError[] {
  const { spec } = request;
  const errors: FieldError[] = [];
  const parsed = parseSigningRequest(spec.request);
  if (parsed.type === "unreadable") {
    errors.push(fieldErrors.invalid(specPath.child("request"), spec.request ?? "", parsed.why));
  }
  errors.push(...validateUsages(spec.usages ?? [], old?.spec.usages ?? []));
  const signer = spec.signerName ?? "";
  if (signer === legacySigner) {
    const why = "the legacy signerName is not allowed via this API version";
    if (old?.spec.signerName !== legacySigner) {
      errors.push(fieldErrors.invalid(specPath.child("signerName"), signer, why));
    }
  } else errors.push(...validateSignerName(signer, specPath.child("signerName")));
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < shortestSeconds) {
    const why = "may not specify a duration less than 600 seconds (10 minutes)";
    errors.push(fieldErrors.invalid(specPath.child("expirationSeconds"), spec.expirationSeconds, why));
  }
  errors.push(...validateConditions(request, faultsOf(old)));
  errors.push(...validateCertificate(request.status?.certificate ?? "", old?.status?.certificate));
  return errors;
}

function validateUsages(usages: readonly string[], old: readonly string[]): readonly FieldError[] {
  const path = specPath.child("usages");
  if (usages.length === 0) return [fieldErrors.required(path)];
  const errors: FieldError[] = [];
  if (old.every((usage) => knownUsages.includes(usage))) {
    for (const [index, usage] of usages.entries()) {
      if (knownUsages.includes(usage)) continue;
      errors.push(fieldErrors.notSupported(path.index(index), usage, knownUsages));
    }
  }
  if (new Set(old).size === old.length) {
    for (const [index, usage] of usages.entries()) {
      if (usages.indexOf(usage) < index) errors.push(fieldErrors.duplicate(path.index(index), usage));
    }
  }
  return errors;
}

function validateCertificate(certificate: string, old: string | undefined): readonly FieldError[] {
  const problem = certificate === old ? undefined : certificateProblem(certificate);
  if (problem === undefined || (old !== undefined && certificateProblem(old) !== undefined)) return [];
  // Certificates are not shown.
  return [fieldErrors.invalid(certificatePath, "<certificate data>", problem)];
}

function certificateProblem(certificate: string): string | undefined {
  if (certificate === "") return undefined;
  const blocks = pemBlocksOfBase64(certificate);
  for (const { type, hasHeaders, bytes } of blocks) {
    if (type !== "CERTIFICATE")
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (hasHeaders) return "no PEM block headers are permitted";
    if (bytes.length === 0) return "found CERTIFICATE PEM block containing 0 certificates";
    if (parseCertificate(bytes) === undefined) return "x509: malformed certificate";
  }
  return blocks.length === 0 ? "must contain at least one CERTIFICATE PEM block" : undefined;
}
