import { expect } from "vitest";
import { VirtualClock } from "../base/index.ts";
import { keyAfter, rangeOfPrefix } from "./key-range.ts";
import type { Compare, KeyRange, Mvcc, Operation, OperationResult, Outcome } from "./mvcc.ts";
import { revisionOf, type Write } from "./store.ts";
import {
  type Behaviours,
  bytes,
  create,
  keys,
  line,
  refusal,
  runBehaviours,
  text,
  update,
  watchFrom,
  watchRangeFrom,
} from "./suite-tools.ts";

interface Subject {
  readonly store: Mvcc;
  readonly clock: VirtualClock;
}

const one = (key: string): KeyRange => ({ start: key, end: keyAfter(key) });
const put = (key: string, value = "1", more: object = {}): Operation => ({
  type: "put",
  key,
  value: bytes(value),
  ...more,
});
const remove = (range: KeyRange): Operation => ({ type: "delete", range });
const read = (range: KeyRange, more: object = {}): Operation => ({ type: "range", range, ...more });
const when = (
  key: string | KeyRange,
  target: Compare["target"],
  result: Compare["result"],
  operand: number | string,
): Compare => ({
  range: typeof key === "string" ? one(key) : key,
  target,
  result,
  operand: target === "value" ? bytes(String(operand)) : operand,
});
const inner = (compare: readonly Compare[], success: Operation[], failure: Operation[] = []): Operation => ({
  type: "transaction",
  transaction: { compare, success, failure },
});

const transact = (
  store: Mvcc,
  success: readonly Operation[],
  compare: readonly Compare[] = [],
  failure: readonly Operation[] = [],
): Promise<Outcome> => store.transact({ compare, success, failure });

/** An outcome as readable text. */
function told({ succeeded, revision, results }: Outcome): string {
  return [`${succeeded ? "success" : "failure"} ${revision}`, ...results.map(toldResult)].join(", ");
}

function toldResult(result: OperationResult): string {
  switch (result.type) {
    case "range":
      return `${result.items.map(({ key, value }) => `${key}=${text(value)}`).join(" ")} of ${result.count}`;
    case "put":
      return result.previous ? `put over ${text(result.previous.value)}` : "put";
    case "delete":
      return `deleted ${result.deleted.map(({ key }) => key).join(" ")}`.trim();
    case "transaction":
      return `[${told(result.outcome)}]`;
  }
}

