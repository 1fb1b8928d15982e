import { describe, expect, it } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { rangeOfPrefix } from "../key-range.ts";
import { createMemoryStore } from "../memory-store.ts";
import type { Mvcc } from "../mvcc.ts";
import { StoreError, type Versioned } from "../store.ts";
import { bytes, text } from "../suite-tools.ts";
import { FaultDisk } from "./fault-disk.ts";
import { type Action, type Call, notLinearizable } from "./linearizability.ts";
import { openLogStore } from "./log-store.ts";

describe("the checker", () => {
  const put = (value: string): Action => ({ type: "put", value });
  const read = (result: string | undefined): Action => ({ type: "read", result });
  const swap = (expected: string | undefined, value: string, done = true): Action => {
    return { type: "swap", expected, value, done };
  };
  type Line = [invoked: number, answered: number, action: Action];
  const cases: [string, Line[], boolean][] = [
    [
      "one after the other",
      [
        [1, 2, put("a")],
        [3, 4, read("a")],
      ],
      true,
    ],
    [
      "a stale read",
      [
        [1, 2, put("a")],
        [3, 4, put("b")],
        [5, 6, read("a")],
      ],
      false,
    ],
    [
      "a read of what is under way",
      [
        [1, 4, put("a")],
        [2, 3, read("a")],
      ],
      true,
    ],
    [
      "a read that goes back",
      [
        [1, 8, put("a")],
        [2, 3, read("a")],
        [4, 5, read(undefined)],
      ],
      false,
    ],
    [
      "two winners",
      [
        [1, 4, swap(undefined, "a")],
        [2, 3, swap(undefined, "b")],
      ],
      false,
    ],
    [
      "one winner",
      [
        [1, 4, swap(undefined, "a")],
        [2, 3, swap(undefined, "b", false)],
      ],
      true,
    ],
    [
      "a loser before any winner",
      [
        [1, 2, swap(undefined, "b", false)],
        [3, 4, swap(undefined, "a")],
      ],
      false,
    ],
    [
      "an effect without answer",
      [
        [1, Infinity, put("a")],
        [2, 3, read(undefined)],
        [4, 5, read("a")],
      ],
      true,
    ],
    [
      "no effect without answer",
      [
        [1, Infinity, put("a")],
        [2, 3, read(undefined)],
      ],
      true,
    ],
    ["a value that nobody wrote", [[1, 2, read("a")]], false],
    [
      "a deletion that does nothing",
      [
        [1, 2, put("a")],
        [3, 4, { type: "delete" }],
        [5, 6, read("a")],
      ],
      false,
    ],
  ];
  it.each(cases)("%s", (_, lines, isLinearizable) => {
    const history = lines.map(([invoked, answered, action]) => ({ key: "/a", invoked, answered, action }));
    const other: Call = { key: "/other", invoked: 1, answered: 9, action: { type: "put", value: "x" } };
    expect(notLinearizable([...history, other])).toEqual(isLinearizable ? [] : ["/a"]);
  });
});

const seeds = Number(process.env["STORE_SEEDS"] ?? 8);
const timeout = 10_000 + seeds * 2_000;
const clients = 6;
const callsOfClient = 14;

/** Clients that call without waiting for one another, and what they were answered. */
class Recorder {
  readonly history: Call[] = [];
  private readonly random;
  private time = 0;
  private count = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  async run(store: Mvcc, isLost: () => boolean): Promise<void> {
    await Promise.all(Array.from({ length: clients }, () => this.client(store, isLost)));
  }

  private async client(store: Mvcc, isLost: () => boolean): Promise<void> {
    for (let call = 0; call < callsOfClient && !isLost(); call++) {
      const key = `/${Math.floor(this.random.next() * 3)}`;
      const invoked = ++this.time;
      const { doing, fallback } = this.call(store, key);
      let action: Action | undefined;
      let answered = Infinity;
      try {
        action = await doing;
        answered = ++this.time;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        // For want of space nothing was written; after another failure only the disk knows.
        if (!error.message.startsWith("no space")) action = fallback;
      }
      if (action) this.history.push({ key, invoked, answered, action });
      // A store whose disk has failed takes no more: calls that are refused tell nothing.
      if (answered === Infinity && action) return;
      for (let turns = this.random.next() * 3; turns > 1; turns--) await new Promise(setImmediate);
    }
  }

