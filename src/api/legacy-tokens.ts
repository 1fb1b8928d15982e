import type { Milliseconds } from "../base/index.ts";

/** Says since when uses of secrets' tokens are written down. */
export const tokenTrackingMap = {
  namespace: "kube-system",
  name: "kube-apiserver-legacy-service-account-token-tracking",
};

/** On which day the token of a secret was last used. */
export const tokenLastUsedLabel = "kubernetes.io/legacy-token-last-used";

/** Since which day the token of a secret is refused. */
export const tokenInvalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";

/** The day of a time, as those labels hold it: `2026-01-31`. */
export const dayOf = (time: Milliseconds): string =>
  new Date(time).toISOString().slice(0, "2026-01-31".length);