/** What etcd 3.4 answers to the same requests, case by case. */
const transactions: Behaviours<Subject>[string] = {
  "make one revision of several changes, in the order of the operations": async ({ store }) => {
    const outcome = await transact(store, [put("/b"), put("/a"), read(rangeOfPrefix("/")), put("/c")]);
    expect(told(outcome)).toBe("success 2, put, put, /a=1 /b=1 of 2, put");
    expect(await store.get("/c")).toMatchObject({ createRevision: 2, modRevision: 2, version: 1 });
    expect(await watchFrom(store, "/", 1).read(3)).toEqual(["2 put /b=1", "2 put /a=1", "2 put /c=1"]);
    expect(store.revision).toBe(2);
    const { changes, through } = await store.changes("/", { after: 1, limit: 1 });
    expect([changes.length, through]).toEqual([3, 2]);
    expect(told(await transact(store, [remove(rangeOfPrefix("/")), remove(one("/a"))]))).toBe(
      "success 3, deleted /a /b /c, deleted",
    );
    expect((await store.list("", { at: 2 })).items.length).toBe(3);
    expect(told(await transact(store, [remove(one("/a")), read(one("/a"))]))).toBe(
      "success 3, deleted,  of 0",
    );
  },

  "put without conditions, and keep the value or the lease when asked": async ({ store }) => {
    const lease = await store.grantLease(60_000);
    await transact(store, [put("/a", "1", { lease })]);
    expect(told(await transact(store, [put("/a", "2", { lease: "keep" })]))).toBe("success 3, put over 1");
    expect(await store.get("/a")).toMatchObject({ createRevision: 2, modRevision: 3, version: 2, lease });
    await transact(store, [{ type: "put", key: "/a" }]);
    expect(text((await store.get("/a"))!.value)).toBe("2");
    expect((await store.get("/a"))!.lease).toBeUndefined();
    await store.revokeLease(lease);
    expect(await store.get("/a")).toBeDefined();
    expect(await refusal(transact(store, [{ type: "put", key: "/none" }]))).toBe("invalid");
    await expect(transact(store, [put("/none", "1", { lease: "keep" })])).rejects.toThrow("key not found");
    expect(await refusal(transact(store, [put("/x"), put("/y", "1", { lease })]))).toBe("leaseNotFound");
    expect(store.revision).toBe(4);
  },

  "decide by version, revisions, value and lease of each key of a range": async ({ store }) => {
    const lease = await store.grantLease(60_000, { id: "5000000000000000001" });
    await store.commit(create("/a", "m"));
    await store.commit(update("/a", "n", 2));
    await store.commit(create("/b", "n", lease));
    const both = rangeOfPrefix("/");
    const cases: [Compare, boolean][] = [
      [when("/a", "version", "equal", 2), true],
      [when("/a", "version", "greater", 2), false],
      [when("/a", "create", "less", 3), true],
      [when("/a", "mod", "notEqual", 3), false],
      [when("/a", "value", "greater", "m"), true],
      [when("/a", "value", "less", "nn"), true],
      [when("/a", "lease", "equal", "0"), true],
      [when("/b", "lease", "equal", "5000000000000000001"), true],
      [when("/b", "lease", "greater", "5000000000000000000"), true],
      [when("/none", "mod", "equal", 0), true],
      [when("/none", "lease", "equal", "0"), true],
      [when("/none", "value", "notEqual", "1"), false],
      [when({ start: "/x", end: "/y" }, "version", "equal", 0), true],
      [when(both, "value", "equal", "n"), true],
      [when(both, "version", "equal", 2), false],
      [when({ start: "/b", end: undefined }, "version", "equal", 1), true],
    ];
    for (const [compare, succeeds] of cases) {
      const outcome = await transact(store, [], [compare]);
      expect(outcome, JSON.stringify(compare)).toEqual({ succeeded: succeeds, revision: 4, results: [] });
    }
    const all = [when("/a", "version", "equal", 2), when("/b", "version", "equal", 9)];
    expect(told(await transact(store, [put("/a")], all, [read(one("/b"))]))).toBe("failure 4, /b=n of 1");
  },

  "refuse to change a key twice, whichever branch is taken": async ({ store }) => {
    const cases: [Operation[], Operation[]][] = [
      [[put("/x"), put("/x")], []],
      [[], [put("/x"), put("/x")]],
      [[put("/x"), remove(one("/x"))], []],
      [[inner([], [put("/n")]), put("/n")], []],
      [[inner([], [put("/n"), put("/n")])], []],
      [[inner([], [remove({ start: "/a", end: "/z" })]), put("/n")], []],
    ];
    for (const [success, failure] of cases) {
      await expect(transact(store, success, [], failure)).rejects.toThrow(
        "duplicate key given in txn request",
      );
    }
    expect(store.revision).toBe(1);
    expect(told(await transact(store, [inner([], [put("/n")], [put("/n")]), put("/m")]))).toBe(
      "success 2, [success 2, put], put",
    );
  },

  "change a key twice where a deletion may meet puts, and tell both changes": async ({ store }) => {
    await store.commit(create("/b", "old"));
    const all: Operation = { type: "delete", range: { start: "/", end: undefined }, meetsPuts: true };
    const first = transact(store, [put("/a"), all, read(rangeOfPrefix("/"))]);
    expect(told(await first)).toBe("success 3, put, deleted /a /b,  of 0");
    expect(told(await transact(store, [put("/b"), all, put("/c")]))).toBe("success 4, put, deleted /b, put");
    expect(told(await transact(store, [all, put("/c", "2")]))).toBe("success 5, deleted /c, put");
    expect(await watchFrom(store, "/", 2).read(8)).toEqual([
      "3 put /a=1",
      "3 delete /a was 1",
      "3 delete /b was old",
      "4 put /b=1",
      "4 delete /b was 1",
      "4 put /c=1",
      "5 delete /c was 1",
      "5 put /c=2",
    ]);
    expect(await store.get("/c")).toMatchObject({ createRevision: 5, version: 1, place: 1 });
    expect(await store.get("/b", { at: 3 })).toBeUndefined();
    expect(text((await store.get("/b", { at: 2 }))!.value)).toBe("old");
    await store.compact(4);
    expect(await watchFrom(store, "/", 4).read(2)).toEqual(["5 delete /c was 1", "5 put /c=2"]);
  },

  "decide the comparisons of inner transactions before anything is done": async ({ store }) => {
    const absent = when("/q", "version", "equal", 0);
    expect(
      told(
        await transact(store, [
          put("/q"),
          inner([absent], [read(one("/q"))], [read(one("/q"), { countOnly: true })]),
        ]),
      ),
    ).toBe("success 2, put, [success 2, /q=1 of 1]");
  },

  "read the past, and refuse what cannot be read without doing the rest": async ({ store }) => {
    await store.commit(create("/f", "old"));
    const now = read(one("/f"));
    expect(told(await transact(store, [put("/f", "new"), read(one("/f"), { at: 2 }), now]))).toBe(
      "success 3, put over old, /f=old of 1, /f=new of 1",
    );
    expect(await refusal(transact(store, [put("/f"), read(one("/f"), { at: 99 })]))).toBe("future");
    await store.compact(3);
    expect(await refusal(transact(store, [put("/f"), read(one("/f"), { at: 2 })]))).toBe("compacted");
    expect(await refusal(transact(store, [read(one("/f"), { at: 2 })]))).toBe("compacted");
    expect(store.revision).toBe(3);
  },

  "read pages and counts of what they have changed themselves": async ({ store }) => {
    for (const key of ["/a", "/c", "/e", "/g"]) await store.commit(create(key));
    const all = rangeOfPrefix("/");
    const outcome = await transact(store, [
      remove(one("/c")),
      put("/b"),
      put("/h"),
      put("/e", "2"),
      read(all, { limit: 2 }),
      read(all, { limit: 3 }),
      read(all, { countOnly: true }),
      read({ start: "/e", end: undefined }),
      read(all, { at: 5, limit: 1 }),
    ]);
    expect(told(outcome)).toBe(
      "success 6, deleted /c, put, put, put over 1, /a=1 /b=1 of 5, /a=1 /b=1 /e=2 of 5,  of 5, /e=2 /g=1 /h=1 of 3, /a=1 of 4",
    );
  },

  "build upon one another while they are under way": async ({ store }) => {
    const outcomes = await Promise.all([
      store.commit(create("/a")),
      transact(store, [put("/b"), remove(one("/a"))], [when("/a", "mod", "equal", 2)]).then(told),
      transact(store, [put("/z")], [when("/b", "version", "equal", 0)], [read(rangeOfPrefix("/"))]).then(
        told,
      ),
      transact(store, [{ type: "put", key: "/b" }, put("/c")]).then(told),
      refusal(transact(store, [{ type: "put", key: "/a" }])),
    ]);
    expect(outcomes).toEqual([
      2,
      "success 3, put, deleted /a",
      "failure 3, /b=1 of 1",
      "success 4, put over 1, put",
      "invalid",
    ]);
    expect(store.revision).toBe(4);
  },
};

