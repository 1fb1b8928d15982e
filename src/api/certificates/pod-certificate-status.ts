import type { FieldError } from "../../apimachinery/index.ts";
import { byteLength, FieldPath, fieldErrors, omittedValue } from "../../apimachinery/index.ts";
import { validateConditions } from "../common/conditions.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { fromBase64Bytes } from "../core/data.ts";
import type { PodCertificateRequest } from "../types/certificates-v1beta1.ts";
import { pemBlocks } from "./pem.ts";
import type { PemBlock } from "./pem.ts";
import { parseBase64Request } from "./signing-request.ts";
import { parseCertificate } from "./x509.ts";
import type { ParsedCertificate } from "./x509.ts";

type Status = PodCertificateRequest["status"];

const outcomes = ["Issued", "Denied", "Failed"];
const longestChain = 100 * 1024;
const minute = 60_000;
const mostSkew = 5 * minute;
const refreshMargin = 10 * minute;
const shortestLife = 60 * minute;
const nanoseconds = 1e6;
const path = FieldPath.root("status");
const chainPath = path.child("certificateChain");

/** What is wrong with what became of a request: once it is issued, denied or has failed, that is final. */
export function validatePodCertificateStatus(
  request: PodCertificateRequest,
  old: PodCertificateRequest,
  now: number,
): readonly FieldError[] {
  const { status } = request;
  const errors = [
    ...validateOutcomes(status),
    ...validateConditions(status.conditions, path.child("conditions")),
  ];
  if (errors.length > 0) return errors;
  if (outcomes.some((type) => has(old.status, type))) {
    const why = "immutable after PodCertificateRequest is issued, denied, or failed";
    return same(status, old.status, why);
  }
  if (has(status, "Denied") || has(status, "Failed")) {
    const why = "non-condition status fields must be empty when denying or failing the PodCertificateRequest";
    return same(status, status.conditions ? { conditions: status.conditions } : {}, why);
  }
  if (has(status, "Issued")) return validateIssued(request, now);
  return same(
    status,
    old.status,
    'status is immutable unless transitioning to "Issued", "Denied", or "Failed"',
  );
}