  /** A call, and what it may have done when no answer comes. */
  private call(store: Mvcc, key: string): { doing: Promise<Action>; fallback: Action | undefined } {
    const dice = this.random.next();
    const value = String(this.count++);
    const range = { start: key, end: `${key}\0` };
    const success = (operation: Parameters<Mvcc["transact"]>[0]["success"][number]) =>
      store.transact({ compare: [], success: [operation], failure: [] });
    if (dice < 0.2) return { doing: store.get(key).then(readOf), fallback: undefined };
    if (dice < 0.3) {
      const list = store.list("/").then(({ items }) => readOf(items.find((item) => item.key === key)));
      return { doing: list, fallback: undefined };
    }
    if (dice < 0.4) {
      const reading = success({ type: "range", range: rangeOfPrefix("/") }).then(({ results: [result] }) =>
        readOf(result?.type === "range" ? result.items.find((item) => item.key === key) : undefined),
      );
      return { doing: reading, fallback: undefined };
    }
    if (dice < 0.5) {
      const action = { type: "delete" } as const;
      return { doing: success({ type: "delete", range }).then(() => action), fallback: action };
    }
    if (dice < 0.65) {
      const action = { type: "put", value } as const;
      return {
        doing: success({ type: "put", key, value: bytes(value) }).then(() => action),
        fallback: action,
      };
    }
    return this.swap(store, { key, value });
  }

  private swap(store: Mvcc, { key, value }: { key: string; value: string }) {
    const expected = this.random.next() < 0.3 ? undefined : this.lastRead(key);
    const swapped = (done: boolean): Action => ({ type: "swap", expected, value, done });
    const range = { start: key, end: `${key}\0` };
    const compare =
      expected === undefined
        ? ({ range, target: "version", result: "equal", operand: 0 } as const)
        : ({ range, target: "value", result: "equal", operand: bytes(expected) } as const);
    const put = { type: "put", key, value: bytes(value) } as const;
    const doing = store
      .transact({ compare: [compare], success: [put], failure: [] })
      .then(({ succeeded }) => swapped(succeeded));
    return { doing, fallback: swapped(true) };
  }

  private lastRead(key: string): string | undefined {
    const reads = this.history.filter((call) => call.key === key).map(({ action }) => action);
    const last = reads.findLast(({ type }) => type === "read" || type === "put" || type === "swap");
    if (last?.type === "read") return last.result;
    return last && "value" in last ? last.value : undefined;
  }
}

const readOf = (found: Versioned | undefined): Action => ({
  type: "read",
  result: found && text(found.value),
});

describe("histories of concurrent clients", () => {
  it("of a memory store are linearizable", { timeout }, async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const recorder = new Recorder(seed);
      await recorder.run(createMemoryStore({ clock: new VirtualClock() }), () => false);
      expect(notLinearizable(recorder.history), `seed ${seed}`).toEqual([]);
    }
  });

  it(
    "of a log store are linearizable, through slow, full and failing disks and crashes",
    { timeout },
    async () => {
      let answers = 0;
      for (let seed = 1; seed <= seeds; seed++) {
        const random = seededRandom(seed);
        const disk = new FaultDisk(random);
        const recorder = new Recorder(seed);
        for (let life = 0; life < 3; life++) {
          let steps = 20 + random.next() * 60;
          disk.decide = async (operation) => {
            for (let turns = random.next() * 3; turns > 1; turns--) await new Promise(setImmediate);
            if (steps-- < 0) return "crash";
            const dice = random.next();
            if (dice < 0.003) return "EIO";
            return operation === "write" && dice < 0.05 ? "ENOSPC" : "ok";
          };
          const clock = new VirtualClock();
          const store = await openLogStore({ directory: "/store", clock, disk }).catch(() => undefined);
          if (store) {
            await recorder.run(store, () => disk.isCrashed);
            await store.close();
          }
          disk.restart();
        }
        answers += recorder.history.filter(({ answered }) => answered < Infinity).length;
        expect(notLinearizable(recorder.history), `seed ${seed}`).toEqual([]);
      }
      expect(answers).toBeGreaterThan(seeds * 60);
    },
  );
});
