import {
  dayOf,
  podReferences,
  tokenInvalidSinceLabel,
  tokenLastUsedLabel,
  tokenTrackingMap,
} from "../../api/index.ts";
import { ConfigMap, Pod, Secret, ServiceAccount } from "../../api/types/core-v1.ts";
import { ApiError, keyOf } from "../../apimachinery/index.ts";
import type { Milliseconds } from "../../base/index.ts";
import { again, watchOnlyUntilSynced } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";
import { isTokenOf, tokenSecretType } from "../serviceaccount/index.ts";

const day: Milliseconds = 24 * 60 * 60 * 1000;
/** How long a token must have been unused before it is marked, and again before it goes. */
const cleanUpPeriod = 365 * day;
const syncInterval = day;

/** What to do with a token secret that its account was given by the cluster. */
export type Verdict =
  | { readonly type: "keep" | "delete" }
  | { readonly type: "mark"; readonly since: string };

/** Marks secrets with tokens that nobody used for a year as invalid, and deletes them a year later. */
export function legacyTokenCleaner({ client, clock, informers }: ControllerContext): Controller {
  const secrets = informers.informer(Secret);
  const accounts = informers.informer(ServiceAccount);
  const pods = informers.informer(Pod);

  const clean = async (secret: Secret): Promise<void> => {
    const { namespace, name, resourceVersion, uid } = secret.metadata;
    const isMounted = () => pods.list(namespace).some((pod) => podReferences(pod.spec).secrets.has(name));
    const isReferred = accounts
      .list(namespace)
      .some(
        (account) =>
          isTokenOf(secret, account) && (account.secrets ?? []).some((reference) => reference.name === name),
      );
    const verdict = judgeSecret(secret, clock.now());
    if (verdict.type === "keep" || !isReferred || isMounted()) return;
    const key = keyOf(secret);
    try {
      if (verdict.type === "mark") {
        const body = { metadata: { uid, labels: { [tokenInvalidSinceLabel]: verdict.since } } };
        await client.patch(Secret, key, { type: "merge", body });
      } else {
        await client.delete(Secret, key, { preconditions: { resourceVersion } });
      }
    } catch (error) {
      if (!ApiError.is(error, "Conflict") && !ApiError.is(error, "NotFound")) throw error;
    }
  };

  return {
    name: "legacy-serviceaccount-token-cleaner",
    workers: 1,
    watches: [
      watchOnlyUntilSynced(secrets),
      watchOnlyUntilSynced(accounts),
      watchOnlyUntilSynced(pods),
      {
        whenSynced: async () => undefined,
        connect(wake) {
          wake(tokenTrackingMap);
          return () => undefined;
        },
      },
    ],
    async reconcile() {
      const map = await client.get(ConfigMap, tokenTrackingMap);
      const since = Date.parse(map.data?.["since"] ?? "");
      if (clock.now() < since + day + cleanUpPeriod || Number.isNaN(since)) return again(syncInterval);
      for (const secret of secrets.list()) {
        if (secret.type === tokenSecretType) await clean(secret);
      }
      return again(syncInterval);
    },
  };
}

/** What an unmounted secret's age and labels say. */
export function judgeSecret({ metadata }: Secret, now: Milliseconds): Verdict {
  const keep: Verdict = { type: "keep" };
  const oldest = now - cleanUpPeriod;
  if (metadata.deletionTimestamp !== undefined || Date.parse(metadata.creationTimestamp) >= oldest)
    return keep;
  const { [tokenLastUsedLabel]: lastUsed, [tokenInvalidSinceLabel]: invalidSince } = metadata.labels ?? {};
  if (lastUsed !== undefined && (!isDate(lastUsed) || lastUsed >= dayOf(oldest))) return keep;
  if (!isDate(invalidSince)) return { type: "mark", since: dayOf(now) };
  return invalidSince < dayOf(oldest) ? { type: "delete" } : keep;
}

const isDate = (text: string | undefined): text is string =>
  text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
