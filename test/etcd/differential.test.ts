import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../src/base/index.ts";
import { etcdCodec, type EtcdInput, type EtcdOutput, methods } from "../../src/etcd/index.ts";
import { type Channel, createCaller, GrpcError, openChannel } from "../../src/grpc/index.ts";
import { createMemoryStore } from "../../src/store/index.ts";
import { temporaryDirectory } from "../integration/harness.ts";
import { hasEtcd, type RunningEtcd, startEtcd, startOurs } from "./harness.ts";

type Request = { readonly [M in keyof typeof methods]: readonly [M, EtcdInput<(typeof methods)[M][1]>] }[
  | "Range"
  | "Put"
  | "DeleteRange"
  | "Txn"
  | "Compact"
  | "LeaseGrant"
  | "LeaseRevoke"
  | "LeaseTimeToLive"
  | "HashKV"];

/** Requests that a seed makes, about few keys, so that they meet. */
class Requests {
  private readonly random: Random;
  /** About the newest revision. */
  revision = 1;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  next(): Request {
    return this.pick<() => Request>([
      ...Array.from({ length: 6 }, () => () => ["Put", this.put()] as const),
      ...Array.from({ length: 6 }, () => () => ["Range", this.range()] as const),
      ...Array.from({ length: 3 }, () => () => ["DeleteRange", this.remove()] as const),
      ...Array.from({ length: 6 }, () => () => ["Txn", this.transaction(2)] as const),
      () => ["LeaseGrant", { id: this.lease(), ttl: 1000 }],
      () => ["LeaseGrant", { id: this.lease(), ttl: 9_000_000_001 }],
      () => ["LeaseRevoke", { id: this.lease() }],
      () => ["LeaseTimeToLive", { id: this.lease(), keys: false }],
      () => ["HashKV", { revision: this.sometimes(0.5, this.anyRevision()) }],
      () =>
        this.random.next() < 0.2
          ? ["Compact", { revision: this.anyRevision(), physical: true }]
          : ["Put", this.put()],
    ])();
  }

  private pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random.next() * choices.length)]!;
  }

  private sometimes<T>(share: number, value: T): T | undefined {
    return this.random.next() < share ? value : undefined;
  }

  private key(): string {
    return this.pick(["a", "a/1", "a/2", "b", "b\0", "\0", "\u00ff", "\u00ff\u00ff", "c", "d", ""]);
  }

  private rangeEnd(): string {
    return this.pick(["", "", "", "\0", "b", "c", "\u00ff", "a0"]);
  }

  private lease(): string {
    return this.pick(["1", "2", "3", "9223372036854775807"]);
  }

  private anyRevision(): number {
    return Math.max(Math.round(this.revision - 20 + this.random.next() * 25), 0);
  }

  private put(): EtcdInput<"PutRequest"> {
    return {
      key: this.key(),
      value: this.sometimes(0.9, Buffer.from("v".repeat(Math.floor(this.random.next() * 5)))),
      lease: this.sometimes(0.2, this.lease()),
      prevKv: this.sometimes(0.3, true),
      ignoreValue: this.sometimes(0.1, true),
      ignoreLease: this.sometimes(0.1, true),
    };
  }

  private range(): EtcdInput<"RangeRequest"> {
    // Order among equals is not etcd's promise: only keys and revisions are sorted by.
    const sortTarget = this.pick([0, 0, 2, 3]);
    const isSorted = this.random.next() < 0.3;
    return {
      key: this.key(),
      rangeEnd: this.rangeEnd(),
      limit: this.sometimes(0.3, Math.floor(this.random.next() * 5)),
      revision: this.sometimes(0.3, this.anyRevision()),
      sortOrder: isSorted && sortTarget !== 2 ? this.pick([1, 2]) : 0,
      sortTarget: isSorted && sortTarget !== 2 ? sortTarget : 0,
      keysOnly: this.sometimes(0.2, true),
      countOnly: this.sometimes(0.1, true),
      minModRevision: this.sometimes(0.1, this.anyRevision()),
      maxModRevision: this.sometimes(0.1, this.anyRevision()),
      minCreateRevision: this.sometimes(0.1, this.anyRevision()),
      maxCreateRevision: this.sometimes(0.1, this.anyRevision()),
    };
  }

  private remove(): EtcdInput<"DeleteRangeRequest"> {
    return { key: this.key(), rangeEnd: this.rangeEnd(), prevKv: this.sometimes(0.5, true) };
  }

  private compare(): EtcdInput<"Compare"> {
    const number = Math.floor(this.random.next() * 3);
    return {
      key: this.key(),
      rangeEnd: this.sometimes(0.3, this.rangeEnd()),
      result: Math.floor(this.random.next() * 4),
      ...this.pick<EtcdInput<"Compare">>([
        { target: 0, version: number },
        { target: 1, createRevision: this.sometimes(0.5, this.anyRevision()) ?? 0 },
        { target: 2, modRevision: this.sometimes(0.5, this.anyRevision()) ?? 0 },
        { target: 3, value: Buffer.from("v".repeat(number)) },
        { target: 4, lease: String(number) },
      ]),
    };
  }

  private operations(depth: number): EtcdInput<"RequestOp">[] {
    return Array.from({ length: Math.floor(this.random.next() * 4) }, () =>
      this.pick<() => EtcdInput<"RequestOp">>([
        () => ({ requestPut: this.put() }),
        () => ({ requestRange: this.range() }),
        () => ({ requestDeleteRange: this.remove() }),
        () => (depth > 0 ? { requestTxn: this.transaction(depth - 1) } : { requestPut: this.put() }),
      ])(),
    );
  }

  private transaction(depth: number): EtcdInput<"TxnRequest"> {
    return {
      compare: Array.from({ length: Math.floor(this.random.next() * 3) }, () => this.compare()),
      success: this.operations(depth),
      failure: this.operations(depth),
    };
  }
}

