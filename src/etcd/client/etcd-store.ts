import type { Milliseconds } from "../../base/index.ts";
import { GrpcError } from "../../grpc/index.ts";
import { revisionOf, StoreError } from "../../store/index.ts";
import type {
  Change,
  Key,
  LeaseId,
  Page,
  PastChanges,
  Revision,
  Store,
  Versioned,
  Write,
} from "../../store/index.ts";
import { enumerations } from "../messages.ts";
import type { EtcdOutput } from "../messages.ts";
import { conflictOf, fateOfChange, fateOfCreate, transactionOf } from "./commit.ts";
import type { Fate } from "./commit.ts";
import { EtcdConnection } from "./connection.ts";
import type { EtcdConnectionOptions } from "./connection.ts";
import { versionedOf } from "./convert.ts";
import { everything, KeyMap } from "./keys.ts";
import type { KeyPlace } from "./keys.ts";
import { readRange } from "./range.ts";
import { WatchStream } from "./watch-stream.ts";

/** Where the store's data are. */
export interface EtcdStoreOptions extends EtcdConnectionOptions {
  /** The store's keys in etcd; by default as they are. */
  readonly place?: KeyPlace;
  /** No two writes, of whatever client, have the same value: so a write of which no answer came can be recognized. */
  readonly hasUniqueValues?: boolean;
}

const keptAlive: Milliseconds = 60_000;
/** Where API servers agree on who compacts. */
const compactionKey = "compact_rev_key";

/** The store of an API server in an etcd that others may write to as well. */
export class EtcdStore implements Store {
  private readonly connection: EtcdConnection;
  private readonly keys: KeyMap;
  private readonly stream: WatchStream;
  private readonly hasUniqueValues: boolean;
  private newest: Revision = 0;
  private compacted: Revision = 0;
  private lastFileBytes: number | undefined;

  constructor(
    connection: EtcdConnection,
    { place = { ours: "", theirs: "" }, hasUniqueValues = false }: Partial<EtcdStoreOptions>,
  ) {
    this.connection = connection;
    this.hasUniqueValues = hasUniqueValues;
    this.keys = new KeyMap(place);
    this.stream = new WatchStream(connection, {
      keys: this.keys,
      seen: {
        revision: (revision) => this.saw(revision),
        compacted: (revision) => (this.compacted = Math.max(this.compacted, revision)),
      },
    });
  }

  /** The newest revision that an answer told of. */
  get revision(): Revision {
    return this.newest;
  }

  /** The newest compaction that was heard of. */
  get compactedRevision(): Revision {
    return this.compacted;
  }

  /** Bytes of etcd's files as it told last, and asks again for who reads it the next time; undefined before. */
  get fileBytes(): number | undefined {
    this.connection.call("Status", {}).then(
      ({ dbSize }) => (this.lastFileBytes = dbSize),
      (error: unknown) => this.connection.logger.debug("etcd did not tell the size of its files", { error }),
    );
    return this.lastFileBytes;
  }

  get problem(): string | undefined {
    return this.connection.problem;
  }

  async currentRevision(): Promise<Revision> {
    const { key } = this.keys.range("");
    const { header } = await this.connection.call("Range", { key, countOnly: true });
    return this.saw(header?.revision);
  }

  async commit(write: Write): Promise<Revision> {
    this.connection.requireOpen();
    const before = this.newest;
    let isUncertain = false;
    const onUncertain = () => {
      isUncertain = true;
      // Sent again, what was created and deleted meanwhile would come back.
      return write.type !== "create";
    };
    try {
      const request = transactionOf(write, this.keys.toWire(write.key));
      const answer = await this.connection.call("Txn", request, onUncertain);
      const revision = this.saw(answer.header?.revision);
      if (answer.succeeded) return revision;
      if (!isUncertain) throw conflictOf(write, this.firstOf(answer.responses[0]?.responseRange));
    } catch (error) {
      if (!isUncertain || (error instanceof StoreError && error.type === "closed")) throw error;
    }
    return this.settle(write, before);
  }

  async get(key: Key, { at = 0 }: { readonly at?: Revision } = {}): Promise<Versioned | undefined> {
    const answer = await this.connection.call("Range", { key: this.keys.toWire(key), revision: at });
    this.saw(answer.header?.revision);
    return this.firstOf(answer);
  }

  async list(
    prefix: Key,
    options: { readonly at?: Revision; readonly after?: Key; readonly limit?: number } = {},
  ): Promise<Page> {
    const { at, after, limit = 0 } = options;
    const range = this.keys.range(prefix, after);
    const page = await readRange(this.connection, { keys: this.keys, read: { range, at, limit } });
    this.saw(page.revision);
    return page;
  }

  async changes(
    prefix: Key,
    { after, limit }: { readonly after: Revision; readonly limit: number },
  ): Promise<PastChanges> {
    const newest = await this.currentRevision();
    if (after >= newest) return { changes: [], through: after };
    const changes: Change[] = [];
    const stop = new AbortController();
    let through = after;
    const onProgress = (revision: Revision) => {
      through = revision;
      if (through >= newest) stop.abort();
    };
    for await (const batch of this.watch(prefix, { after, signal: stop.signal, onProgress })) {
      changes.push(...batch);
      if (changes.length >= limit) break;
    }
    return upTo(limit, { changes, through });
  }

  watch(
    prefix: Key,
    options: {
      readonly after: Revision;
      readonly signal: AbortSignal;
      readonly onProgress?: (revision: Revision) => void;
      readonly knowsPrevious?: boolean;
    },
  ): AsyncIterable<readonly Change[]> {
    // Every revision changes some key: who hears of all of them knows how far it has heard.
    const range = options.onProgress ? everything : this.keys.range(prefix);
    return this.stream.watch({ ...options, range, concerns: (key) => key.startsWith(prefix) });
  }

