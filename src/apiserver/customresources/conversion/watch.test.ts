import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { converted, eventually, mergePatch, Scene, widgets } from "./conversion-suite.ts";
import type { ConversionHook } from "./conversion-suite.ts";

let scene: Scene;
let hook: ConversionHook;
const ask: Scene["ask"] = (...request) => scene.ask(...request);

beforeAll(async () => {
  scene = await Scene.open();
  ({ hook } = scene);
});

afterAll(() => scene.close());

beforeEach(async () => {
  await scene.define();
});

afterEach(() => scene.reset());

const fail = () => ({ result: { status: "Failure", message: "no luck" } });
const patch = (name: string, color: string) =>
  ask("PATCH", widgets("v1", name), { spec: { color } }, mergePatch);

test("Watchers hear of changes in their version and in order; what is there is converted with one call", async () => {
  await scene.create("v1", "one");
  await scene.create("v1", "two");
  const second = scene.watch(`${widgets("v2")}?watch=1`);
  const first = scene.watch(`${widgets("v1")}?watch=1`);
  await eventually(() => expect(second.heard()).toEqual(["ADDED one", "ADDED two"]));
  expect(hook.asked()).toEqual(["one@v1 two@v1 to v2"]);
  await scene.create("v1", "three");
  await patch("one", "blue");
  await ask("DELETE", widgets("v1", "two"));
  await patch("one", "green");
  const heard = ["ADDED one", "ADDED two", "ADDED three", "MODIFIED one", "DELETED two", "MODIFIED one"];
  await eventually(() => {
    expect(second.heard()).toEqual(heard);
    expect(first.heard()).toEqual(heard);
  });
  expect(second.events.map(({ object: { apiVersion, spec } }) => [apiVersion, spec?.["paint"]])).toEqual(
    ["red", "red", "red", "blue", "red", "green"].map((paint) => ["example.com/v2", paint]),
  );
  const versions = (events: typeof first.events) =>
    events.map(({ object }) => object.metadata["resourceVersion"]);
  expect(versions(second.events)).toEqual(versions(first.events));
});

test("Watchers of one version share its conversions, and come back to where they were", async () => {
  const one = await scene.create("v1", "one");
  const from = `${widgets("v2")}?watch=1&resourceVersion=${String(one.metadata["resourceVersion"])}`;
  const watches = [scene.watch(from), scene.watch(from), scene.watch(from)];
  await Promise.all(watches.map(({ status }) => status));
  await patch("one", "blue");
  for (const { heard } of watches) await eventually(() => expect(heard()).toEqual(["MODIFIED one"]));
  expect(hook.asked()).toEqual(["one@v1 to v2"]);
  const late = scene.watch(from);
  await eventually(() => expect(late.heard()).toEqual(["MODIFIED one"]));
  expect(hook.asked()).toEqual([]);
});

test("Selectors see what a watcher's version shows", async () => {
  hook.answer = (question) => ({
    convertedObjects: converted(question).map((object) => ({
      ...object,
      metadata: { ...object.metadata, labels: { shade: String(object.spec?.["paint"]) } },
    })),
  });
  await scene.create("v1", "one");
  const labeled = scene.watch(`${widgets("v2")}?watch=1&labelSelector=shade%3Dblue`);
  const selected = scene.watch(`${widgets("v2")}?watch=1&fieldSelector=spec.paint%3Dblue`);
  const named = scene.watch(`${widgets("v2")}?watch=1&fieldSelector=metadata.name%3Done`);
  await Promise.all([labeled.status, selected.status, named.status]);
  for (const color of ["blue", "dark", "blue"]) await patch("one", color);
  await ask("DELETE", widgets("v1", "one"));
  const heard = ["ADDED one", "DELETED one", "ADDED one", "DELETED one"];
  await eventually(() => {
    expect(labeled.heard()).toEqual(heard);
    expect(selected.heard()).toEqual(heard);
    expect(named.heard()).toEqual([
      "ADDED one",
      "MODIFIED one",
      "MODIFIED one",
      "MODIFIED one",
      "DELETED one",
    ]);
  });
});

test("A watch ends when nobody converts any more, and none begins", async () => {
  await scene.create("v1", "one");
  const second = scene.watch(`${widgets("v2")}?watch=1`);
  const first = scene.watch(`${widgets("v1")}?watch=1`);
  await eventually(() => expect(second.heard()).toEqual(["ADDED one"]));
  hook.answer = fail;
  await patch("one", "blue");
  await eventually(() => expect(second.isOver()).toBe(true));
  expect(second.heard()).toEqual(["ADDED one"]);
  expect(await ask("GET", `${widgets("v2")}?watch=1`)).toMatchObject({
    status: 429,
    body: { reason: "TooManyRequests", message: "storage is (re)initializing" },
  });
  // Whoever watches what is stored is not concerned.
  await eventually(() => expect(first.heard()).toEqual(["ADDED one", "MODIFIED one"]));
  expect(first.isOver()).toBe(false);
  hook.answer = undefined;
  const again = scene.watch(`${widgets("v2")}?watch=1`);
  await eventually(() => expect(again.heard()).toEqual(["ADDED one"]));
});

test("Tables, metadata and the marks of a whole list go through watches, too", async () => {
  await scene.create("v1", "one");
  const whole = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const marked = scene.watch(`${widgets("v2")}?${whole}`);
  await eventually(() => expect(marked.events.map(({ type }) => type)).toEqual(["ADDED", "BOOKMARK"]));
  const { body } = await ask("GET", widgets("v2"), undefined, {
    accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
  });
  expect(body.rows[0]).toMatchObject({ cells: ["one", "red"] });
  const partial = await ask("GET", widgets("v2"), undefined, {
    accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  });
  expect(partial.body.items[0]).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "one" } });
});

test("Watches end when the definition says otherwise, and their clients go on with what it says then", async () => {
  await scene.create("v1", "one");
  const second = scene.watch(`${widgets("v2")}?watch=1`);
  await eventually(() => expect(second.heard()).toEqual(["ADDED one"]));
  await scene.convertBy("None");
  await eventually(() => expect(second.isOver()).toBe(true));
  const plain = scene.watch(`${widgets("v2")}?watch=1`);
  await eventually(() => expect(plain.heard()).toEqual(["ADDED one"]));
  expect(plain.events[0]?.object.spec).toEqual({ size: 3 });
  await scene.convertBy("Webhook");
  await eventually(() => expect(plain.isOver()).toBe(true));
  const again = scene.watch(`${widgets("v2")}?watch=1`);
  await eventually(() => expect(again.heard()).toEqual(["ADDED one"]));
  expect(again.events[0]?.object.spec).toEqual({ size: 3, paint: "red" });
});
