import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { applyPatch, mergePatch, Scene, widget, widgets } from "./conversion-suite.ts";
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

const managers = (body: {
  metadata: { managedFields?: readonly { manager: string; apiVersion: string; fieldsV1: object }[] };
}) =>
  (body.metadata.managedFields ?? []).map(({ manager, apiVersion, fieldsV1 }) => ({
    manager,
    apiVersion,
    fields: Object.keys((fieldsV1 as Record<string, object>)["f:spec"] ?? {}),
  }));

test("An object is replaced, patched, scaled and reported on in the version that is not stored", async () => {
  await scene.create("v1", "one");
  const { body } = await ask("GET", widgets("v2", "one"));
  const put = await ask("PUT", widgets("v2", "one"), { ...body, spec: { ...body.spec, paint: "green" } });
  expect(put).toMatchObject({ status: 200, body: { spec: { paint: "green" }, metadata: { generation: 2 } } });
  const patched = await ask("PATCH", widgets("v2", "one"), { spec: { replicas: 2 } }, mergePatch);
  expect(patched.body).toMatchObject({ apiVersion: "example.com/v2", spec: { paint: "green", replicas: 2 } });
  const status = await ask("PATCH", widgets("v2", "one/status"), { status: { phase: "up" } }, mergePatch);
  expect(status.body).toMatchObject({ spec: { paint: "green" }, status: { phase: "up" } });
  const scaled = await ask("PATCH", widgets("v2", "one/scale"), { spec: { replicas: 5 } }, mergePatch);
  expect(scaled.body).toMatchObject({ kind: "Scale", spec: { replicas: 5 } });
  expect((await ask("GET", widgets("v2", "one/scale"))).body).toMatchObject({ spec: { replicas: 5 } });
  expect((await ask("GET", widgets("v1", "one"))).body).toMatchObject({
    spec: { color: "green", replicas: 5, size: 3 },
    status: { phase: "up" },
  });
});

