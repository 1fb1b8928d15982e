import type { ExpectedDifference } from "./expected.ts";

const isAbsentUpstream = ({ upstream }: { readonly upstream: unknown }) => upstream === undefined;

/** What differs of the kinds that run pods. */
export const workloadDifferences: readonly ExpectedDifference[] = [
  {
    reason: "v1.21: a replication controller's selector has one manager",
    at: /f:selector\./,
    step: /replicationcontrollers/,
    matches: ({ ours }) => ours === undefined,
  },
  { reason: "v1.22: daemon sets can surge", at: /maxSurge$/, step: /daemonsets/, matches: isAbsentUpstream },
  {
    reason: "v1.22 and later: what stateful sets do with claims and available pods",
    at: /(?:maxUnavailable|persistentVolumeClaimRetentionPolicy|status\.availableReplicas)$/,
    step: /statefulsets/,
    matches: isAbsentUpstream,
  },
  {
    reason: "v1.27 and later: names of stateful sets are labels, and their templates are checked",
    at: /(?:message|causes\.length)$/,
    step: /creations of apps\/v1 stateful|what stateful sets/,
    matches: ({ ours }) => /RFC 1123 label|spec\.template\.spec/.test(JSON.stringify(ours)),
  },
  {
    reason: "v1.23 and later: more of a stateful set may change, is counted, and is checked once",
    at: /(?:message|causes\.length)$/,
    step: /what stateful sets may hold: PATCH/,
    matches: ({ upstream, ours }) =>
      /'ordinals'|availableReplicas/.test(JSON.stringify(ours)) ||
      (Array.isArray(upstream) && Array.isArray(ours) && upstream.length === ours.length + 1),
  },
  {
    reason: "v1.21 and later: jobs say how they complete, whether they wait and when pods are replaced",
    at: /(?:completionMode|suspend|manualSelector|podReplacementPolicy)$/,
    step: /jobs/,
    matches: isAbsentUpstream,
  },
  {
    reason: "v1.27: labels of the pods of jobs have a prefix, too",
    at: /(?:controller-uid|job-name|message|causes\.length)$/,
    step: /jobs/,
    matches: ({ upstream, ours }) =>
      upstream === undefined || ours === undefined || JSON.stringify(ours).includes("batch.kubernetes.io"),
  },
  {
    reason: "v1.27: the name of a job is the value of two labels",
    at: /causes\.length$/,
    step: /creations of batch\/v1 jobs/,
    matches: ({ upstream, ours }) =>
      Array.isArray(upstream) && Array.isArray(ours) && ours.length === upstream.length + 1,
  },
  {
    reason: "v1.31: jobs show their state",
    at: /(?:columnDefinitions|cells)\.length$/,
    step: /jobs/,
  },
  {
    reason: "v1.22 and later: deletions of jobs that leave pods are warned of",
    at: /^headers\.warning$/,
    step: /DELETE \S+\/jobs/,
    matches: isAbsentUpstream,
  },
  {
    reason: "v1.30: resources whose use is measured are named",
    at: /cells\.2$/,
    step: /horizontalpodautoscalers/,
    matches: ({ upstream, ours }) => ours === `cpu: ${String(upstream)}`,
  },
  {
    reason: "v1.34: what is scaled is named with its group",
    at: /(?:message|causes\.length)$/,
    step: /horizontalpodautoscalers/,
    matches: ({ ours }) => JSON.stringify(ours).includes("apiVersion must specify API group"),
  },
  {
    reason: "v1.24: values that are objects are written as JSON",
    at: /message$/,
    matches: ({ upstream }) => /Unsupported value: apps\./.test(String(upstream)),
  },
];
