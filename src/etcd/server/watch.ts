import { setImmediate as nextTurn } from "node:timers/promises";
import type { Call, Sender } from "../../grpc/index.ts";
import { type Change, type KeyRange, type Revision, StoreError } from "../../store/index.ts";
import type { EtcdInput, EtcdOutput } from "../messages.ts";
import { headerOf, type ServerContext } from "./context.ts";
import { refusals } from "./errors.ts";
import { rangeOf } from "./keys.ts";
import type { EtcdHandlers } from "./kv.ts";
import type { CountedStream } from "./metrics.ts";
import { eventMessages } from "./watch-messages.ts";

type WatchRequest = EtcdOutput<"WatchRequest">;
type WatchCreateRequest = EtcdOutput<"WatchCreateRequest">;
type WatchResponse = EtcdInput<"WatchResponse">;

/** Stands for a watch that was not made, and for all watches of a stream. */
const noWatch = -1;
/** Watches of one stream. */
const mostWatches = 100_000;
/** How often it is looked whether watches have told all they know, before progress is left unsaid. */
const progressTries = 10;

interface Watch {
  readonly id: number;
  readonly request: WatchCreateRequest;
  readonly controller: AbortController;
  /** Whether all that it was given has been sent, and it waits for more. */
  isIdle: boolean;
  /** Whether it has told anything since progress was last told. */
  hasTold: boolean;
}

/** The service Watch: any number of watches share a stream. */
export function watchHandlers(context: ServerContext): EtcdHandlers<"Watch"> {
  return { Watch: (requests, call) => new WatchStream(context, call).run(requests) };
}

class WatchStream implements CountedStream {
  private readonly context: ServerContext;
  private readonly call: Call & Sender<WatchResponse>;
  private readonly watches = new Map<number, Watch>();
  private readonly running = new Set<Promise<void>>();
  private readonly ending = new AbortController();
  private nextId = 0;

  constructor(context: ServerContext, call: Call & Sender<WatchResponse>) {
    this.context = context;
    this.call = call;
  }

  get watchCount(): number {
    return this.watches.size;
  }

  get laggingCount(): number {
    let count = 0;
    for (const { isIdle } of this.watches.values()) if (!isIdle) count++;
    return count;
  }

  async run(requests: AsyncIterable<WatchRequest>): Promise<void> {
    const { streams } = this.context.metrics;
    streams.add(this);
    this.start(this.tellProgressNowAndThen());
    try {
      for await (const { createRequest, cancelRequest, progressRequest } of requests) {
        if (createRequest) await this.create(createRequest);
        else if (cancelRequest) await this.cancel(cancelRequest.watchId);
        else if (progressRequest) await this.tellProgress([...this.watches.values()], [noWatch]);
      }
    } finally {
      streams.delete(this);
      this.ending.abort();
      for (const { controller } of this.watches.values()) controller.abort();
      await Promise.all(this.running);
    }
  }

  private start(task: Promise<void>): void {
    const tracked = task.finally(() => this.running.delete(tracked));
    this.running.add(tracked);
  }

  private send(watchId: number, response: WatchResponse, revision?: Revision): Promise<void> {
    return this.call.send({ header: headerOf(this.context, revision), watchId, ...response });
  }

  private async create(request: WatchCreateRequest): Promise<void> {
    const { store } = this.context;
    const key = request.key === "" ? "\0" : request.key;
    const range = rangeOf({ key, rangeEnd: request.rangeEnd });
    const problem = this.problemOf(request, range);
    if (problem) {
      const answer = { created: true, canceled: true, cancelReason: problem.reason };
      return this.send(problem.watchId, answer);
    }
    const id = request.watchId === 0 ? this.freeId() : request.watchId;
    const controller = new AbortController();
    const watch: Watch = { id, request, controller, isIdle: false, hasTold: false };
    this.watches.set(id, watch);
    const after = request.startRevision > 0 ? request.startRevision - 1 : store.revision;
    await this.send(id, { created: true });
    this.start(this.follow(watch, { range, after }));
  }

