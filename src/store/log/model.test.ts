import { expect, it } from "vitest";
import { type Random, seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { bytes, text } from "../suite-tools.ts";
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

const seeds = 24;
const livesOfOneDisk = 6;
const writers = 4;

type State = ReadonlyMap<string, string>;

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
      expect(revisionOf(change)).toBe(revisionOf(change) === before ? this.newest : this.newest + 1);
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
      return operation === "write" && this.random.next() < 0.1 ? "short" : "ok";
    };
    const store = await this.reopen();
    if (store) {
      await this.check(store);
      store.subscribe("", (changes) => this.model.see(changes));
      await Promise.all(Array.from({ length: writers }, () => this.work(store)));
      await store.close();
    }
    this.disk.restart();
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
        else await this.write(store, dice < 0.4 ? lease : undefined);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        expect(["conflict", "unavailable", "leaseNotFound", "compacted"]).toContain(error.type);
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
    expect(revision).toBeLessThanOrEqual(this.model.newest);
    expect(this.model.states.get(revision)!.get(key)).toContain(value);
  }
}

it("loses nothing that was seen, whenever the machine crashes or the disk is full", async () => {
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
});
