import { parseSigningRequest } from "../../api/index.ts";
import { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import { timestampOf } from "../../apimachinery/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import { settled, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";
import { clusterSigners, hasCondition, validityOf } from "./requests.ts";

/** How long certificates hold where nobody asks for less: a year. */
const usualLife: Milliseconds = 365 * 24 * 60 * 60 * 1000;

/** Issues the certificates of approved requests to the cluster's own signers; says so when a request is not what its signer signs. */
export function signingController({ client, clock, informers, settings }: ControllerContext): Controller {
  const requests = informers.informer(CertificateSigningRequest);
  return {
    name: "certificatesigningrequest-signing",
    watches: [watchItself(requests)],
    async reconcile(key) {
      const request = requests.get(key);
      const { signCertificate } = settings;
      if (!request || !signCertificate || request.status?.certificate) return settled;
      if (!hasCondition(request, "Approved") || hasCondition(request, "Failed")) return settled;
      const { signerName, usages = [], expirationSeconds } = request.spec;
      const judge = clusterSigners[signerName];
      if (!judge) return settled;
      const parsed = parseSigningRequest(request.spec.request);
      if (parsed.type === "unreadable") {
        throw new Error(`unable to parse csr ${JSON.stringify(key.name)}: ${parsed.why}`);
      }
      const now = clock.now();
      const problem = judge(parsed, usages);
      const status =
        problem === undefined
          ? {
              ...request.status,
              certificate: await signCertificate({
                request: request.spec.request ?? "",
                usages,
                ...validityOf({ expirationSeconds, now, usual: usualLife }),
              }),
            }
          : withFailure(request, { message: problem, now });
      await client.update(CertificateSigningRequest, { ...request, status }, { subresource: "status" });
      return settled;
    },
  };
}

function withFailure(
  { status }: CertificateSigningRequest,
  { message, now }: { readonly message: string; readonly now: Milliseconds },
): CertificateSigningRequest["status"] {
  const failure = {
    type: "Failed",
    status: "True",
    reason: "SignerValidationFailure",
    message,
    lastUpdateTime: timestampOf(now),
  };
  return { ...status, conditions: [...(status?.conditions ?? []), failure] };
}