const ranges: Behaviours<Subject>[string] = {
  "hold what lies between two keys, and tell how much there is": async ({ store }) => {
    for (const key of ["/a", "/b", "/c", "/d"]) await store.commit(create(key));
    await store.commit({ type: "delete", key: "/c", ifModified: 4 });
    const found = async (range: KeyRange, options = {}) => {
      const { items, count, revision } = await store.range(range, options);
      return `${items.map(({ key }) => key).join(" ")} of ${count} at ${revision}`;
    };
    expect(await found({ start: "/b", end: "/d" })).toBe("/b of 1 at 6");
    expect(await found({ start: "/b", end: "/d" }, { at: 5 })).toBe("/b /c of 2 at 5");
    expect(await found({ start: "/b", end: undefined })).toBe("/b /d of 2 at 6");
    expect(await found({ start: "", end: undefined }, { limit: 1 })).toBe("/a of 3 at 6");
    expect(await found({ start: "", end: undefined }, { countOnly: true })).toBe(" of 3 at 6");
    expect(await found({ start: "", end: undefined }, { countOnly: true, at: 5 })).toBe(" of 4 at 5");
    expect(await found(one("/a"))).toBe("/a of 1 at 6");
    expect(await found({ start: "/c", end: "/a" })).toBe(" of 0 at 6");
    expect(await refusal(store.range(one("/a"), { at: 9 }))).toBe("future");
  },

  "are watched, without splitting a revision": async ({ store }) => {
    const { read: readMiddle } = watchRangeFrom(store, { start: "/b", end: "/d" }, 1);
    const { read: readOne } = watchRangeFrom(store, one("/b"), 2);
    await transact(
      store,
      ["/a", "/b", "/c", "/d"].map((key) => put(key)),
    );
    await transact(store, [remove(rangeOfPrefix("/"))]);
    const middle = ["2 put /b=1", "2 put /c=1", "3 delete /b was 1", "3 delete /c was 1"];
    expect(await readMiddle(4)).toEqual(middle);
    expect(await readOne(1)).toEqual(["3 delete /b was 1"]);
    const many = Array.from({ length: 2_500 }, (_, index) => put(`/many/${index}`));
    await transact(store, many);
    await store.commit(create("/last"));
    const stop = new AbortController();
    for await (const batch of store.watch("/", { after: 3, signal: stop.signal })) {
      expect(batch.length).toBe(2_500);
      stop.abort();
    }
  },
};