const callsOf = (channel: Channel) => createCaller(channel, { codec: etcdCodec, methods });
type Calls = ReturnType<typeof callsOf>;

/** An answer or refusal without what tells one server from another. */
async function answerOf(calls: Calls, [method, request]: Request): Promise<string> {
  try {
    const answer = await calls.unary(method, request);
    return shown(answer);
  } catch (error) {
    if (error instanceof GrpcError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const flat = (text: string) => text.replaceAll(/\n */g, " ");

/** The revision of an answer's header. */
const revisionIn = (answer: string) => Number(/^ "header": \{\s*"revision": (\d+)/m.exec(answer)?.[1] ?? 0);

const own = new Set(["clusterId", "memberId", "raftTerm", "hashRevision"]);

/** What is left of a lease, of which all are of 1,000 seconds, depends on the time that the test takes. */
const isRunning = (name: string, value: unknown) => name === "ttl" && Number(value) > 500;

function shown(message: object): string {
  const comparable = (name: string, value: unknown) => {
    if (own.has(name)) return undefined;
    if (isRunning(name, value)) return "running";
    return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value;
  };
  return JSON.stringify(message, comparable, 1);
}

/** All that a watch from a revision on tells, up to the revision. */
async function told(
  calls: Calls,
  { create, through }: { readonly create: EtcdInput<"WatchCreateRequest">; readonly through: number },
): Promise<string> {
  const stream = calls.stream("Watch");
  await stream.send({ createRequest: create });
  const events: EtcdOutput<"Event">[] = [];
  const others: object[] = [];
  for await (const answer of stream) {
    events.push(...answer.events);
    if (answer.events.length === 0) others.push({ ...answer, header: undefined });
    if (answer.canceled) break;
    // The last revision is a put of a key that every watch of these tests covers.
    if (events.at(-1)?.kv?.modRevision === through) break;
  }
  return shown({ others, events });
}

describe.skipIf(!hasEtcd)("the same requests have the same answers from etcd and ours", () => {
  let scratch: string;
  beforeAll(async () => void (scratch = await temporaryDirectory()));
  afterAll(() => rm(scratch, { recursive: true }));

  async function compared(seed: number, requests: number): Promise<void> {
    const servers: RunningEtcd[] = [
      await startEtcd(join(scratch, `etcd-${seed}`)),
      await startOurs(createMemoryStore()),
    ];
    const channels = servers.map(({ endpoint }) => openChannel(endpoint.replace("http://", "dns:")));
    const [theirs, ours] = channels.map(callsOf) as [Calls, Calls];
    const both = async (request: Request) => {
      const [expected, found] = await Promise.all([answerOf(theirs, request), answerOf(ours, request)]);
      if (found !== expected)
        throw new Error(`${flat(shown(request))}\nours:   ${flat(found)}\ntheirs: ${flat(expected)}`);
      return found;
    };
    try {
      const made = new Requests(seed);
      for (let count = 0; count < requests; count++) {
        const request = made.next();
        const found = await both(request);
        made.revision = Math.max(made.revision, revisionIn(found));
      }
      const through = revisionIn(await both(["Put", { key: "e", value: Buffer.from("end") }]));
      const compacted = (await ours.unary("HashKV", {})).compactRevision;
      for (const create of [
        { key: "\0", rangeEnd: "\0", startRevision: Math.max(compacted, 0) + 1, prevKv: true },
        { key: "a", rangeEnd: "f", startRevision: Math.max(compacted, 1) },
        { key: "a", rangeEnd: "f", startRevision: Math.max(through - 30, 1) },
        { key: "e", startRevision: 1 },
        { key: "b", rangeEnd: "\0", startRevision: Math.max(through - 30, 1), filters: [1], watchId: 7 },
        { key: "b", rangeEnd: "a", startRevision: 1 },
      ]) {
        const [expected, found] = await Promise.all([
          told(theirs, { create, through }),
          told(ours, { create, through }),
        ]);
        expect(found).toBe(expected);
      }
    } finally {
      for (const channel of channels) channel.close();
      for (const server of servers) await server.stop();
    }
  }

  const seeds = (process.env.KUBETS_ETCD_SEEDS ?? "1").split(",").map(Number);
  test.each(seeds)("seed %i", { timeout: 180_000 }, (seed) => compared(seed, 200));
});
