import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { applyPatch, converted, mergePatch, Scene, widget, widgets } from "./conversion-suite.ts";
import type { ConversionHook, Question } from "./conversion-suite.ts";

let scene: Scene;
let hook: ConversionHook;
const ask: Scene["ask"] = (...request) => scene.ask(...request);

beforeAll(async () => {
  scene = await Scene.open();
  ({ hook } = scene);
});

afterAll(() => scene.close());

afterEach(() => scene.reset());

const raw = (write: (response: ServerResponse) => void) => (_: Question, response: ServerResponse) => {
  write(response);
  return undefined;
};

test("What was created in one version is read in the other, and the other way round", async () => {
  await scene.define();
  await scene.create("v1", "one");
  expect(hook.asked()).toEqual([]);
  const { status, body } = await ask("GET", widgets("v2", "one"));
  expect(status).toBe(200);
  expect(body).toMatchObject({ apiVersion: "example.com/v2", spec: { paint: "red", size: 3 } });
  expect(hook.asked()).toEqual(["one@v1 to v2"]);
  const [question] = hook.questions;
  expect(question).toMatchObject({
    url: "/convert?timeout=30s",
    kind: "ConversionReview",
    apiVersion: "apiextensions.k8s.io/v1",
    response: { uid: "", convertedObjects: null, result: { metadata: {} } },
  });
  expect(question?.request.objects[0]?.metadata).not.toHaveProperty("resourceVersion");
  const two = await scene.create("v2", "two", "blue");
  expect(two).toMatchObject({ apiVersion: "example.com/v2", spec: { paint: "blue", size: 3 } });
  expect(hook.asked()).toEqual(["two@v2 to v1", "two@v1 to v2"]);
  expect((await ask("GET", widgets("v1", "two"))).body).toMatchObject({ spec: { color: "blue", size: 3 } });
  expect(hook.asked()).toEqual([]);
});

test("A list of objects stored in several versions is converted with one call that only has those that need it", async () => {
  await scene.define();
  await scene.create("v1", "one");
  await scene.create("v1", "other", "green");
  await scene.storeSecond();
  await scene.create("v2", "two", "blue");
  hook.asked();
  const second = await ask("GET", widgets("v2"));
  const shades = (items: { apiVersion: string; spec: { paint?: string; color?: string } }[]) =>
    items.map(({ apiVersion, spec: { paint, color } }) => `${apiVersion} ${paint ?? color}`);
  expect(shades(second.body.items)).toEqual([
    "example.com/v2 red",
    "example.com/v2 green",
    "example.com/v2 blue",
  ]);
  expect(hook.asked()).toEqual(["one@v1 other@v1 to v2"]);
  const first = await ask("GET", widgets("v1"));
  expect(shades(first.body.items)).toEqual([
    "example.com/v1 red",
    "example.com/v1 green",
    "example.com/v1 blue",
  ]);
  expect(hook.asked()).toEqual(["two@v2 to v1"]);
  // What is written again is stored in the new version.
  expect(await ask("PATCH", widgets("v1", "one"), { spec: { size: 4 } }, mergePatch)).toMatchObject({
    status: 200,
    body: { spec: { color: "red", size: 4 } },
  });
  hook.asked();
  await ask("GET", widgets("v2", "one"));
  expect(hook.asked()).toEqual([]);
});

test("A definition may be asked in the old version of reviews, whose answers are checked less", async () => {
  await scene.define({ reviews: ["v2", "v1beta1", "v1"] });
  await scene.create("v1", "one");
  hook.answer = () => ({ uid: "other" });
  expect((await ask("GET", widgets("v2", "one"))).status).toBe(200);
  expect(hook.questions[0]?.apiVersion).toBe("apiextensions.k8s.io/v1beta1");
});

test("A webhook may be behind a service", async () => {
  const port = Number(new URL(hook.url).port);
  const service = { namespace: "default", name: "hook", path: "/from/service", port };
  await scene.define({ client: { service } });
  await scene.create("v1", "one");
  const post =
    "conversion for example.com/v1, Kind=Widget failed: conversion webhook for /, Kind= failed: Post";
  expect(await ask("GET", widgets("v2", "one"))).toMatchObject({
    status: 500,
    body: {
      message: `${post} "https://hook.default.svc:${port}/from/service?timeout=30s": service "hook" not found`,
    },
  });
  await ask("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "hook" },
    spec: { type: "ExternalName", externalName: "localhost" },
  });
  const found = await ask("GET", widgets("v2", "one"));
  expect(found).toMatchObject({ status: 200, body: { spec: { paint: "red" } } });
  expect(hook.questions[0]?.url).toBe("/from/service?timeout=30s");
});

