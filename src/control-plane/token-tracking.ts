import type { ObjectReader } from "../apiserver/index.ts";
import { dayOf, tokenLastUsedLabel, tokenTrackingMap } from "../api/index.ts";
import type { Client } from "../api/index.ts";
import { ConfigMap, Secret } from "../api/types/core-v1.ts";
import { ApiError, keyOf } from "../apimachinery/index.ts";
import type { Clock, Logger, Milliseconds } from "../base/index.ts";

const day: Milliseconds = 24 * 60 * 60 * 1000;

interface Parts {
  readonly reader: ObjectReader;
  readonly client: Client;
  readonly clock: Clock;
}

/** Keeps the note since when uses of secrets' tokens are written down, until the signal aborts. */
export async function keepTokenTracking(parts: Parts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const changed = nextChange(parts.reader, signal);
    await writeMap(parts);
    await changed;
  }
}

async function writeMap({ reader, client, clock }: Parts): Promise<void> {
  const map = reader.get(ConfigMap, tokenTrackingMap);
  const data = { since: dayOf(clock.now()) };
  try {
    if (!map) await client.create<ConfigMap>(ConfigMap, { metadata: tokenTrackingMap, data });
    else if (Number.isNaN(Date.parse(map.data?.["since"] ?? ""))) {
      await client.update(ConfigMap, { ...map, data: { ...map.data, ...data } });
    }
  } catch (error) {
    // Somebody else wrote it, or its namespace is not there yet: the next change tells.
    if (!(error instanceof ApiError)) throw error;
  }
}

/** Settles when the note has changed, or the signal aborts. */
function nextChange(reader: ObjectReader, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      end();
      signal.removeEventListener("abort", settle);
      resolve();
    };
    const end = reader.subscribe(ConfigMap, ({ object, old }) => {
      const { name, namespace } = (object ?? old)?.metadata ?? {};
      if (name === tokenTrackingMap.name && namespace === tokenTrackingMap.namespace) settle();
    });
    signal.addEventListener("abort", settle);
  });
}

/** Writes down on a secret on which day its token was last used. */
export function tokenUseNote(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}): (secret: Secret) => Promise<void> {
  const { client, clock, logger } = options;
  return async (secret) => {
    const now = clock.now();
    const noted = secret.metadata.labels?.[tokenLastUsedLabel];
    // Another server's clock may be ahead.
    if (noted === dayOf(now) || noted === dayOf(now + day)) return;
    const { uid } = secret.metadata;
    const body = { metadata: { uid, labels: { [tokenLastUsedLabel]: dayOf(now) } } };
    try {
      await client.patch(Secret, keyOf(secret), { type: "merge", body });
    } catch (error) {
      logger.warn("The use of a service account token could not be noted", { error });
    }
  };
}
