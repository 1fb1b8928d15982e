import { parseSigningRequest } from "../../api/index.ts";
import { SubjectAccessReview } from "../../api/types/authorization-v1.ts";
import { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import { settled, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";
import { hasCondition, kubeletClientProblem, kubeletClientSigner } from "./requests.ts";
import type { ReadableRequest } from "./requests.ts";

const group = "certificates.k8s.io";

/** Who asks for a kubelet's identity, and what that takes. */
const recognizers = [
  {
    recognizes: (request: CertificateSigningRequest, parsed: ReadableRequest) =>
      request.spec.username === parsed.commonName,
    subresource: "selfnodeclient",
    message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
  },
  {
    recognizes: () => true,
    subresource: "nodeclient",
    message: "Auto approving kubelet client certificate after SubjectAccessReview.",
  },
] as const;

/** Approves kubelets' requests for their identity, where roles say that they may ask. */
export function approvingController({ client, informers }: ControllerContext): Controller {
  const requests = informers.informer(CertificateSigningRequest);

  const mayAsk = async (request: CertificateSigningRequest, subresource: string): Promise<boolean> => {
    const { username: user, uid, groups, extra } = request.spec;
    const review = await client.create<SubjectAccessReview>(SubjectAccessReview, {
      metadata: {},
      spec: {
        ...(user === undefined ? {} : { user }),
        ...(uid === undefined ? {} : { uid }),
        ...(groups === undefined ? {} : { groups }),
        ...(extra === undefined ? {} : { extra }),
        resourceAttributes: { group, resource: "certificatesigningrequests", verb: "create", subresource },
      },
    });
    return review.status?.allowed ?? false;
  };

  return {
    name: "certificatesigningrequest-approving",
    watches: [watchItself(requests)],
    async reconcile(key) {
      const request = requests.get(key);
      if (!request || request.status?.certificate || request.spec.signerName !== kubeletClientSigner) {
        return settled;
      }
      if (hasCondition(request, "Approved") || hasCondition(request, "Denied")) return settled;
      const parsed = parseSigningRequest(request.spec.request);
      if (parsed.type === "unreadable") {
        throw new Error(`unable to parse csr ${JSON.stringify(key.name)}: ${parsed.why}`);
      }
      if (kubeletClientProblem(parsed, request.spec.usages ?? []) !== undefined) return settled;
      for (const { recognizes, subresource, message } of recognizers) {
        if (!recognizes(request, parsed) || !(await mayAsk(request, subresource))) continue;
        const approval = { type: "Approved", status: "True", reason: "AutoApproved", message };
        const conditions = [...(request.status?.conditions ?? []), approval];
        await client.update(
          CertificateSigningRequest,
          { ...request, status: { ...request.status, conditions } },
          { subresource: "approval" },
        );
        return settled;
      }
      return settled;
    },
  };
}
