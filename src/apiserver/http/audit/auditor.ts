import type { Logger } from "../../../base/index.ts";
import type { AuditMetrics } from "../metrics/audit-metrics.ts";
import type { AuditEvent } from "./event.ts";
import type { AuditLevel, AuditPolicy } from "./policy.ts";

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
  private readonly metrics: AuditMetrics;

  constructor(options: {
    readonly policy: AuditPolicy;
    readonly backends: (onLost: OnLost) => readonly AuditBackend[];
    readonly metrics: AuditMetrics;
    readonly logger: Logger;
  }) {
    const { policy, backends, metrics, logger } = options;
    this.policy = policy;
    this.metrics = metrics;
    this.onLost = ({ backend, count, error }) => {
      metrics.errors.with(backend).value += count;
      logger.error("Audit events were lost", { backend, count, error });
    };
    this.backends = backends(this.onLost);
  }

  decided(level: AuditLevel): void {
    this.metrics.levels[level].value += 1;
  }

  /** Answers whether the request may go on. */
  record(event: AuditEvent): boolean {
    this.metrics.events.value += 1;
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
    this.metrics.rejections.value += 1;
  }

  async close(): Promise<void> {
    await Promise.all(this.backends.map((backend) => backend.close()));
  }
}