test("Labels and annotations are converted, the rest of metadata is not", async () => {
  await scene.define();
  const { metadata } = await scene.create("v1", "one");
  hook.answer = (question) => ({
    convertedObjects: converted(question).map((object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        labels: { at: "v2" },
        annotations: { was: "v1" },
        finalizers: ["example.com/x"],
        generation: 9,
      },
      spec: { ...object.spec, size: null, replicas: null },
      unknown: true,
    })),
  });
  const { body } = await ask("GET", widgets("v2", "one"));
  expect(body.metadata).toEqual({ ...metadata, labels: { at: "v2" }, annotations: { was: "v1" } });
  // What the version's schema does not know is dropped, and nulls but for those that a default would replace.
  expect(body).not.toHaveProperty("unknown");
  expect(body.spec).toEqual({ paint: "red", size: null });
  // Objects are selected by what their version shows.
  const names = async (path: string) =>
    (await ask("GET", path)).body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
  expect(await names(`${widgets("v2")}?labelSelector=at%3Dv2`)).toEqual(["one"]);
  expect(await names(`${widgets("v2")}?labelSelector=at%3Dv2&limit=5`)).toEqual(["one"]);
  expect(await names(`${widgets("v1")}?labelSelector=at%3Dv2`)).toEqual([]);
  expect(await names(`${widgets("v2")}?fieldSelector=spec.paint%3Dred`)).toEqual(["one"]);
  expect(await names(`${widgets("v2")}?fieldSelector=spec.paint%3Dblue`)).toEqual([]);
});