  async compact(through: Revision): Promise<void> {
    let isUncertain = false;
    try {
      const { header } = await this.connection.call(
        "Compact",
        { revision: through },
        () => (isUncertain = true),
      );
      this.saw(header?.revision);
    } catch (error) {
      const isDone = error instanceof StoreError && error.type === "compacted";
      if (!isDone || !isUncertain) throw error;
    }
    this.compacted = Math.max(this.compacted, through);
  }

  /**
   * Takes the next turn of compacting, unless another server, ours or upstream's, has taken it since: answers the
   * turn that was taken last, and the newest revision.
   */
  async takeTurn(next: {
    readonly turn: number;
    readonly revision: Revision;
  }): Promise<{ readonly isOurs: boolean; readonly turn: number; readonly revision: Revision }> {
    const { compareTarget, compareResult } = enumerations;
    const key = compactionKey;
    const { succeeded, header, responses } = await this.connection.call("Txn", {
      compare: [{ key, target: compareTarget.version, result: compareResult.equal, version: next.turn }],
      success: [{ requestPut: { key, value: Buffer.from(String(next.revision)) } }],
      failure: [{ requestRange: { key } }],
    });
    const others = responses[0]?.responseRange?.kvs[0]?.version ?? 0;
    return {
      isOurs: succeeded,
      turn: succeeded ? next.turn + 1 : others,
      revision: this.saw(header?.revision),
    };
  }

  async grantLease(ttl: Milliseconds): Promise<LeaseId> {
    // A lease that nobody heard of ends by itself.
    const { id } = await this.connection.call("LeaseGrant", { ttl: Math.ceil(ttl / 1000) });
    return id;
  }

  async keepLeaseAlive(lease: LeaseId): Promise<void> {
    const { ttl } = await this.connection.attempts(async ({ caller }, options) => {
      const call = caller.stream("LeaseKeepAlive", options);
      await call.send({ id: lease });
      call.end();
      for await (const answer of call) return answer;
      throw new GrpcError(2, "etcd did not answer for a lease");
    });
    if (ttl <= 0) throw new StoreError("leaseNotFound", "requested lease not found");
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    let isUncertain = false;
    try {
      const { header } = await this.connection.call("LeaseRevoke", { id: lease }, () => (isUncertain = true));
      this.saw(header?.revision);
    } catch (error) {
      const isGone = error instanceof StoreError && error.type === "leaseNotFound";
      if (!isGone || !isUncertain) throw error;
    }
  }

  async close(): Promise<void> {
    this.connection.close();
    await this.stream.close();
  }

  private saw(revision: Revision = 0): Revision {
    this.newest = Math.max(this.newest, revision);
    return revision;
  }

  private firstOf(answer: EtcdOutput<"RangeResponse"> | undefined): Versioned | undefined {
    const item = answer?.kvs[0];
    return item && versionedOf(this.keys, item);
  }

  /** Finds out what became of a write of which no answer came. */
  private async settle(write: Write, before: Revision): Promise<Revision> {
    const { fate, current } = await this.fateOf(write, before).catch((error: unknown) => {
      throw outcomeUnknown(write, { cause: error });
    });
    if (fate.type === "happened" && this.hasUniqueValues) return fate.revision;
    if (fate.type === "conflict") throw conflictOf(write, current);
    throw outcomeUnknown(write);
  }

  private async fateOf(
    write: Write,
    before: Revision,
  ): Promise<{ readonly fate: Fate; readonly current: Versioned | undefined }> {
    const current = await this.get(write.key);
    if (write.type === "create") {
      const isNew = current !== undefined && current.version > 1;
      const born = isNew ? await this.get(write.key, { at: current.createRevision }) : current;
      return { fate: fateOfCreate(write, { born, before }), current };
    }
    const isUntouched = current?.modRevision === write.ifModified;
    const first = isUntouched ? undefined : await this.firstChange(write.key, write.ifModified);
    return { fate: fateOfChange(write, first), current };
  }

  /** The first change of a key after a revision; there is one. */
  private async firstChange(key: Key, after: Revision): Promise<Change | undefined> {
    const signal = new AbortController().signal;
    const range = { key: this.keys.toWire(key), rangeEnd: "" };
    for await (const batch of this.stream.watch({ range, concerns: () => true, after, signal }))
      return batch[0];
    return undefined;
  }
}

/** Connects to an etcd; fails with `unavailable` when no member answers. */
export async function connectEtcdStore(options: EtcdStoreOptions): Promise<EtcdStore> {
  const store = new EtcdStore(new EtcdConnection(options), options);
  // Neither the clock's timers nor a connection that is still to be made keep a process alive.
  const alive = setInterval(() => {}, keptAlive);
  try {
    await store.currentRevision();
  } catch (error) {
    await store.close();
    throw error;
  } finally {
    clearInterval(alive);
  }
  return store;
}

function outcomeUnknown(write: Write, options?: ErrorOptions): StoreError {
  const error = new StoreError(
    "unavailable",
    `etcd broke off while ${write.key} was written, and whether that happened cannot be told: read it before you try again`,
  );
  if (options) error.cause = options.cause;
  return error;
}

/** As many changes as the limit allows without splitting a revision. */
function upTo(limit: number, { changes, through }: PastChanges): PastChanges {
  const last = changes[limit - 1];
  if (!last || changes.length <= limit) {
    return { changes, through: last ? Math.max(through, revisionOf(last)) : through };
  }
  const revision = revisionOf(last);
  return { changes: changes.filter((change) => revisionOf(change) <= revision), through: revision };
}
