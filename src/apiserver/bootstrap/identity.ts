import { ApiError, microTimestampOf } from "../../apimachinery/index.ts";
import type { New } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { Lease } from "../../api/types/coordination-v1.ts";
import type { Clock, Logger, Milliseconds } from "../../base/index.ts";

const namespace = "kube-system";
const leaseDurationSeconds = 3_600;
const renewalInterval: Milliseconds = 10_000;
const base32 = "abcdefghijklmnopqrstuvwxyz234567";

/** `apiserver-` and the start of a hash of what tells this server from others, in base 32. */
export async function serverIdentity(hostname: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(hostname));
  let bits = "";
  for (const byte of new Uint8Array(digest).slice(0, 16)) bits += byte.toString(2).padStart(8, "0");
  const digits = bits.match(/.{1,5}/g) ?? [];
  return `apiserver-${digits.map((digit) => base32[Number.parseInt(digit.padEnd(5, "0"), 2)]).join("")}`;
}

/** Shows in a lease that this server lives, until the signal aborts. */
export async function runIdentityLease(
  options: {
    readonly client: Client;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly hostname: string;
    /** Tells this run of the server from the one before. */
    readonly instance: string;
  },
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, logger, hostname, instance } = options;
  const name = await serverIdentity(hostname);
  while (!signal.aborted) {
    const lease: New<Lease> = {
      metadata: {
        name,
        namespace,
        labels: { "apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": hostname },
      },
      spec: {
        holderIdentity: `${name}_${instance}`,
        leaseDurationSeconds,
        renewTime: microTimestampOf(clock.now()),
      },
    };
    try {
      await renew(client, lease, name);
    } catch (error) {
      logger.warn("The lease of the API server's identity could not be renewed", { error });
    }
    await clock.sleep(renewalInterval, signal).catch(() => undefined);
  }
}

async function renew(client: Client, lease: New<Lease>, name: string): Promise<void> {
  try {
    await client.patch(Lease, { namespace, name }, { type: "merge", body: lease });
  } catch (error) {
    if (!ApiError.is(error, "NotFound")) throw error;
    await client.create(Lease, lease);
  }
}
