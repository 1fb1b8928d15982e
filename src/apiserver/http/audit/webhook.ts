import type { Clock, Milliseconds, Random } from "../../../base/index.ts";
import { AuditBatches } from "./batch.ts";
import type { AuditBackend, OnLost } from "./auditor.ts";
import type { AuditEvent } from "./event.ts";

export interface AuditWebhookOptions {
  /** Sends a body of JSON; answers the status of the answer. */
  readonly post: (body: string) => Promise<number>;
  /** How long to wait before the first retry; default: 10 s. */
  readonly initialBackoff?: Milliseconds;
  /** Events that wait to be sent; default: 10,000. */
  readonly bufferSize?: number;
  /** Events of one request; default: 400. */
  readonly batchSize?: number;
  /** How long a batch may wait to become full; default: 30 s. */
  readonly longestWait?: Milliseconds;
  /** Ends what was opened to send. */
  readonly close?: () => void;
}

const defaultBackoff: Milliseconds = 10_000;
const attempts = 5;
const growth = 1.5;
const jitter = 0.2;
const tooManyRequests = 429;
const serverErrors = 500;

/** Sends events in batches to a server outside, again when that fails. */
export function auditWebhook(
  options: AuditWebhookOptions,
  { clock, random, onLost }: { readonly clock: Clock; readonly random: Random; readonly onLost: OnLost },
): AuditBackend {
  const {
    initialBackoff = defaultBackoff,
    bufferSize = 10_000,
    batchSize = 400,
    longestWait = 30_000,
  } = options;
  const stop = new AbortController();
  const send = async (items: readonly AuditEvent[]) => {
    const body = JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });
    for (let attempt = 1, wait = initialBackoff; ; attempt++, wait *= growth) {
      const problem = await tried(() => options.post(body));
      if (problem === undefined) return;
      if (!problem.again || attempt >= attempts || stop.signal.aborted) throw problem.error;
      await clock.sleep(wait * (1 + jitter * random.next()), stop.signal).catch(() => undefined);
    }
  };
  const batches = new AuditBatches("webhook", { bufferSize, batchSize, longestWait, clock, send, onLost });
  return {
    name: "webhook",
    write: (event) => batches.write(event),
    async close() {
      // One more attempt for what waits, but no waiting for others.
      stop.abort();
      await batches.close();
      options.close?.();
    },
  };
}

/** Why a request came to nothing, and whether it may succeed later. */
async function tried(
  post: () => Promise<number>,
): Promise<{ readonly error: unknown; readonly again: boolean } | undefined> {
  try {
    const status = await post();
    if (status < 300) return undefined;
    const again = status >= serverErrors || status === tooManyRequests;
    return { error: new Error(`the audit webhook answered ${status}`), again };
  } catch (error) {
    return { error, again: true };
  }
}
