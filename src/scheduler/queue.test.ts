import { expect, test } from "vitest";
import { VirtualClock } from "../base/index.ts";
import type { New } from "../apimachinery/index.ts";
import type { Node, Pod } from "../api/types/core-v1.ts";
import type { ClusterEvent, Plugin } from "./framework.ts";
import { SchedulingQueue } from "./queue.ts";

const pod = (
  name: string,
  extra: { priority?: number; nodeSelector?: object; message?: string } = {},
): Pod => {
  const { message, ...spec } = extra;
  return {
    metadata: { name, namespace: "n", uid: name },
    spec: { containers: [{ name: "c" }], ...spec },
    status: message === undefined ? {} : { conditions: [{ type: "PodScheduled", message }] },
  } as New<Pod> as Pod;
};
const node = { metadata: { name: "a" } } as New<Node> as Node;

const plugins: readonly Plugin[] = [
  { name: "Room", wokenBy: ["podRemoved", "nodeAdded"] },
  {
    name: "Picky",
    wokenBy: ["nodeUpdated"],
    worthRetrying: (_pod, event) => event.type === "nodeUpdated" && event.node !== event.old,
  },
];

function setup() {
  const clock = new VirtualClock();
  return { clock, queue: new SchedulingQueue({ clock, plugins }) };
}

/** Pops all that is active. */
function popAll(queue: SchedulingQueue): string[] {
  const names: string[] = [];
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) names.push(item.pod.metadata.name);
  return names;
}

const refusedBy = (...names: string[]) => ({ type: "unschedulable", turnedDownBy: new Set(names) }) as const;

test("the most important pod comes first, and among equals the first to come", () => {
  const { queue } = setup();
  queue.add(pod("one"));
  queue.add(pod("two"));
  queue.add(pod("urgent", { priority: 10 }));
  queue.add(pod("least", { priority: -1 }));
  expect(popAll(queue)).toEqual(["urgent", "one", "two", "least"]);
});

test("a pod that failed goes behind its equals when it is back", async () => {
  const { clock, queue } = setup();
  queue.add(pod("one"));
  queue.pop();
  queue.add(pod("two"));
  queue.putBack(pod("one"), { type: "failed" });
  await clock.advance(1000);
  expect(popAll(queue)).toEqual(["two", "one"]);
  queue.close();
});

test("back-off doubles with each try, from 1 s to 10 s", async () => {
  const { clock, queue } = setup();
  const delays: number[] = [];
  queue.add(pod("p"));
  for (let attempt = 1; attempt <= 6; attempt++) {
    expect(queue.pop()?.attempts).toBe(attempt);
    queue.putBack(pod("p"), { type: "failed" });
    const start = clock.now();
    await untilReady(queue, clock);
    delays.push(clock.now() - start);
  }
  expect(delays).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
});

/** Advances second by second until a pod is active. */
async function untilReady(queue: SchedulingQueue, clock: VirtualClock): Promise<void> {
  while (queue.sizes.active === 0) await clock.advance(1000);
}

test.each<{
  title: string;
  refused: readonly string[];
  event: ClusterEvent;
  wakes: boolean;
}>([
  {
    title: "a removal wakes who lacks room",
    refused: ["Room"],
    event: { type: "podRemoved", pod: pod("x") },
    wakes: true,
  },
  {
    title: "an arrival does not",
    refused: ["Room"],
    event: { type: "podAssigned", pod: pod("x") },
    wakes: false,
  },
  {
    title: "one of the plugins is enough",
    refused: ["Picky", "Room"],
    event: { type: "nodeAdded", node },
    wakes: true,
  },
  {
    title: "the plugin is asked",
    refused: ["Picky"],
    event: { type: "nodeUpdated", node, old: node },
    wakes: false,
  },
  {
    title: "and may say yes",
    refused: ["Picky"],
    event: { type: "nodeUpdated", node, old: { ...node } },
    wakes: true,
  },
  { title: "without any node a node wakes", refused: [], event: { type: "nodeAdded", node }, wakes: true },
  { title: "and nothing else", refused: [], event: { type: "podRemoved", pod: pod("x") }, wakes: false },
])("an unschedulable pod waits for its event: $title", async ({ refused, event, wakes }) => {
  const { clock, queue } = setup();
  queue.add(pod("p"));
  queue.pop();
  queue.putBack(pod("p"), refusedBy(...refused));
  await clock.advance(60_000);
  expect(queue.sizes).toEqual({ active: 0, backingOff: 0, unschedulable: 1, inFlight: 0 });
  queue.notify(event);
  expect(popAll(queue)).toEqual(wakes ? ["p"] : []);
  queue.close();
});