const leases: Behaviours<Subject>[string] = {
  "have the identity that was chosen": async ({ store }) => {
    expect(await store.grantLease(60_000, { id: "9223372036854775807" })).toBe("9223372036854775807");
    expect(await refusal(store.grantLease(60_000, { id: "9223372036854775807" }))).toBe("leaseExists");
    expect(await store.grantLease(60_000, { id: "-5" })).toBe("-5");
    expect(await store.grantLease(60_000, { id: "2" })).toBe("2");
    const own = [await store.grantLease(60_000), await store.grantLease(60_000)];
    expect(new Set([...own, "2", "-5", "9223372036854775807"]).size).toBe(5);
    const twice = ["7", "7"].map((id) => refusal(store.grantLease(60_000, { id })));
    expect(await Promise.all(twice)).toEqual(["accepted", "leaseExists"]);
    expect(await refusal(store.grantLease(60_000, { id: "x" }))).toBe("invalid");
    await store.revokeLease("-5");
    expect(store.leases()).toEqual(["9223372036854775807", "2", ...own, "7"]);
    expect(await store.grantLease(60_000, { id: "-5" })).toBe("-5");
  },

  "tell what is left of them, and their keys": async ({ store, clock }) => {
    const id = await store.grantLease(10_000);
    await store.commit(create("/b", "1", id));
    await store.commit(create("/a", "1", id));
    await clock.advance(4_000);
    expect(store.leaseStatus(id)).toEqual({ id, granted: 10_000, remaining: 6_000, keys: ["/a", "/b"] });
    await store.keepLeaseAlive(id);
    expect(store.leaseStatus(id)!.remaining).toBe(10_000);
    await store.commit({ type: "delete", key: "/a", ifModified: 3 });
    expect(store.leaseStatus(id)!.keys).toEqual(["/b"]);
    const ended = watchFrom(store, "/", 4).read(1);
    await clock.advance(10_000);
    expect(await ended).toEqual(["5 delete /b was 1"]);
    await store.commit(create("/after"));
    expect(store.leaseStatus(id)).toBeUndefined();
  },

  "that expire delete their keys, in one revision": async ({ store, clock }) => {
    const lease = await store.grantLease(10_000);
    await store.commit(create("/b", "1", lease));
    await store.commit(create("/a", "1", lease));
    const { read: readNext } = watchFrom(store, "/", 3);
    await clock.advance(9_999);
    expect(await store.get("/a")).toBeDefined();
    await clock.advance(1);
    expect(await readNext(2)).toEqual(["4 delete /a was 1", "4 delete /b was 1"]);
    expect(await refusal(store.keepLeaseAlive(lease))).toBe("leaseNotFound");
  },

  "live on when they are kept alive": async ({ store, clock }) => {
    const lease = await store.grantLease(10_000);
    const other = await store.grantLease(60_000);
    const moved = await store.commit(create("/moved", "1", lease));
    await store.commit({ ...update("/moved", "2", moved), lease: other } as Write);
    await store.commit(create("/ends", "1", lease));
    await clock.advance(6_000);
    await store.keepLeaseAlive(lease);
    await clock.advance(6_000);
    expect((await keys(store, "")).keys).toBe("/ends /moved");
    await clock.advance(4_000);
    await store.commit(create("/after"));
    expect((await keys(store, "")).keys).toBe("/after /moved");
  },

  "of many hours expire at their time": async ({ store, clock }) => {
    const lease = await store.grantLease(30 * 60_000);
    await store.commit(create("/a", "1", lease));
    await clock.advance(20 * 60_000);
    await store.keepLeaseAlive(lease);
    await clock.advance(30 * 60_000 - 1);
    await store.commit(create("/b"));
    expect(await store.get("/a")).toBeDefined();
    const ended = watchFrom(store, "/", 3).read(1);
    await clock.advance(1);
    expect(await ended).toEqual(["4 delete /a was 1"]);
  },
};