  private problemOf(
    request: WatchCreateRequest,
    range: KeyRange,
  ): { readonly watchId: number; readonly reason: string } | undefined {
    if (!this.context.auth.allows(this.call, { reads: [range] })) {
      return { watchId: request.watchId, reason: `etcdserver: ${refusals.permissionDenied[1]}` };
    }
    if (range.end !== undefined && range.end <= range.start) {
      return { watchId: noWatch, reason: "mvcc: watcher range is empty" };
    }
    if (this.watches.has(request.watchId) && request.watchId !== 0) {
      return { watchId: noWatch, reason: "mvcc: duplicate watch ID provided on the WatchStream" };
    }
    if (this.watches.size >= mostWatches)
      return { watchId: noWatch, reason: "too many watches on one stream" };
    return undefined;
  }

  private freeId(): number {
    while (this.watches.has(this.nextId)) this.nextId++;
    return this.nextId++;
  }

  private async cancel(id: number): Promise<void> {
    const watch = this.watches.get(id);
    if (!watch) return;
    this.watches.delete(id);
    watch.controller.abort();
    await this.send(id, { canceled: true });
  }

  private async follow(
    watch: Watch,
    { range, after }: { readonly range: KeyRange; readonly after: Revision },
  ): Promise<void> {
    const { store } = this.context;
    const { signal } = watch.controller;
    try {
      const from =
        after > 0 && after === store.compactedRevision - 1 ? await this.tellLeft(watch, range) : after;
      const batches = store.watchRange(range, { after: from, signal })[Symbol.asyncIterator]();
      for (;;) {
        watch.isIdle = true;
        const { value: changes, done } = await batches.next();
        watch.isIdle = false;
        if (done) return;
        await this.tell(watch, changes);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.watches.delete(watch.id);
      await this.send(watch.id, this.endOf(error), 0);
    }
  }

  /** Of the very revision of a compaction, etcd tells what is left of it; answers the revision. */
  private async tellLeft(watch: Watch, range: KeyRange): Promise<Revision> {
    const { store } = this.context;
    const { compactedRevision } = store;
    const { items } = await store.range(range, { at: compactedRevision });
    const left = items.filter(({ modRevision }) => modRevision === compactedRevision);
    await this.tell(
      watch,
      left.map((current) => ({ type: "put", current, previous: undefined })),
    );
    return compactedRevision;
  }

  private async tell(watch: Watch, changes: readonly Change[]): Promise<void> {
    const { request, controller } = watch;
    for (const part of eventMessages(changes, { request, largest: this.context.limits.requestBytes })) {
      if (controller.signal.aborted) return;
      watch.hasTold = true;
      this.context.metrics.events.value += part.events?.length ?? 0;
      await this.send(watch.id, part);
    }
  }

  private endOf(error: unknown): WatchResponse {
    const { store, logger } = this.context;
    if (error instanceof StoreError && error.type === "compacted") {
      return { canceled: true, compactRevision: store.compactedRevision };
    }
    if (!(error instanceof StoreError)) logger.error("A watch failed", { error });
    return { canceled: true, cancelReason: error instanceof Error ? error.message : String(error) };
  }

  private async tellProgressNowAndThen(): Promise<void> {
    const { clock, limits } = this.context;
    const { signal } = this.ending;
    while (!signal.aborted) {
      try {
        await clock.sleep(limits.progressInterval, signal);
      } catch {
        return;
      }
      const quiet = [...this.watches.values()].filter(
        ({ request, hasTold }) => request.progressNotify && !hasTold,
      );
      for (const watch of this.watches.values()) watch.hasTold = false;
      await this.tellProgress(
        quiet,
        quiet.map(({ id }) => id),
      );
    }
  }

  /** Says how far the watches have come, once nothing up to there is left to be told; says nothing if they lag. */
  private async tellProgress(watches: readonly Watch[], ids: readonly number[]): Promise<void> {
    const { revision } = this.context.store;
    for (let time = 0; time < progressTries; time++) {
      await nextTurn();
      if (!watches.every(({ isIdle, controller }) => isIdle || controller.signal.aborted)) continue;
      for (const id of ids) if (id === noWatch || this.watches.has(id)) await this.send(id, {}, revision);
      return;
    }
  }
}
