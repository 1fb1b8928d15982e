import type { Logger } from "../../../base/index.ts";
import type { Counter, MetricsRegistry } from "../metrics/registry.ts";
import type { AuditEvent } from "./event.ts";
import type { AuditLevel, AuditPolicy } from "./policy.ts";
import { auditLevels } from "./policy.ts";

/** Where events go. */
export interface AuditBackend {
  readonly name: string;
  /** Whether no request may go on that it has not taken. */
  readonly strict?: boolean;
  /** Takes an event; throws when it cannot. */
  write(event: AuditEvent): void;
  /** Settles when what was taken is where it belongs. */
  close(): Promise<void>;
}

/** Hears that events were lost. */
export type OnLost = (lost: {
  readonly backend: string;
  readonly count: number;
  readonly error: unknown;
}) => void;

/** Hands events to all who want them; one that fails does not stop the others, nor the request. */
export class Auditor {
  readonly policy: AuditPolicy;
  private readonly backends: readonly AuditBackend[];
  private readonly onLost: OnLost;
  private readonly events: Counter;
  private readonly rejections: Counter;
  private readonly levels: Readonly<Record<AuditLevel, Counter>>;

  constructor(options: {
    readonly policy: AuditPolicy;
    readonly backends: (onLost: OnLost) => readonly AuditBackend[];
    readonly registry: MetricsRegistry;
    readonly logger: Logger;
  }) {
    const { policy, backends, registry, logger } = options;
    this.policy = policy;
    this.events = registry
      .counter({ name: "apiserver_audit_event_total", help: "Events that were recorded." })
      .with();
    this.rejections = registry
      .counter({
        name: "apiserver_audit_requests_rejected_total",
        help: "Requests that were refused because they could not be recorded.",
      })
      .with();
    const levels = registry.counter({
      name: "apiserver_audit_level_total",
      help: "Levels at which requests were recorded.",
      labels: ["level"],
    });
    this.levels = Object.fromEntries(auditLevels.map((level) => [level, levels.with(level)])) as Record<
      AuditLevel,
      Counter
    >;
    const errors = registry.counter({
      name: "apiserver_audit_error_total",
      help: "Events that were lost, by where they should have gone.",
      labels: ["plugin"],
    });
    this.onLost = ({ backend, count, error }) => {
      errors.with(backend).value += count;
      logger.error("Audit events were lost", { backend, count, error });
    };
    this.backends = backends(this.onLost);
  }

  decided(level: AuditLevel): void {
    this.levels[level].value += 1;
  }

  /** Answers whether the request may go on. */
  record(event: AuditEvent): boolean {
    this.events.value += 1;
    let mayGoOn = true;
    for (const backend of this.backends) {
      try {
        backend.write(event);
      } catch (error) {
        this.onLost({ backend: backend.name, count: 1, error });
        if (backend.strict) mayGoOn = false;
      }
    }
    return mayGoOn;
  }

  /** A request was refused because it could not be recorded. */
  rejected(): void {
    this.rejections.value += 1;
  }

  async close(): Promise<void> {
    await Promise.all(this.backends.map((backend) => backend.close()));
  }
}