const has = (status: Status | undefined, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");

function same(status: Status, wanted: Status | undefined, why: string): readonly FieldError[] {
  return semanticallyEqual(status, wanted ?? {}) ? [] : [fieldErrors.invalid(path, omittedValue, why)];
}

function validateOutcomes({ conditions }: Status): FieldError[] {
  let known = 0;
  return (conditions ?? []).flatMap(({ type, status }, index) => {
    // Upstream's paths have the index as if it were a field.
    const at = path.child("conditions", `[${index}]`);
    if (!outcomes.includes(type)) return [fieldErrors.notSupported(at.child("type"), type, outcomes)];
    const errors: FieldError[] = [];
    if (++known > 1) {
      const why = 'There may be at most one condition with type "Issued", "Denied", or "Failed"';
      errors.push(fieldErrors.invalid(at.child("type"), type, why));
    }
    if (status !== "True") errors.push(fieldErrors.notSupported(at.child("status"), status, ["True"]));
    return errors;
  });
}

function validateIssued(request: PodCertificateRequest, now: number): readonly FieldError[] {
  const chain = request.status.certificateChain ?? "";
  if (byteLength(chain) > longestChain) {
    return [fieldErrors.tooLong(chainPath, longestChain)];
  }
  const refused = (why: string) => [fieldErrors.invalid(chainPath, chain, why)];
  const [leafBlock, ...others] = pemBlocks(chain);
  if (!leafBlock) return refused("issued certificate chain must contain at least one certificate");
  if (leafBlock.type !== "CERTIFICATE") {
    return refused("issued certificate chain must consist entirely of CERTIFICATE PEM blocks");
  }
  const leaf = parseCertificate(leafBlock.bytes);
  if (!leaf) return refused("leaf certificate does not parse as valid X.509");
  const named = validateNames(leaf);
  const key = keyOf(request);
  if (key === undefined || String(key) !== String(leaf.publicKey)) {
    return [...named, ...refused("leaf certificate was not issued to the requested public key")];
  }
  const timed = [...named, ...missingTimes(request.status)];
  if (timed.length > 0) return timed;
  const wrong = validateTimes(request, leaf, now);
  if (wrong.length > 0) return wrong;
  const problem = others.map(intermediateProblem).find((found) => found !== undefined);
  return problem === undefined ? [] : refused(problem);
}

function keyOf({ spec }: PodCertificateRequest): Uint8Array | undefined {
  if (!spec.stubPKCS10Request) return fromBase64Bytes(spec.pkixPublicKey ?? "");
  const parsed = parseBase64Request(spec.stubPKCS10Request);
  return parsed.type === "request" ? parsed.proof.publicKey : undefined;
}

function validateNames({ names }: ParsedCertificate): FieldError[] {
  const told = (name: string, why: string) => fieldErrors.invalid(chainPath, name, why);
  return [
    ...names.dnsNames.flatMap((name) => [
      ...(name === "" ? [told(name, "leaf certificate should not contain empty DNSName")] : []),
      ...(name.includes("..") ? [told(name, "leaf certificate's DNSName should not contain '..'")] : []),
      ...(name.startsWith(".") || name.endsWith(".")
        ? [told(name, "leaf certificate's DNSName should not start or end with '.'")]
        : []),
    ]),
    ...names.emailAddresses
      .filter((address) => !/^[^\s@<>]+@[^\s@<>]+$/.test(address))
      .map((address) => told(address, "leaf certificate should not contain invalid EmailAddress")),
  ];
}

function missingTimes(status: Status): FieldError[] {
  const consistent = "must be present and consistent with the issued certificate";
  const refresh = "must be present and in the range [notbefore+10min, notafter-10min]";
  const wanted = { notBefore: consistent, notAfter: consistent, beginRefreshAt: refresh } as const;
  return (["notBefore", "notAfter", "beginRefreshAt"] as const)
    .filter((field) => !status[field])
    .map((field) => fieldErrors.required(path.child(field), wanted[field]));
}

function validateTimes(
  { spec, status }: PodCertificateRequest,
  leaf: ParsedCertificate,
  now: number,
): readonly FieldError[] {
  const [notBefore, notAfter, refresh] = [status.notBefore, status.notAfter, status.beginRefreshAt].map(
    (time) => Date.parse(time ?? ""),
  ) as [number, number, number];
  const refused = (field: "notBefore" | "notAfter" | "beginRefreshAt", why: string) => [
    fieldErrors.invalid(path.child(field), status[field], why),
  ];
  if (notBefore !== leaf.notBefore) {
    return refused("notBefore", "must be set to the NotBefore time encoded in the leaf certificate");
  }
  if (Math.abs(notBefore - now) >= mostSkew) {
    return refused("notBefore", "must be set to within 5 minutes of kube-apiserver's current time");
  }
  if (notAfter !== leaf.notAfter) {
    return refused("notAfter", "must be set to the NotAfter time encoded in the leaf certificate");
  }
  const life = leaf.notAfter - leaf.notBefore;
  const most = spec.maxExpirationSeconds ?? 0;
  if (life < shortestLife) {
    const why = "leaf certificate lifetime must be >= 1 hour";
    return [fieldErrors.invalid(chainPath, life * nanoseconds, why)];
  }
  if (life > most * 1000) {
    const why = `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${most})`;
    return [fieldErrors.invalid(chainPath, life * nanoseconds, why)];
  }
  if (refresh < notBefore + refreshMargin) {
    return refused("beginRefreshAt", "must be at least 10 minutes after status.notBefore");
  }
  if (refresh > notAfter - refreshMargin) {
    return refused("beginRefreshAt", "must be at least 10 minutes before status.notAfter");
  }
  return [];
}

function intermediateProblem({ type, bytes }: PemBlock): string | undefined {
  // Upstream misspells the word here.
  if (type !== "CERTIFICATE") {
    return "issued certificate chain must consist entirely of CERTFICATE PEM blocks";
  }
  return parseCertificate(bytes) ? undefined : "intermediate certificate does not parse as valid X.509";
}