describe("What a webhook answers wrongly is told in upstream's words", () => {
  const failed = "conversion for example.com/v1, Kind=Widget failed: ";
  const hookFailed = `${failed}conversion webhook for /, Kind= failed: `;
  const invalid = "conversion for example.com/v1, Kind=Widget returned invalid converted object at index 1: ";
  const metadata =
    "conversion for example.com/v1, Kind=Widget returned invalid metadata in object at index 1: ";
  const changed =
    (change: (object: ReturnType<typeof converted>[number]) => unknown) => (question: Question) => ({
      convertedObjects: converted(question).map(change),
    });
  const described = (field: string, value: unknown) =>
    changed((object) => ({ ...object, metadata: { ...object.metadata, [field]: value } }));
  const cases: readonly (readonly [
    string,
    (question: Question, response: ServerResponse) => object | undefined,
    string | RegExp,
  ])[] = [
    ["a failure", () => ({ result: { status: "Failure", message: "no luck" } }), `${hookFailed}no luck`],
    [
      "a failure without a reason",
      () => ({ result: { status: "Failure" } }),
      `${hookFailed}response.result.status was 'Failure', not 'Success'`,
    ],
    ["another uid", () => ({ uid: "x" }), /failed: expected response\.uid="[0-9a-f-]{36}", got "x"$/],
    [
      "no objects",
      () => ({ convertedObjects: [] }),
      "conversion for example.com/v1, Kind=Widget returned 0 objects, expected 1",
    ],
    [
      "no response",
      raw((response) =>
        response.end(JSON.stringify({ kind: "ConversionReview", apiVersion: "apiextensions.k8s.io/v1" })),
      ),
      `${hookFailed}no response provided`,
    ],
    [
      "no kind",
      raw((response) => response.end(JSON.stringify({ response: {} }))),
      `${hookFailed}expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind=`,
    ],
    [
      "a list",
      raw((response) => response.end("[]")),
      `${hookFailed}couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    ],
    [
      "garbage",
      raw((response) => response.end("garbage")),
      /failed: couldn't get version\/kind; json parse error: /,
    ],
    [
      "nothing",
      raw((response) => response.writeHead(200, { "content-type": "application/json" }).end()),
      `${hookFailed}0-length response with status code: 200 and content type: application/json`,
    ],
    [
      "an error",
      raw((response) => response.writeHead(500, { "content-type": "text/plain" }).end("oops")),
      `${hookFailed}an error on the server ("oops") has prevented the request from succeeding`,
    ],
    ["a closed connection", raw((response) => response.destroy()), /: Post "https:.*\?timeout=30s": EOF$/],
    [
      "another version",
      changed((object) => ({ ...object, apiVersion: "x/v9" })),
      `${invalid}invalid groupVersion (expected example.com/v2, received x/v9)`,
    ],
    [
      "another kind",
      changed((object) => ({ ...object, kind: "Other" })),
      `${invalid}invalid kind (expected Widget, received Other)`,
    ],
    ["another name", described("name", "two"), `${invalid}must have the same name: one != two`],
    [
      "another namespace",
      described("namespace", "x"),
      `${invalid}must have the same namespace: default != x`,
    ],
    ["another identity", described("uid", "x"), /must have the same UID: [0-9a-f-]{36} != x$/],
    [
      "no metadata",
      changed((object) => ({ ...object, metadata: undefined })),
      `${invalid}must have the same name: one != `,
    ],
    [
      "labels that are none",
      described("labels", "x"),
      `${metadata}invalid metadata.labels of type string in converted object`,
    ],
    [
      "a label that is a number",
      described("labels", { a: 1 }),
      `${metadata}metadata.labels[a] must be a string, but is int64 in converted object`,
    ],
    [
      "an annotation with a bad name",
      described("annotations", { "a b": "c" }),
      /metadata\.annotation: Invalid value: "a b": /,
    ],
    ["null", changed(() => null), `${failed}EOF`],
    [
      "a number",
      changed(() => 5),
      `${failed}json: cannot unmarshal number into Go value of type map[string]interface {}`,
    ],
    ["an empty object", changed(() => ({})), `${failed}Object 'Kind' is missing in '{}'`],
  ];

  test("when one object is read", async () => {
    await scene.define();
    await scene.create("v1", "one");
    for (const [name, answer, message] of cases) {
      hook.answer = answer;
      const { status, body } = await ask("GET", widgets("v2", "one"));
      expect({ name, status, body }).toEqual({
        name,
        status: 500,
        body: {
          kind: "Status",
          apiVersion: "v1",
          metadata: {},
          status: "Failure",
          message: typeof message === "string" ? message : expect.stringMatching(message),
          code: 500,
        },
      });
    }
    hook.answer = undefined;
    expect((await ask("GET", widgets("v2", "one"))).status).toBe(200);
  });

  test("whatever the request", async () => {
    await scene.define();
    await scene.create("v1", "one");
    hook.answer = () => ({ result: { status: "Failure", message: "no luck" } });
    const table = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const partial = { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" };
    const asked: readonly Parameters<typeof ask>[] = [
      ["GET", widgets("v2")],
      ["GET", widgets("v2"), undefined, table],
      ["GET", widgets("v2"), undefined, partial],
      ["GET", `${widgets("v2")}?limit=1`],
      ["GET", `${widgets("v2")}?labelSelector=a%3Db`],
      ["GET", widgets("v2", "one/scale")],
      ["POST", widgets("v2"), widget("v2", "two")],
      ["POST", `${widgets("v2")}?dryRun=All`, widget("v2", "two")],
      ["PATCH", widgets("v2", "one"), { spec: { paint: "x" } }, mergePatch],
      ["PATCH", `${widgets("v2", "one")}?fieldManager=me`, widget("v2", "one", "x"), applyPatch],
      ["DELETE", widgets("v2", "one")],
      ["DELETE", widgets("v2")],
    ];
    for (const request of asked) {
      const { status, body } = await ask(...request);
      const from = request[0] === "POST" ? "v2" : "v1";
      expect([...request.slice(0, 2), status, body.message]).toEqual([
        ...request.slice(0, 2),
        500,
        `conversion for example.com/${from}, Kind=Widget failed: conversion webhook for /, Kind= failed: no luck`,
      ]);
    }
    // Those who use the stored version are not concerned.
    expect((await ask("PATCH", widgets("v1", "one"), { spec: { color: "x" } }, mergePatch)).status).toBe(200);
    expect((await ask("DELETE", widgets("v1", "one"))).status).toBe(200);
  });
});

test("Metrics tell of calls and conversions", async () => {
  const labels = (succeeded: boolean) =>
    `crd_name="widgets.example.com",from_version="",succeeded="${succeeded}",to_version="v2"`;
  const conversions = "apiserver_crd_conversion_webhook_duration_seconds_count";
  const calls = [
    "apiserver_conversion_webhook_request_total",
    "apiserver_conversion_webhook_duration_seconds_count",
  ];
  const series = [
    `${conversions}{${labels(true)}}`,
    `${conversions}{${labels(false)}}`,
    ...calls.map((name) => `${name}{failure_type="",result="success"}`),
    ...calls.map((name) => `${name}{failure_type="conversion_webhook_call_failure",result="failure"}`),
  ];
  const counts = async () => {
    const lines = String((await ask("GET", "/metrics")).body).split("\n");
    return series.map((name) =>
      Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length) ?? 0),
    );
  };
  await scene.define();
  await scene.create("v1", "one");
  const before = await counts();
  await ask("GET", widgets("v2", "one"));
  hook.answer = () => ({ result: { status: "Failure" } });
  await ask("GET", widgets("v2", "one"));
  expect(await counts()).toEqual(before.map((count) => count + 1));
});

test("Where nobody converts, objects are shown without what another version does not know, and without its defaults", async () => {
  await scene.reset();
  await scene.define({ stored: "v2", firstOnly: { level: { type: "integer", default: 7 } } });
  await scene.convertBy("None");
  await scene.create("v2", "one");
  expect((await ask("GET", widgets("v1", "one"))).body.spec).toEqual({ size: 3 });
  expect((await ask("GET", widgets("v2", "one"))).body.spec).toEqual({ paint: "red", size: 3 });
});
