import { timestampOf } from "../apimachinery/index.ts";
import type { Clock, Logger } from "../base/index.ts";
import { ApiError } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import type { ObjectReader } from "../apiserver/index.ts";
import { ServiceCIDR } from "../api/types/networking-v1.ts";

const name = "kubernetes";
/** How soon the object comes back when someone has removed it. */
const interval = 10_000;

/**
 * Shows the cluster's ranges of service addresses as the ServiceCIDR `kubernetes`, ready to hand out addresses. One that
 * says otherwise stays as it is, but that it may gain the second range.
 */
export async function publishServiceRange(
  client: Client,
  { ranges, clock }: { readonly ranges: readonly string[]; readonly clock: Clock },
): Promise<void> {
  let present = await publish(client, ranges);
  const cidrs = present.spec?.cidrs ?? [];
  if (ranges.length === 2 && cidrs.length === 1 && cidrs[0] === ranges[0]) {
    present = await client.update<ServiceCIDR>(ServiceCIDR, { ...present, spec: { cidrs: ranges } });
  }
  const known = present.status?.conditions?.some(({ type }) => type === "Ready");
  if (known || !sameRanges(present.spec?.cidrs, ranges)) return;
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

/** Makes the ServiceCIDR `kubernetes` anew whenever it is gone, until the signal aborts. */
export async function keepServiceRange(
  options: {
    readonly client: Client;
    readonly reader: ObjectReader;
    readonly ranges: readonly string[];
    readonly clock: Clock;
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { client, reader, clock, logger } = options;
  while (!signal.aborted) {
    await clock.sleep(interval, signal).catch(() => undefined);
    if (signal.aborted || reader.get(ServiceCIDR, { name })) continue;
    try {
      await publishServiceRange(client, options);
    } catch (error) {
      logger.warn("The range of service addresses could not be made anew", { error });
    }
  }
}

async function publish(client: Client, ranges: readonly string[]): Promise<ServiceCIDR> {
  try {
    return await client.create(ServiceCIDR, { metadata: { name }, spec: { cidrs: ranges } });
  } catch (error) {
    // An earlier start has made it.
    if (!ApiError.is(error, "AlreadyExists")) throw error;
    return client.get(ServiceCIDR, { name });
  }
}

const sameRanges = (one: readonly string[] = [], other: readonly string[]) =>
  one.length === other.length && one.every((range, index) => range === other[index]);
