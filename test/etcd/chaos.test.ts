import { describe, expect, onTestFinished, test } from "vitest";
import { seededRandom, silentLogger, systemClock } from "../../src/base/index.ts";
import { connectEtcdStore } from "../../src/etcd/client/index.ts";
import type { EtcdStore } from "../../src/etcd/client/index.ts";
import { keyOf, revisionOf, StoreError } from "../../src/store/index.ts";
import type { Change, Revision } from "../../src/store/index.ts";
import { notLinearizable } from "../../src/store/log/linearizability.ts";
import type { Action, Call } from "../../src/store/log/linearizability.ts";
import { bytes, line, text } from "../../src/store/suite-tools.ts";
import { chaosSeconds, chaosSeed, disturb } from "./disturbance.ts";
import { hasEtcd } from "./harness.ts";
import { startMembers } from "./members.ts";

const registers = ["/r/1", "/r/2", "/r/3", "/r/4"];
const writersOfRegister = 3;

/** Calls of clients as a history. */
class Recorder {
  readonly calls: Call[] = [];
  readonly acknowledged: { readonly key: string; readonly revision: Revision; readonly value: string }[] = [];
  unknown = 0;
  private count = 0;

  async record<T>(
    key: string,
    call: () => Promise<T>,
    actionOf: (result: T) => Action,
  ): Promise<T | undefined> {
    const invoked = ++this.count;
    const result = await call();
    this.calls.push({ key, invoked, answered: ++this.count, action: actionOf(result) });
    return result;
  }

  /** A conditional write; what cannot be told may have happened at any time. */
  async swap(
    key: string,
    { expected, value }: { expected: string | undefined; value: string },
    call: () => Promise<Revision>,
  ) {
    const invoked = ++this.count;
    const told = (done: boolean, answered: number) =>
      this.calls.push({ key, invoked, answered, action: { type: "swap", expected, value, done } });
    try {
      const revision = await call();
      told(true, ++this.count);
      this.acknowledged.push({ key, revision, value });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.type === "conflict") return told(false, ++this.count);
      expect(error.type).toBe("unavailable");
      this.unknown++;
      told(true, Infinity);
    }
    return undefined;
  }
}

/** Reads a register and replaces what it saw, again and again. */
async function writeRegister(
  store: EtcdStore,
  { key, name, recorder, until }: { key: string; name: string; recorder: Recorder; until: number },
) {
  for (let count = 0; Date.now() < until; count++) {
    try {
      const seen = await recorder.record(
        key,
        () => store.get(key),
        (found) => ({ type: "read", result: found && text(found.value) }),
      );
      const value = `${name}-${count}`;
      const expected = seen && text(seen.value);
      await recorder.swap(key, { expected, value }, () =>
        store.commit(
          seen
            ? { type: "update", key, value: bytes(value), ifModified: seen.modRevision }
            : { type: "create", key, value: bytes(value) },
        ),
      );
    } catch (error) {
      // A read that is not answered says nothing.
      if (!(error instanceof StoreError) || error.type !== "unavailable") throw error;
    }
    await systemClock.sleep(15);
  }
}

/** Creates and deletes keys of its own. */
async function churn(
  store: EtcdStore,
  { name, recorder, until }: { name: string; recorder: Recorder; until: number },
) {
  for (let count = 0; Date.now() < until; count++) {
    const key = `/c/${name}-${count}`;
    try {
      const revision = await store.commit({ type: "create", key, value: bytes(name) });
      recorder.acknowledged.push({ key, revision, value: name });
      if (count % 2) await store.commit({ type: "delete", key, ifModified: revision });
    } catch (error) {
      if (!(error instanceof StoreError) || error.type !== "unavailable") throw error;
      recorder.unknown++;
    }
    await systemClock.sleep(10);
  }
}

/** Records what a watch tells until it has told all through the revision that is known only later. */
function record(store: EtcdStore, prefix: string, withProgress: boolean) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const changes: Change[] = [];
  let arrived: () => void = () => {};
  const reading = (async () => {
    const onProgress = withProgress ? () => arrived() : undefined;
    const options = { after: 1, signal: stop.signal, ...(onProgress ? { onProgress } : {}) };
    for await (const batch of store.watch(prefix, options)) {
      changes.push(...batch);
      arrived();
    }
  })();
  const reached = async (count: number) => {
    while (changes.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    // Nothing may follow that was told before.
    await systemClock.sleep(200);
    stop.abort();
    await reading;
    return changes.map(line);
  };
  return { reached };
}

describe.skipIf(!hasEtcd)("a cluster whose members are killed and stopped", () => {
  test(
    "loses no acknowledged write, and tells each change once and in order",
    { timeout: (chaosSeconds + 60) * 1_000 },
    async () => {
      const cluster = await startMembers(3);
      onTestFinished(() => cluster.stop());
      const open = async () => {
        const store = await connectEtcdStore({
          servers: cluster.urls,
          clock: systemClock,
          logger: silentLogger,
          hasUniqueValues: true,
          attemptTimeout: 800,
          requestTimeout: 6_000,
        });
        onTestFinished(() => store.close());
        return store;
      };
      const stores = [await open(), await open(), await open()] as const;
      const watches = [
        record(stores[0], "/", false),
        record(stores[1], "/", true),
        record(stores[1], "/r/", true),
        record(stores[2], "/c/", false),
      ];
      const until = Date.now() + chaosSeconds * 1_000;
      const recorder = new Recorder();
      const [done] = await Promise.all([
        disturb(cluster, { random: seededRandom(chaosSeed), until }),
        ...registers.flatMap((key, register) =>
          Array.from({ length: writersOfRegister }, (_, writer) =>
            writeRegister(stores[writer % stores.length]!, {
              key,
              name: `${register}${writer}`,
              recorder,
              until,
            }),
          ),
        ),
        ...stores.map((store, index) => churn(store, { name: String(index), recorder, until })),
      ]);
      const fresh = await open();
      const { changes: truth } = await fresh.changes("/", { after: 1, limit: Infinity });
      const byRevision = new Map(truth.map((change) => [revisionOf(change), change]));
      for (const { key, revision, value } of recorder.acknowledged) {
        const change = byRevision.get(revision);
        expect([revision, change && keyOf(change)]).toEqual([revision, key]);
        expect(change?.type === "put" && text(change.current.value)).toBe(value);
      }
      const all = truth.map(line);
      for (const [index, prefix] of ["/", "/", "/r/", "/c/"].entries()) {
        const expected = all.filter((one) => one.includes(` ${prefix}`));
        expect(await watches[index]!.reached(expected.length)).toEqual(expected);
      }
      expect(notLinearizable(recorder.calls)).toEqual([]);
      console.log(
        `${recorder.acknowledged.length} writes acknowledged, ${recorder.unknown} of unknown outcome: ${done.join(", ")}`,
      );
      expect(recorder.acknowledged.length).toBeGreaterThan(50);
    },
  );
});
