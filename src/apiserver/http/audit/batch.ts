import type { Clock, Milliseconds, Timer } from "../../../base/index.ts";
import type { AuditBackend, OnLost } from "./auditor.ts";
import type { AuditEvent } from "./event.ts";

export interface BatchOptions {
  /** Events that wait; more are lost. */
  readonly bufferSize: number;
  readonly batchSize: number;
  /** How long a batch may wait to become full. */
  readonly longestWait: Milliseconds;
}

/** Gathers events, so that requests need not wait until they are written. */
export class AuditBatches implements AuditBackend {
  readonly name: string;
  private readonly options: BatchOptions;
  private readonly clock: Clock;
  private readonly send: (events: readonly AuditEvent[]) => Promise<void>;
  private readonly onLost: OnLost;
  private waiting: AuditEvent[] = [];
  private timer: Timer | undefined;
  private sending: Promise<void> = Promise.resolve();
  private isSending = false;

  constructor(
    name: string,
    options: BatchOptions & {
      readonly clock: Clock;
      readonly send: (events: readonly AuditEvent[]) => Promise<void>;
      readonly onLost: OnLost;
    },
  ) {
    this.name = name;
    this.options = options;
    this.clock = options.clock;
    this.send = options.send;
    this.onLost = options.onLost;
  }

  write(event: AuditEvent): void {
    if (this.waiting.length >= this.options.bufferSize)
      throw new Error("audit backend shut down or buffer full");
    this.waiting.push(event);
    if (this.waiting.length >= this.options.batchSize) this.flush();
    else this.timer ??= this.clock.after(this.options.longestWait, () => this.flush());
  }

  async close(): Promise<void> {
    this.flush();
    while (this.isSending) await this.sending;
  }

  /** One batch after the other. */
  private flush(): void {
    this.timer?.cancel();
    this.timer = undefined;
    if (this.isSending || this.waiting.length === 0) return;
    this.isSending = true;
    this.sending = this.sendAll();
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, this.options.batchSize);
      this.waiting = this.waiting.slice(batch.length);
      try {
        await this.send(batch);
      } catch (error) {
        this.onLost({ backend: this.name, count: batch.length, error });
      }
    }
    this.isSending = false;
  }
}
