import { keyOf, revisionOf, StoreError } from "../../store/index.ts";
import type { Change, Revision } from "../../store/index.ts";
import type { WireRange } from "./keys.ts";

/** What a watcher has to tell: changes, and how far what it told is whole. */
interface Told {
  readonly changes: readonly Change[];
  readonly through: Revision;
}

/** With more changes than these a watcher is taken off the stream until its reader has come so far. */
const queueLimit = 10_000;

/** How often a watch that etcd refuses is asked for again with a new token. */
const refusalLimit = 2;

/** What someone wants to hear of. */
export interface WatchOptions {
  readonly range: WireRange;
  /** Changes to other keys are left out. */
  readonly concerns: (key: string) => boolean;
  readonly after: Revision;
  /** What was there before is not told. */
  readonly knowsPrevious?: boolean | undefined;
  readonly signal: AbortSignal;
  /** Called, in order with the changes, when all through the revision have been told. */
  readonly onProgress?: ((revision: Revision) => void) | undefined;
}

/** One reader of changes: remembers how far it has heard, so that it can go on anywhere. */
export class Watcher {
  readonly options: WatchOptions;
  /** The watcher's number on the stream; undefined while it is on none. */
  id: number | undefined;
  /** All changes through it have been queued. */
  heard: Revision;
  private readonly queue: Told[] = [];
  private queued = 0;
  private failure: StoreError | undefined;
  private wake: () => void = () => {};
  private refusals = 0;

  constructor(options: WatchOptions) {
    this.options = options;
    this.heard = options.after;
  }

  get isFull(): boolean {
    return this.queued >= queueLimit;
  }

  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  /**
   * The revision from which etcd is asked. It is one that has been heard: etcd refuses only what is before its
   * compaction, and may have lost deletions at that very revision.
   */
  get start(): Revision {
    return Math.max(this.heard, 1);
  }

  /** Takes the events of whole revisions; those that were heard before are left out. */
  hear(changes: readonly Change[], through: Revision): void {
    const fresh = changes.filter(
      (change) => revisionOf(change) > this.heard && this.options.concerns(keyOf(change)),
    );
    if (through <= this.heard) return;
    this.heard = through;
    this.refusals = 0;
    const last = this.queue.at(-1);
    if (fresh.length === 0 && last?.changes.length === 0) this.queue.pop();
    this.queue.push({ changes: fresh, through });
    this.queued += fresh.length;
    this.wake();
  }

  /** Whether it may be a stale token that etcd refused. */
  mayAskAgain(): boolean {
    return this.refusals++ < refusalLimit;
  }

  fail(error: StoreError): void {
    this.failure ??= error;
    this.wake();
  }

  /** Tells what was heard; `onRoom` is called whenever a full queue has been read. */
  async *read(onRoom: () => void): AsyncGenerator<readonly Change[], void> {
    const { signal, onProgress } = this.options;
    const wake = () => this.wake();
    signal.addEventListener("abort", wake, { once: true });
    try {
      for (;;) {
        if (signal.aborted) return;
        const told = this.queue.shift();
        if (told) {
          this.queued -= told.changes.length;
          if (told.changes.length > 0) yield told.changes;
          onProgress?.(told.through);
        } else if (this.failure) throw this.failure;
        else {
          if (this.id === undefined) onRoom();
          await new Promise<void>((resolve) => (this.wake = resolve));
        }
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }
}