const subscriptions: Behaviours<Subject>[string] = {
  "calls subscribers before the commit settles, in order, until they leave": async ({ store }) => {
    const heard: string[] = [];
    const leave = store.subscribe!("/a", (changes) => {
      heard.push(...changes.map(line));
      expect(store.revision).toBeGreaterThanOrEqual(revisionOf(changes.at(-1)!));
    });
    await store.commit(create("/a"));
    await store.commit(create("/b"));
    expect(heard).toEqual(["2 put /a=1"]);
    await Promise.all([
      store.commit(create("/a1")),
      store.commit(create("/b1")),
      store.commit(create("/a2")),
    ]);
    expect(heard).toEqual(["2 put /a=1", "4 put /a1=1", "6 put /a2=1"]);
    leave();
    await store.commit(create("/a3"));
    expect(heard.length).toBe(3);
  },
};

const sizes: Behaviours<Subject>[string] = {
  "count what can be read, until it is compacted": async ({ store }) => {
    let revision = await store.commit(create("/a", "x".repeat(1_000)));
    const { used } = store.sizes;
    revision = await store.commit(update("/a", "y".repeat(1_000), revision));
    expect(store.sizes.used).toBeGreaterThan(used + 900);
    await store.compact(revision);
    expect(store.sizes.used).toBe(used);
    await store.defragment();
    expect(text((await store.get("/a"))!.value)).toBe("y".repeat(1_000));
  },
};

const order: Behaviours<Subject>[string] = {
  "gives concurrent writers revisions without gaps, in the order of their calls": async ({ store }) => {
    const revisions = await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.commit(create(`/${index}`))),
    );
    expect(revisions).toEqual(Array.from({ length: 100 }, (_, index) => index + 2));
  },

  "lets a write build on one that is still under way": async ({ store }) => {
    const settled = await Promise.allSettled([
      store.commit(create("/a")),
      store.commit(update("/a", "2", 2)),
      store.commit({ type: "delete", key: "/a", ifModified: 3 }),
      store.commit(create("/a", "again")),
    ]);
    expect(settled.map((one) => one.status === "fulfilled" && one.value)).toEqual([2, 3, 4, 5]);
    expect(text((await store.get("/a"))!.value)).toBe("again");
  },
};

/** The behaviour of stores that offer all of etcd's services; `open` makes an empty one on the clock. */
export function mvccSuite(name: string, open: (options: { clock: VirtualClock }) => Promise<Mvcc>): void {
  runBehaviours(name, { order, transactions, ranges, leases, subscriptions, sizes }, async () => {
    const clock = new VirtualClock();
    return { store: await open({ clock }), clock };
  });
}
