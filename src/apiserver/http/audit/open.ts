import type { Clock, Logger, Random } from "../../../base/index.ts";
import { auditMetrics } from "../metrics/audit-metrics.ts";
import type { MetricsRegistry } from "../metrics/registry.ts";
import { Auditor } from "./auditor.ts";
import type { AuditBackend, OnLost } from "./auditor.ts";
import { AuditBatches } from "./batch.ts";
import { AuditLogFile } from "./log-file.ts";
import type { AuditLogOptions } from "./log-file.ts";
import type { AuditPolicy } from "./policy.ts";
import { auditWebhook } from "./webhook.ts";
import type { AuditWebhookOptions } from "./webhook.ts";

/** When events are written: before the request goes on, also if it must fail for that, or in batches later. */
export type AuditMode = "blocking" | "blocking-strict" | "batch";

/** What is recorded of requests, and where. */
export interface AuditSettings {
  readonly policy: AuditPolicy;
  readonly log?: AuditLogOptions & { readonly mode?: AuditMode };
  readonly webhook?: AuditWebhookOptions;
}

const logBatches = { bufferSize: 10_000, batchSize: 400, longestWait: 100 };

/** Opens what events are written to, if any are; throws when a file cannot be written. */
export function openAuditor(
  settings: AuditSettings | undefined,
  parts: {
    readonly clock: Clock;
    readonly random: Random;
    readonly registry: MetricsRegistry;
    readonly logger: Logger;
  },
): Auditor | undefined {
  const { clock, registry, logger } = parts;
  const metrics = auditMetrics(registry);
  if (!settings) return undefined;
  const { policy, log, webhook } = settings;
  const backends = (onLost: OnLost) => [
    ...(log ? [logBackend(log, { clock, onLost })] : []),
    ...(webhook ? [auditWebhook(webhook, { ...parts, onLost })] : []),
  ];
  return new Auditor({ policy, backends, metrics, logger });
}

function logBackend(
  { mode = "blocking", ...options }: NonNullable<AuditSettings["log"]>,
  { clock, onLost }: { readonly clock: Clock; readonly onLost: OnLost },
): AuditBackend {
  const file = new AuditLogFile(options, { clock, onLost });
  if (mode !== "batch") return Object.assign(file, { strict: mode === "blocking-strict" });
  const batches = new AuditBatches(file.name, {
    ...logBatches,
    clock,
    onLost,
    send: async (events) => {
      for (const event of events) file.write(event);
    },
  });
  return {
    name: file.name,
    write: (event) => batches.write(event),
    async close() {
      await batches.close();
      await file.close();
    },
  };
}
