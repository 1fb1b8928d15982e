import type { Clock, Logger } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import type { PodStatus } from "../../api/types/core-v1.ts";

const retryDelay = 1000;

/** Sends one pod's status: only when it has changed, the newest only, one request at a time. */
export class StatusWriter {
  private readonly options: { client: Client; clock: Clock; logger: Logger; signal: AbortSignal };
  private readonly pod: { name: string; namespace: string | undefined; uid: string | undefined };
  private lastSent: PodStatus | undefined;
  private next: PodStatus | undefined;
  private sending: Promise<void> | undefined;

  constructor(pod: Pod, options: { client: Client; clock: Clock; logger: Logger; signal: AbortSignal }) {
    const { name, namespace, uid } = pod.metadata;
    this.pod = { name, namespace, uid };
    this.options = options;
    this.lastSent = pod.status;
  }

  /** The last status that was set, sent or not. */
  get current(): PodStatus | undefined {
    return this.next ?? this.lastSent;
  }

  set(status: PodStatus): void {
    if (this.next === undefined && sameValue(status, this.lastSent)) return;
    this.next = status;
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
  }

  /** Settles when everything has been sent. */
  async flush(): Promise<void> {
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    const { clock, logger, signal } = this.options;
    while (this.next !== undefined && !signal.aborted) {
      const status = this.next;
      try {
        await this.send(status);
        this.lastSent = status;
        if (this.next === status) this.next = undefined;
      } catch (error) {
        if (ApiError.is(error, "NotFound") || ApiError.is(error, "Conflict")) {
          this.next = undefined;
          return;
        }
        logger.warn("cannot send a pod's status", { pod: this.pod.name, error });
        await clock.sleep(retryDelay, signal).catch(() => undefined);
      }
    }
  }

  private async send(status: PodStatus): Promise<void> {
    const { uid, namespace, name } = this.pod;
    const removed = this.lastSent ? cleared(this.lastSent, status) : {};
    const body = { metadata: { uid }, status: { ...removed, ...status } };
    await this.options.client.patch(
      Pod,
      { namespace, name },
      { type: "strategic", body },
      { subresource: "status", signal: this.options.signal },
    );
  }
}

/** Nulls for what a status no longer has. */
function cleared(before: PodStatus, after: PodStatus): Record<string, null> {
  const keys = ["reason", "message", "podIP", "podIPs"] as const;
  return Object.fromEntries(
    keys.filter((key) => before[key] !== undefined && after[key] === undefined).map((key) => [key, null]),
  );
}

/** Whether two JSON values say the same; a null says as much as an absent field. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right || (left ?? undefined) === (right ?? undefined)) return true;
  if (typeof left !== "object" || typeof right !== "object" || !left || !right) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [one, other] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => sameValue(one[key], other[key]));
}
