import { GrpcError } from "../../grpc/index.ts";
import type { Stream } from "../../grpc/index.ts";
import { StoreError } from "../../store/index.ts";
import type { Change, Revision } from "../../store/index.ts";
import type { EtcdInput, EtcdOutput } from "../messages.ts";
import type { EtcdConnection } from "./connection.ts";
import { changeOf } from "./convert.ts";
import type { Endpoint } from "./endpoint.ts";
import { failureOf } from "./failure.ts";
import type { KeyMap } from "./keys.ts";
import { Watcher } from "./watcher.ts";
import type { WatchOptions } from "./watcher.ts";

type WatchCall = Stream<EtcdInput<"WatchRequest">, EtcdOutput<"WatchResponse">>;

const permissionDenied = /permission denied/;

/** What the stream tells the store. */
export interface Seen {
  revision(revision: Revision): void;
  compacted(revision: Revision): void;
}

/**
 * All watches of a store on one stream. When it breaks, or another member is asked, every watcher goes on behind
 * what it has heard.
 */
export class WatchStream {
  private readonly connection: EtcdConnection;
  private readonly keys: KeyMap;
  private readonly seen: Seen;
  private readonly watchers = new Set<Watcher>();
  private readonly byId = new Map<number, Watcher>();
  private lastId = 0;
  private call: WatchCall | undefined;
  /** Runs while there is a watcher. */
  private running: Promise<void> | undefined;

  constructor(connection: EtcdConnection, options: { readonly keys: KeyMap; readonly seen: Seen }) {
    this.connection = connection;
    this.keys = options.keys;
    this.seen = options.seen;
    connection.onMove(() => this.call?.cancel());
  }

  async *watch(options: WatchOptions): AsyncGenerator<readonly Change[], void> {
    if (options.signal.aborted) return;
    this.connection.requireOpen();
    const watcher = new Watcher(options);
    this.watchers.add(watcher);
    this.start(watcher);
    try {
      yield* watcher.read(() => this.start(watcher));
    } finally {
      this.watchers.delete(watcher);
      this.stop(watcher);
      if (this.watchers.size === 0) this.call?.cancel();
    }
  }

  /** Ends every watch with `closed`; settles when the stream has ended. */
  async close(): Promise<void> {
    for (const watcher of this.watchers) watcher.fail(new StoreError("closed", "the store is closed"));
    this.call?.cancel();
    await this.running;
  }

  private start(watcher: Watcher): void {
    if (this.connection.isClosed || watcher.id !== undefined || watcher.hasFailed) return;
    if (this.call) this.create(this.call, watcher);
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  private create(call: WatchCall, watcher: Watcher): void {
    const watchId = ++this.lastId;
    watcher.id = watchId;
    this.byId.set(watchId, watcher);
    const { range, knowsPrevious = false } = watcher.options;
    const createRequest = {
      ...range,
      watchId,
      startRevision: watcher.start,
      prevKv: !knowsPrevious,
      progressNotify: true,
    };
    void call.send({ createRequest });
  }

  private stop(watcher: Watcher): void {
    const { id } = watcher;
    if (id === undefined) return;
    watcher.id = undefined;
    this.byId.delete(id);
    void this.call?.send({ cancelRequest: { watchId: id } });
  }

  private async run(): Promise<void> {
    for (let failures = 0; this.watchers.size > 0 && !this.connection.isClosed;) {
      const { endpoint } = this.connection;
      try {
        await this.follow(endpoint, () => (failures = 0));
      } catch (error) {
        if (this.watchers.size === 0 || this.connection.isClosed) break;
        this.judge(GrpcError.from(error), endpoint);
      }
      await this.connection.pause(failures++).catch(() => {});
    }
  }

  /** A stream that broke is opened again; one that was refused will be refused again. */
  private judge(error: GrpcError, endpoint: Endpoint): void {
    const failure = failureOf(error);
    if (failure === "token") this.connection.forgetToken();
    else this.connection.leave(endpoint);
    this.connection.logger.debug("The watch of etcd broke", { member: endpoint.url, error: error.message });
  }

  /** Opens a stream at a member and reads it until it ends. */
  private async follow(endpoint: Endpoint, onAnswer: () => void): Promise<void> {
    const headers = await this.connection.headers();
    const call: WatchCall = endpoint.caller.stream("Watch", { headers });
    this.call = call;
    for (const watcher of this.watchers) if (!watcher.hasFailed) this.create(call, watcher);
    try {
      for await (const answer of call) {
        onAnswer();
        this.take(answer);
      }
    } finally {
      this.call = undefined;
      this.byId.clear();
      for (const watcher of this.watchers) watcher.id = undefined;
    }
  }

  private take(answer: EtcdOutput<"WatchResponse">): void {
    const revision = answer.header?.revision ?? 0;
    this.seen.revision(revision);
    const watcher = this.byId.get(answer.watchId);
    if (!watcher) return;
    if (answer.canceled) return this.canceled(watcher, answer);
    const { events } = answer;
    // Without events it is how far the watcher has heard, except for the answer to its start, which says nothing.
    if (events.length === 0) return answer.created ? undefined : watcher.hear([], revision);
    const changes = events.flatMap((event) => changeOf(this.keys, event) ?? []);
    watcher.hear(changes, events.at(-1)?.kv?.modRevision ?? 0);
    if (watcher.isFull) this.stop(watcher);
  }

  private canceled(watcher: Watcher, answer: EtcdOutput<"WatchResponse">): void {
    this.byId.delete(answer.watchId);
    watcher.id = undefined;
    const { compactRevision, cancelReason } = answer;
    if (compactRevision > 0) {
      this.seen.compacted(compactRevision);
      watcher.fail(new StoreError("compacted", "required revision has been compacted"));
    } else if (permissionDenied.test(cancelReason) && watcher.mayAskAgain()) {
      // That is also what etcd says of a token that has expired.
      this.connection.forgetToken();
      this.call?.cancel();
    } else {
      watcher.fail(new StoreError("unavailable", `etcd ended the watch: ${cancelReason || "no reason"}`));
    }
  }
}
