import { expect, it } from "vitest";
import { type Random, seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { bytes, text } from "../suite-tools.ts";
import type { Operation, Outcome } from "../mvcc.ts";
import {
  type Change,
  keyOf,
  type LeaseId,
  type Revision,
  revisionOf,
  StoreError,
  type Versioned,
  type Write,
} from "../store.ts";
import { FaultDisk } from "./fault-disk.ts";
import { type LogStore, openLogStore } from "./log-store.ts";

/** More of them by the environment: each is another life of the store. */
const seeds = Number(process.env["STORE_SEEDS"] ?? 12);
const timeout = 10_000 + seeds * 2_000;
const livesOfOneDisk = 6;
const writers = 4;
/** Steps of the disk that fail for good. */
const brokenShare = 0.001;

type State = ReadonlyMap<string, string>;

/** As `expect`, which takes a third of the test's time when it is called for each of a million values. */
function same(actual: unknown, expected: unknown): void {
  if (actual !== expected) expect(actual).toBe(expected);
}

/** What every reader has seen: the state of each revision. A crash may add to it, and must not take from it. */
class Model {
  readonly states = new Map<Revision, State>([[1, new Map()]]);
  readonly issued = new Set<string>();
  newest: Revision = 1;
  compactedAtLeast: Revision = 0;
  compactedAtMost: Revision = 0;

  see(changes: readonly Change[]): void {
    let before: Revision = 0;
    for (const change of changes) {
      // Several changes may make one revision, and then come together.
      same(revisionOf(change), revisionOf(change) === before ? this.newest : this.newest + 1);
      before = revisionOf(change);
      const state = new Map(this.states.get(this.newest));
      if (change.type === "delete") state.delete(change.key);
      else {
        const issued = `${keyOf(change)}=${text(change.current.value)}`;
        if (!this.issued.has(issued)) expect.fail(`${issued} was never asked for`);
        state.set(change.current.key, described(change.current));
      }
      this.newest = before;
      this.states.set(this.newest, state);
    }
  }
}

function described({ value, createRevision, modRevision, version }: Versioned): string {
  return `${text(value)}@${createRevision}/${modRevision}/${version}`;
}

const one = (key: string) => ({ start: key, end: `${key}\0` });

class Simulation {
  readonly random: Random;
  readonly disk: FaultDisk;
  readonly model = new Model();
  private count = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.disk = new FaultDisk(this.random);
  }

  async live(): Promise<void> {
    let steps = Math.floor(this.random.next() * 300);
    let full = 0;
    this.disk.decide = (operation) => {
      if (steps-- <= 0) return "crash";
      if (full > 0 && full--) return operation === "truncate" || operation === "remove" ? "ok" : "ENOSPC";
      if (this.random.next() < 0.02) full = 5;
      if (this.random.next() < brokenShare) return "EIO";
      return operation === "write" && this.random.next() < 0.1 ? "short" : "ok";
    };
    const store = await this.reopen();
    if (store) {
      await this.check(store);
      store.subscribe("", (changes) => this.model.see(changes));
      await Promise.all(Array.from({ length: writers }, () => this.work(store)));
      await store.close();
    }
    // A process may end while the machine goes on, with all that it has written and not synchronized.
    if (this.disk.isCrashed || this.random.next() < 0.5) this.disk.restart();
  }

  async reopen(): Promise<LogStore | undefined> {
    const options = { directory: "/store", clock: new VirtualClock(), logger: silentLogger };
    const sizes = { segmentBytes: 4096, garbageFloor: 1024 };
    try {
      return await openLogStore({ ...options, ...sizes, disk: this.disk });
    } catch (error) {
      if (error instanceof StoreError || error instanceof RangeError) throw error;
      return undefined;
    }
  }

  /** Everything that was ever seen is there; what more there is was at least asked for. */
  async check(store: LogStore): Promise<void> {
    const { model } = this;
    expect(store.revision).toBeGreaterThanOrEqual(model.newest);
    expect(store.compactedRevision).toBeGreaterThanOrEqual(model.compactedAtLeast);
    expect(store.compactedRevision).toBeLessThanOrEqual(model.compactedAtMost);
    if (store.revision > model.newest) {
      const { signal } = new AbortController();
      for await (const changes of store.watch("", { after: model.newest, signal })) {
        model.see(changes);
        if (model.newest >= store.revision) break;
      }
    }
    for (let at = Math.max(store.compactedRevision, 1); at <= store.revision; at++) {
      const { items } = await store.list("", { at });
      const found = items.map((item) => `${item.key}=${described(item)}`).join("\n");
      const expected = [...model.states.get(at)!].map(([key, value]) => `${key}=${value}`).toSorted();
      if (found !== expected.join("\n")) expect(found, `revision ${at}`).toBe(expected.join("\n"));
    }
  }

  private async work(store: LogStore): Promise<void> {
    let lease: LeaseId | undefined;
    for (let turn = 0; turn < 30 && !this.disk.isCrashed; turn++) {
      const dice = this.random.next();
      try {
        if (dice < 0.05) await this.compact(store);
        else if (dice < 0.1) lease = await store.grantLease(1_000_000);
        else if (dice < 0.13 && lease !== undefined) await store.revokeLease(lease);
        else if (dice < 0.5) await this.transact(store, dice < 0.3 ? lease : undefined);
        else await this.write(store, dice < 0.7 ? lease : undefined);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        same(["conflict", "unavailable", "leaseNotFound", "compacted"].includes(error.type), true);
      }
    }
  }

  private async compact(store: LogStore): Promise<void> {
    const { model } = this;
    const through = Math.floor(1 + this.random.next() * store.revision);
    model.compactedAtMost = Math.max(model.compactedAtMost, through);
    await store.compact(through);
    model.compactedAtLeast = Math.max(model.compactedAtLeast, through);
  }

  /** What a transaction answers is what the model has for it, at the revision that it names. */
  private async transact(store: LogStore, lease: LeaseId | undefined): Promise<void> {
    const pick = (count: number) => Math.floor(this.random.next() * count);
    const keys = Array.from({ length: 8 }, (_, index) => `/${index}`).filter(() => this.random.next() < 0.3);
    const compared = `/${pick(8)}`;
    const seen = await store.get(compared);
    const operand = this.random.next() < 0.8 ? (seen?.version ?? 0) : pick(4);
    const compare = { range: one(compared), target: "version", result: "equal", operand } as const;
    const put = (key: string): Operation => {
      const value = `${this.count++}`;
      this.model.issued.add(`${key}=${value}`);
      return { type: "put", key, value: bytes(value), ...(lease === undefined ? {} : { lease }) };
    };
    const change = (key: string) =>
      this.random.next() < 0.3 ? ({ type: "delete", range: one(key) } as const) : put(key);
    const all = { type: "range", range: { start: "/", end: undefined } } as const;
    const success = [...keys.map(change), all];
    const failure = this.random.next() < 0.5 ? [all] : [...keys.map(change), all];
    const outcome = await store.transact({ compare: [compare], success, failure });
    this.checkOutcome({ compared, operand, operations: outcome.succeeded ? success : failure }, outcome);
  }

  private checkOutcome(
    asked: { compared: string; operand: number; operations: readonly Operation[] },
    outcome: Outcome,
  ): void {
    const { states } = this.model;
    const { revision, results } = outcome;
    const isChange = results.some(
      (result) => result.type === "put" || (result.type === "delete" && result.deleted.length > 0),
    );
    const before = states.get(isChange ? revision - 1 : revision)!;
    const after = new Map(states.get(revision));
    const version = Number(before.get(asked.compared)?.split("/").at(-1) ?? 0);
    same(outcome.succeeded, version === asked.operand);
    for (const operation of asked.operations) {
      if (operation.type === "put") same(after.get(operation.key)?.includes(`/${revision}/`), true);
      if (operation.type === "delete") same(after.has(operation.range.start), false);
    }
    const last = results.at(-1);
    const found = last?.type === "range" ? last.items : [];
    same(
      found.map((item) => `${item.key}=${described(item)}`).join(),
      [...after]
        .map(([key, value]) => `${key}=${value}`)
        .toSorted()
        .join(),
    );
  }

  private async write(store: LogStore, lease: LeaseId | undefined): Promise<void> {
    const key = `/${Math.floor(this.random.next() * 8)}`;
    const before = await store.get(key);
    if (before && this.random.next() < 0.3) {
      await store.commit({ type: "delete", key, ifModified: before.modRevision });
      return;
    }
    const value = `${this.count++}`.padEnd(Math.floor(this.random.next() * 900), "x");
    this.model.issued.add(`${key}=${value}`);
    const content = lease === undefined ? { key, value: bytes(value) } : { key, value: bytes(value), lease };
    const write: Write = before
      ? { type: "update", ...content, ifModified: before.modRevision }
      : { type: "create", ...content };
    const revision = await store.commit(write);
    same(revision <= this.model.newest, true);
    same(this.model.states.get(revision)!.get(key)!.includes(value), true);
  }
}

it(
  "loses nothing that was seen, whenever the machine crashes, or the disk is full or fails",
  { timeout },
  async () => {
    let revisions = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      try {
        const simulation = new Simulation(seed);
        for (let life = 0; life < livesOfOneDisk; life++) await simulation.live();
        simulation.disk.decide = () => "ok";
        const store = await simulation.reopen();
        await simulation.check(store!);
        await store!.close();
        revisions += simulation.model.newest;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    expect(revisions).toBeGreaterThan(seeds * 50);
  },
);
