import { auditLevels } from "../audit/policy.ts";
import type { AuditLevel } from "../audit/policy.ts";
import type { Counter, MetricsRegistry } from "./registry.ts";

/** What is counted of audit; nothing where nothing is recorded. */
export type AuditMetrics = ReturnType<typeof auditMetrics>;

/** Registers it. */
export function auditMetrics(registry: MetricsRegistry) {
  const events = registry.counter({
    name: "apiserver_audit_event_total",
    help: "Events that were recorded.",
  });
  const rejections = registry.counter({
    name: "apiserver_audit_requests_rejected_total",
    help: "Requests that were refused because they could not be recorded.",
  });
  const levels = registry.counter({
    name: "apiserver_audit_level_total",
    help: "Levels at which requests were recorded.",
    labels: ["level"],
  });
  return {
    events: events.with(),
    rejections: rejections.with(),
    levels: Object.fromEntries(auditLevels.map((level) => [level, levels.with(level)])) as Readonly<
      Record<AuditLevel, Counter>
    >,
    errors: registry.counter({
      name: "apiserver_audit_error_total",
      help: "Events that were lost, by where they should have gone.",
      labels: ["plugin"],
    }),
  };
}
