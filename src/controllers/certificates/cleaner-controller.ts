import { ignoreMissing } from "../../api/index.ts";
import { certificateEnd } from "../../api/index.ts";
import { CertificateSigningRequest } from "../../api/types/certificates-v1.ts";
import type { Milliseconds } from "../../base/index.ts";
import { again, settled, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";

const hour: Milliseconds = 60 * 60 * 1000;
const judgedLife = hour;
const pendingLife = 24 * hour;
/** How often requests are looked at. */
const period = hour;

/** Deletes requests that nobody needs any more. */
export function cleanerController({ client, clock, informers }: ControllerContext): Controller {
  const requests = informers.informer(CertificateSigningRequest);
  return {
    name: "certificatesigningrequest-cleaner",
    watches: [watchItself(requests)],
    async reconcile(key) {
      const request = requests.get(key);
      if (!request) return settled;
      if (!isOver(request, clock.now())) return again(period);
      await ignoreMissing(client.delete(CertificateSigningRequest, key));
      return settled;
    },
  };
}

/** Whether a request has waited, or its verdict stood, long enough; or its certificate has ended. */
export function isOver({ metadata, status }: CertificateSigningRequest, now: Milliseconds): boolean {
  const { conditions = [], certificate } = status ?? {};
  const olderThan = (time: string | undefined, life: Milliseconds) =>
    Boolean(time) && now - Date.parse(time ?? "") > life;
  if (conditions.length === 0) return olderThan(metadata.creationTimestamp, pendingLife);
  const end = certificate ? certificateEnd(certificate) : undefined;
  return conditions.some(({ type, lastUpdateTime }) => {
    if (type === "Approved" && !certificate) return false;
    if (type === "Approved" && end !== undefined && now > end) return true;
    return ["Approved", "Denied", "Failed"].includes(type) && olderThan(lastUpdateTime, judgedLife);
  });
}
