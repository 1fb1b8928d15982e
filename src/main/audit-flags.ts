import type { FlagDefinition } from "./flags.ts";

/** Upstream's flags of what is recorded of requests, and where. */
export const auditFlags = {
  "audit-policy-file": file("policy (audit.k8s.io/v1) of what is recorded of requests (default: nothing)"),
  "audit-log-path": file("log of what is recorded; -: standard output"),
  "audit-log-format": {
    type: "string",
    placeholder: "json|legacy",
    description: "form of the log's lines (default json)",
  },
  "audit-log-mode": {
    type: "string",
    placeholder: "MODE",
    description: "when it is written: batch, blocking or blocking-strict (default blocking)",
  },
  "audit-log-maxage": count("days that full logs are kept; 0: for ever (default 0)"),
  "audit-log-maxbackup": count("how many full logs are kept; 0: all (default 0)"),
  "audit-log-maxsize": count("megabytes after which a log is full; 0: 100 (default 0)"),
  "audit-log-compress": { type: "boolean", description: "compress full logs (default false)" },
  "audit-webhook-config-file": file("kubeconfig of a server that gets what is recorded, in batches"),
  "audit-webhook-initial-backoff": duration("wait before what failed is sent again (default 10s)"),
  "audit-webhook-batch-buffer-size": count("events that may wait to be sent (default 10000)"),
  "audit-webhook-batch-max-size": count("events of one batch (default 400)"),
  "audit-webhook-batch-max-wait": duration("how long a batch may wait to become full (default 30s)"),
} as const satisfies Readonly<Record<string, FlagDefinition>>;

export type AuditFlagName = keyof typeof auditFlags;

/** Texts of those flags that were said. */
export type AuditTexts = Readonly<Partial<Record<AuditFlagName, string>>>;

function file(description: string) {
  return { type: "string", placeholder: "FILE", description } as const;
}

function count(description: string) {
  return { type: "integer", placeholder: "N", description } as const;
}

function duration(description: string) {
  return { type: "string", placeholder: "DURATION", description } as const;
}
