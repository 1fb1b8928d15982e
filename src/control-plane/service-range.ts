import { timestampOf } from "../apimachinery/index.ts";
import type { Clock } from "../base/index.ts";
import { ApiError } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { ServiceCIDR } from "../api/types/networking-v1.ts";

const name = "kubernetes";

/** Shows the cluster's range of service addresses as the ServiceCIDR `kubernetes`, ready to hand out addresses. */
export async function publishServiceRange(
  client: Client,
  { range, clock }: { readonly range: string; readonly clock: Clock },
): Promise<void> {
  try {
    await client.create(ServiceCIDR, { metadata: { name }, spec: { cidrs: [range] } });
  } catch (error) {
    // An earlier start has made it.
    if (ApiError.is(error, "AlreadyExists")) return;
    throw error;
  }
  const ready = {
    type: "Ready",
    status: "True",
    reason: "",
    message: "Kubernetes default Service CIDR is ready",
    lastTransitionTime: timestampOf(clock.now()),
  };
  const body = { status: { conditions: [ready] } };
  await client.patch(ServiceCIDR, { name }, { type: "merge", body }, { subresource: "status" });
}
