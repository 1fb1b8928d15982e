import { describe, expect, it } from "vitest";
import { seededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import { ApiError } from "../apimachinery/index.ts";
import { ConfigMap } from "../api/types/core-v1.ts";
import { createInformerFactory } from "./informer-factory.ts";
import { firstReflectorState, nextReflectorState, reflectorDelay } from "./reflector.ts";
import { MemoryClient } from "./testing/index.ts";

function setUp() {
  const clock = new VirtualClock();
  const client = new MemoryClient({ clock, random: seededRandom(1) });
  const factory = createInformerFactory({ client, clock, logger: silentLogger, random: seededRandom(2) });
  return { clock, client, factory, stop: new AbortController() };
}

const configMap = (name: string, data: Record<string, string> = {}) => ({
  metadata: { namespace: "default", name },
  data,
});

describe("informer", () => {
  it("lists, follows, indexes and tells handlers", async () => {
    const { client, factory, stop } = setUp();
    await client.create(ConfigMap, configMap("a", { color: "red" }));
    const informer = factory.informer(ConfigMap);
    expect(factory.informer(ConfigMap)).toBe(informer);
    informer.addIndex("color", (object) => [object.data?.["color"] ?? ""]);
    const heard: string[] = [];
    informer.on({
      added: (object) => void heard.push(`+${object.metadata.name}`),
      updated: (object, old) => void heard.push(`${old.data?.["color"]}→${object.data?.["color"]}`),
      deleted: (object) => void heard.push(`-${object.metadata.name}`),
    });
    const run = factory.run(stop.signal);
    await factory.whenSynced();
    const b = await client.create(ConfigMap, configMap("b", { color: "red" }));
    await informer.until(() => informer.resourceVersion === b.metadata.resourceVersion);
    expect(informer.get({ namespace: "default", name: "b" })).toBe(b);
    expect(informer.byIndex("color", "red")).toHaveLength(2);
    await client.update(ConfigMap, { ...b, data: { color: "blue" } });
    await client.delete(ConfigMap, { namespace: "default", name: "a" });
    await informer.until(() => informer.size === 1);
    expect(informer.byIndex("color", "red")).toHaveLength(0);
    expect(informer.list("default").map((object) => object.metadata.name)).toEqual(["b"]);
    expect(informer.list("other")).toEqual([]);
    expect(heard).toEqual(["+a", "+b", "red→blue", "-a"]);
    stop.abort();
    await run;
  });

  it("ends with its resource, and begins anew when that comes back", async () => {
    const { client, factory, stop } = setUp();
    const first = factory.informer(ConfigMap);
    const run = factory.run(stop.signal);
    await factory.whenSynced();
    factory.drop(ConfigMap);
    await client.create(ConfigMap, configMap("a"));
    const second = factory.informer(ConfigMap);
    expect(second).not.toBe(first);
    await factory.whenSynced();
    expect([first.size, second.size]).toEqual([0, 1]);
    stop.abort();
    await run;
  });

  it("waits and tries again after a failure", async () => {
    const { client, clock, factory, stop } = setUp();
    const list = client.list.bind(client);
    let attempts = 0;
    client.list = (...parameters) => {
      if (++attempts < 3) throw ApiError.serviceUnavailable("not yet");
      return list(...parameters) as never;
    };
    const informer = factory.informer(ConfigMap);
    const run = factory.run(stop.signal);
    await clock.advance(799);
    expect([attempts, informer.synced]).toEqual([1, false]);
    await clock.advance(801 + 3200);
    expect([attempts, informer.synced]).toEqual([3, true]);
    stop.abort();
    await run;
  });
});

describe("reflector", () => {
  const watch = { type: "watch", after: "5", failures: 2 } as const;
  const failed = (error: ApiError) => ({ type: "failed", error, resourceVersion: undefined }) as const;
  it.each([
    [
      "list → watch",
      firstReflectorState,
      { type: "listed", resourceVersion: "7" },
      { type: "watch", after: "7", failures: 0 },
    ],
    [
      "goes on after the last version",
      watch,
      { type: "ended", resourceVersion: "9" },
      { type: "watch", after: "9", failures: 0 },
    ],
    [
      "a fruitless watch backs off",
      watch,
      { type: "ended", resourceVersion: undefined },
      { ...watch, failures: 3 },
    ],
    [
      "history gone → newest list",
      watch,
      failed(ApiError.expired("gone")),
      { type: "list", at: "", failures: 0 },
    ],
    ["any other failure resumes", watch, failed(ApiError.internal("x")), { ...watch, failures: 3 }],
  ] as const)("%s", (_, state, outcome, next) => {
    expect(nextReflectorState(state, outcome)).toEqual(next);
  });
  it("never waits longer than a minute", () => {
    const delay = reflectorDelay({ ...watch, failures: 1000 }, { next: () => 0.99, uuid: () => "" });
    expect(delay).toBeLessThan(60_000);
  });
});