test("A write that changes nothing of what is stored is none, and a stale one is refused", async () => {
  await scene.create("v1", "one");
  const { body } = await ask("GET", widgets("v2", "one"));
  const same = await ask("PATCH", widgets("v2", "one"), { spec: { paint: "red" } }, mergePatch);
  expect(same.body.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
  await ask("PATCH", widgets("v1", "one"), { spec: { color: "blue" } }, mergePatch);
  expect((await ask("PUT", widgets("v2", "one"), body)).status).toBe(409);
});

test("What was converted is read with the defaults of the version that is stored, and shown without them where they are unknown", async () => {
  await scene.reset();
  await scene.define({ firstOnly: { level: { type: "integer", default: 7 } } });
  const made = await scene.create("v2", "one");
  expect(made.spec).toEqual({ paint: "red", size: 3 });
  expect((await ask("GET", widgets("v1", "one"))).body.spec).toEqual({ color: "red", size: 3, level: 7 });
  hook.questions.length = 0;
  expect((await ask("GET", widgets("v2", "one"))).body.spec).toEqual({ paint: "red", size: 3 });
  expect(hook.questions[0]?.request.objects[0]?.spec).toEqual({ color: "red", size: 3, level: 7 });
});

test("A dry run shows what would be stored and stores nothing", async () => {
  const made = await ask("POST", `${widgets("v2")}?dryRun=All`, widget("v2", "one"));
  expect(made).toMatchObject({ status: 201, body: { apiVersion: "example.com/v2", spec: { paint: "red" } } });
  expect((await ask("GET", widgets("v1", "one"))).status).toBe(404);
  await scene.create("v1", "one");
  const path = `${widgets("v2", "one")}?dryRun=All`;
  const patched = await ask("PATCH", path, { spec: { paint: "blue" } }, mergePatch);
  expect(patched.body.spec.paint).toBe("blue");
  expect((await ask("GET", widgets("v1", "one"))).body.spec.color).toBe("red");
});

test("What is deleted is shown in the version of the request, and finalizers hold it", async () => {
  const held = widget("v1", "held");
  await ask("POST", widgets("v1"), { ...held, metadata: { name: "held", finalizers: ["example.com/x"] } });
  await scene.create("v1", "one");
  expect((await ask("DELETE", widgets("v2", "one"))).status).toBe(200);
  const marked = await ask("DELETE", widgets("v2", "held"));
  expect(marked.body).toMatchObject({ apiVersion: "example.com/v2", spec: { paint: "red" } });
  expect(marked.body.metadata.deletionTimestamp).toBeDefined();
  await ask("PATCH", widgets("v2", "held"), { metadata: { finalizers: null } }, mergePatch);
  expect((await ask("GET", widgets("v1", "held"))).status).toBe(404);
  await scene.create("v1", "two");
  await scene.create("v1", "three");
  hook.asked();
  const all = await ask("DELETE", widgets("v2"));
  expect(all.body.items.map(({ apiVersion }: { apiVersion: string }) => apiVersion)).toEqual([
    "example.com/v2",
    "example.com/v2",
  ]);
  expect(hook.asked()).toEqual(["three@v1 two@v1 to v2"]);
});

test("Managers of several versions own fields of their versions", async () => {
  const apply = (version: "v1" | "v2", manager: string, spec: object, force = false) =>
    ask(
      "PATCH",
      `${widgets(version, "one")}?fieldManager=${manager}&force=${force}`,
      { ...widget(version, "one"), spec },
      applyPatch,
    );
  const made = await apply("v1", "painter", { color: "red" });
  expect(made).toMatchObject({ status: 201, body: { spec: { color: "red", size: 3 } } });
  // What a manager of the other version wants otherwise is in conflict with what the first has in his.
  const conflict = await apply("v2", "other", { paint: "blue", replicas: 2 });
  expect(conflict).toMatchObject({
    status: 409,
    body: {
      message: 'Apply failed with 1 conflict: conflict with "painter": .spec.color',
    },
  });
  const taken = await apply("v2", "other", { paint: "blue", replicas: 2 }, true);
  expect(taken).toMatchObject({ status: 200, body: { spec: { paint: "blue", replicas: 2 } } });
  expect(managers(taken.body)).toEqual([
    { manager: "other", apiVersion: "example.com/v2", fields: ["f:paint", "f:replicas"] },
  ]);
  // Who changes his version keeps what he has, and gives up what he does not apply any more.
  const moved = await apply("v1", "other", { color: "blue" });
  expect(moved).toMatchObject({
    status: 200,
    body: { apiVersion: "example.com/v1", spec: { color: "blue" } },
  });
  expect(moved.body.spec).not.toHaveProperty("replicas");
  expect(managers(moved.body)).toEqual([
    { manager: "other", apiVersion: "example.com/v1", fields: ["f:color"] },
  ]);
  const again = await apply("v1", "other", { color: "blue" });
  expect(again.body.metadata.resourceVersion).toBe(moved.body.metadata.resourceVersion);
});

test("An update takes fields from managers of other versions, and forgets all managers where nobody converts", async () => {
  const manager = (name: string) => `?fieldManager=${name}`;
  await ask("POST", widgets("v1") + manager("first"), widget("v1", "one"));
  const path = widgets("v2", "one") + manager("second");
  const second = await ask("PATCH", path, { spec: { paint: "blue" } }, mergePatch);
  expect(managers(second.body)).toEqual([
    { manager: "first", apiVersion: "example.com/v1", fields: [".", "f:size"] },
    { manager: "second", apiVersion: "example.com/v2", fields: ["f:paint"] },
  ]);
  hook.answer = () => ({ result: { status: "Failure", message: "no luck" } });
  const first = await ask("PATCH", widgets("v1", "one"), { spec: { color: "green" } }, mergePatch);
  expect(first).toMatchObject({ status: 200, body: { spec: { color: "green" } } });
  expect(first.body.metadata).not.toHaveProperty("managedFields");
});

test("Whoever applies is told where nobody converts for managers of other versions", async () => {
  const apply = (version: "v1" | "v2", manager: string) =>
    ask(
      "PATCH",
      `${widgets(version, "one")}?fieldManager=${manager}`,
      { ...widget(version, "one"), spec: version === "v1" ? { size: 4 } : { paint: "red" } },
      applyPatch,
    );
  await apply("v2", "second");
  hook.answer = () => ({ result: { status: "Failure", message: "no luck" } });
  expect(await apply("v1", "first")).toMatchObject({
    status: 500,
    body: {
      message:
        "conversion for example.com/v1, Kind=Widget failed: conversion webhook for /, Kind= failed: no luck",
    },
  });
});
