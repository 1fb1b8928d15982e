import { unlessMissing } from "../../api/index.ts";
import { microTimestampOf } from "../../apimachinery/index.ts";
import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import type { Client } from "../../api/index.ts";
import { Lease } from "../../api/types/coordination-v1.ts";
import { Node } from "../../api/types/core-v1.ts";

const renewInterval: Milliseconds = 10_000;
const retryInterval: Milliseconds = 1000;
const leaseSeconds = 40;
const namespace = "kube-node-lease";

export interface LeaseOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
}

/** Renews the node's lease, by which the control plane knows that the node lives. */
export async function keepLease(options: LeaseOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger } = options;
  let lease: Lease | undefined;
  while (!signal.aborted) {
    let delay = renewInterval;
    try {
      lease = await renew(options, lease);
    } catch (error) {
      lease = undefined;
      delay = retryInterval;
      if (!signal.aborted) logger.debug("cannot renew the node's lease", { error });
    }
    await clock.sleep(delay, signal).catch(() => undefined);
  }
}

async function renew({ client, clock, nodeName }: LeaseOptions, known: Lease | undefined): Promise<Lease> {
  const key = { namespace, name: nodeName };
  const renewTime = microTimestampOf(clock.now());
  const spec = { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime };
  const current = known ?? (await unlessMissing(client.get(Lease, key)));
  if (current) return client.update(Lease, { ...current, spec: { ...current.spec, ...spec } });
  const node = await client.get(Node, { name: nodeName });
  const owner = { apiVersion: "v1", kind: "Node", name: nodeName, uid: node.metadata.uid ?? "" };
  return client.create(Lease, { metadata: { ...key, ownerReferences: [owner] }, spec });
}
