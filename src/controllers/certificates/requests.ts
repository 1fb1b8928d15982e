import type { ParsedRequest } from "../../api/index.ts";
import type { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import type { Milliseconds } from "../../base/index.ts";

/** A request that can be read; that whoever asks has the key, the API server has checked. */
export type ReadableRequest = Omit<Extract<ParsedRequest, { readonly type: "request" }>, "proof">;

export const kubeletClientSigner = "kubernetes.io/kube-apiserver-client-kubelet";
const kubeletGroup = "system:nodes";
const kubeletPrefix = "system:node:";

/** Whether the request has the condition, and it is true. */
export const hasCondition = ({ status }: CertificateSigningRequest, type: string): boolean =>
  (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");

/** The signers that are the cluster itself, and why each refuses a request; undefined when it does not. */
export const clusterSigners: Readonly<
  Record<string, (request: ReadableRequest, usages: readonly string[]) => string | undefined>
> = {
  "kubernetes.io/kube-apiserver-client": (_request, usages) => clientUsageProblem(usages),
  [kubeletClientSigner]: kubeletClientProblem,
  "kubernetes.io/kubelet-serving": kubeletServingProblem,
  "kubernetes.io/legacy-unknown": () => undefined,
};

function clientUsageProblem(usages: readonly string[]): string | undefined {
  const known = ["client auth", "digital signature", "key encipherment"];
  const other = usages.find((usage) => !known.includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes("client auth")
    ? undefined
    : "missing required usage for client certificate: client auth";
}

/** Why the request is none for a kubelet's identity towards the API server. */
export function kubeletClientProblem(
  request: ReadableRequest,
  usages: readonly string[],
): string | undefined {
  if (!isKubeletGroup(request)) return "subject organization is not system:nodes";
  if (request.dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (request.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (request.ipAddresses > 0) return "IP subjectAltNames are not allowed";
  if (request.uris.length > 0) return "URI subjectAltNames are not allowed";
  if (!request.commonName.startsWith(kubeletPrefix)) {
    return "subject common name does not begin with system:node:";
  }
  return usageProblem(usages, "client auth");
}

function kubeletServingProblem(request: ReadableRequest, usages: readonly string[]): string | undefined {
  if (!isKubeletGroup(request)) return "subject organization is not system:nodes";
  if (request.dnsNames.length === 0 && request.ipAddresses === 0) {
    return "DNS or IP subjectAltName is required";
  }
  if (request.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (request.uris.length > 0) return "URI subjectAltNames are not allowed";
  const problem = usageProblem(usages, "server auth");
  if (problem !== undefined) return problem;
  return request.commonName.startsWith(kubeletPrefix)
    ? undefined
    : "subject common name does not begin with system:node:";
}

const isKubeletGroup = ({ organizations }: ReadableRequest): boolean =>
  organizations.length === 1 && organizations[0] === kubeletGroup;

/** Keys that are no RSA keys encipher nothing: kubelets leave that usage out for them. */
function usageProblem(usages: readonly string[], purpose: string): string | undefined {
  const asked = [...new Set(usages)].sort().join();
  const short = ["digital signature", purpose].sort();
  const long = [...short, "key encipherment"].sort();
  if (asked === short.join() || asked === long.join()) return undefined;
  return `usages did not match [${[purpose, "digital signature", "key encipherment"].sort().join(" ")}]`;
}

const minute: Milliseconds = 60_000;
/** Clocks of others may be behind: certificates begin earlier. */
const backdate = 5 * minute;
/** Certificates that live shorter than this do not end earlier for it. */
const shortLife = 8 * 60 * minute;
const shortestLife = 10 * minute;

/** From when to when a certificate holds: as long as asked for, but no longer than the signer's usual time. */
export function validityOf(options: {
  readonly expirationSeconds: number | undefined;
  readonly now: Milliseconds;
  readonly usual: Milliseconds;
}): { readonly notBefore: Milliseconds; readonly notAfter: Milliseconds } {
  const { expirationSeconds, now, usual } = options;
  const asked = expirationSeconds === undefined ? usual : expirationSeconds * 1000;
  const life = Math.min(Math.max(asked, shortestLife), usual);
  return { notBefore: now - backdate, notAfter: now + (life < shortLife ? life : life - backdate) };
}