test("an event within the back-off only ends the wait for events", async () => {
  const { clock, queue } = setup();
  queue.add(pod("p"));
  queue.pop();
  queue.putBack(pod("p"), refusedBy("Room"));
  queue.notify({ type: "nodeAdded", node });
  expect(queue.sizes).toMatchObject({ active: 0, backingOff: 1, unschedulable: 0 });
  await clock.advance(999);
  expect(queue.sizes.active).toBe(0);
  await clock.advance(1);
  expect(popAll(queue)).toEqual(["p"]);
  queue.close();
});

test("after five minutes an unschedulable pod is tried without an event", async () => {
  const { clock, queue } = setup();
  for (const name of ["one", "two"]) {
    queue.add(pod(name));
    queue.pop();
    queue.putBack(pod(name), refusedBy("Room"));
    await clock.advance(10_000);
  }
  await clock.advance(5 * 60_000 - 20_001);
  expect(queue.sizes.unschedulable).toBe(2);
  await clock.advance(1);
  expect(popAll(queue)).toEqual(["one"]);
  await clock.advance(10_000);
  expect(popAll(queue)).toEqual(["two"]);
  queue.close();
});

test.each([
  { title: "a status does not wake it", update: pod("p", { message: "m" }), wakes: false },
  { title: "a spec does", update: pod("p", { nodeSelector: { a: "b" } }), wakes: true },
])("the new version of an unschedulable pod replaces the old: $title", async ({ update, wakes }) => {
  const { clock, queue } = setup();
  queue.add(pod("p"));
  queue.pop();
  queue.putBack(pod("p"), refusedBy("Room"));
  await clock.advance(1000);
  queue.add(update);
  expect(queue.sizes.active).toBe(wakes ? 1 : 0);
  queue.notify({ type: "nodeAdded", node });
  expect(queue.pop()?.pod).toBe(update);
  queue.close();
});

test("a new version takes the place of an active or backing off pod", async () => {
  const { clock, queue } = setup();
  const versions = [
    pod("p"),
    pod("p", { message: "1" }),
    pod("p", { message: "2" }),
    pod("p", { message: "3" }),
  ];
  const [first, second, third, fourth] = versions as [Pod, Pod, Pod, Pod];
  queue.add(first);
  queue.add(second);
  expect(queue.pop()?.pod).toBe(second);
  queue.add(third);
  queue.putBack(second, { type: "failed" });
  queue.add(fourth);
  await clock.advance(1000);
  expect(queue.pop()?.pod).toBe(fourth);
  queue.close();
});

test("a pod in flight that changed comes back changed; one deleted does not come back", async () => {
  const { clock, queue } = setup();
  const newer = pod("p", { message: "newer" });
  queue.add(pod("p"));
  queue.add(pod("gone"));
  popAll(queue);
  queue.add(newer);
  queue.delete(pod("gone"));
  expect(queue.putBack(pod("p"), { type: "failed" })).toBe(true);
  expect(queue.putBack(pod("gone"), { type: "failed" })).toBe(false);
  await clock.advance(1000);
  expect([queue.pop()?.pod, queue.size]).toEqual([newer, 0]);
  queue.close();
});

test("a deleted pod leaves no trace wherever it waited", async () => {
  const { clock, queue } = setup();
  for (const name of ["active", "failed", "refused"]) queue.add(pod(name));
  for (const name of ["failed", "refused"]) queue.delete(pod(name));
  for (const name of ["failed", "refused"]) queue.add(pod(name));
  popAll(queue);
  queue.putBack(pod("failed"), { type: "failed" });
  queue.putBack(pod("refused"), refusedBy("Room"));
  queue.add(pod("waiting"));
  for (const name of ["active", "failed", "refused", "waiting"]) queue.delete(pod(name));
  expect(queue.sizes).toEqual({ active: 0, backingOff: 0, unschedulable: 0, inFlight: 0 });
  queue.notify({ type: "nodeAdded", node });
  await clock.advance(10 * 60_000);
  expect(queue.size).toBe(0);
  queue.close();
});

test("waiting ends with a pod or with the signal, and leaves no listener", async () => {
  const { queue } = setup();
  const lifetime = new AbortController();
  let listeners = 0;
  const { signal } = lifetime;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  for (let round = 0; round < 3; round++) {
    const ready = queue.whenReady(signal);
    queue.add(pod(`p${round}`));
    await ready;
    expect(popAll(queue)).toEqual([`p${round}`]);
  }
  expect(listeners).toBe(0);
  const waiting = queue.whenReady(signal);
  lifetime.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  await expect(queue.whenReady(signal)).rejects.toThrow("stopped");
});
