import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openFront, type Front, type FrontAnswer } from "../http/front-suite.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const widgets = "/apis/example.com/v1/namespaces/default/widgets";

const attempts = 200;

/** Asks until what is expected has come about. */
async function eventually(expectation: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await expectation();
    } catch (error) {
      if (attempt === attempts) throw error;
      await setImmediate();
    }
  }
}

interface Answer {
  readonly status: number;
  // Each test knows what it asked for.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

let front: Front;

beforeEach(async () => {
  front = await openFront();
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
});

afterEach(() => front.close());

async function ask(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const answer: FrontAnswer = await front.ask(path, {
    method,
    as: "admin",
    headers: { "content-type": "application/json", ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const isJson = answer.headers["content-type"]?.includes("json") === true;
  return {
    status: answer.status,
    body: isJson && !path.includes("watch=") ? JSON.parse(answer.text) : answer.text,
  };
}

const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["color"],
      "x-kubernetes-validations": [{ rule: "self.size < 10", message: "too large" }],
      properties: {
        color: { type: "string", enum: ["red", "blue"] },
        size: { type: "integer", default: 3 },
        replicas: { type: "integer" },
        parts: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, kind: { type: "string" } },
          },
        },
      },
    },
    status: { type: "object", properties: { replicas: { type: "integer" }, phase: { type: "string" } } },
  },
};

const version = {
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  subresources: {
    status: {},
    scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
  },
  additionalPrinterColumns: [{ name: "Color", type: "string", jsonPath: ".spec.color" }],
  selectableFields: [{ jsonPath: ".spec.color" }],
};

const names = {
  plural: "widgets",
  singular: "widget",
  kind: "Widget",
  listKind: "WidgetList",
  shortNames: ["wd"],
  categories: ["all"],
};

const definition = (changes: object = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: { group: "example.com", scope: "Namespaced", names, versions: [version], ...changes },
});

const widget = (spec: object, name = "one") => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name },
  spec,
});

const conditionsOf = async (name: string): Promise<Record<string, string>> => {
  const { body } = await ask("GET", `${definitions}/${name}`);
  const conditions: { type: string; status: string; reason: string }[] = body.status?.conditions ?? [];
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
};

async function define(changes: object = {}): Promise<void> {
  const created = await ask("POST", definitions, definition(changes));
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  await eventually(async () => {
    expect(await conditionsOf("widgets.example.com")).toMatchObject({
      NamesAccepted: "True NoConflicts",
      Established: "True InitialNamesAccepted",
    });
  });
}

test("a definition is served: discovery, objects with defaults, patches, status, scale and columns", async () => {
  await define();
  const { body: discovery } = await ask("GET", "/apis/example.com/v1");
  expect(discovery.resources.map(({ name }: { name: string }) => name)).toEqual([
    "widgets",
    "widgets/status",
    "widgets/scale",
  ]);
  expect(discovery.resources[0]).toMatchObject({ shortNames: ["wd"], categories: ["all"], kind: "Widget" });
  const created = await ask("POST", widgets, {
    ...widget({ color: "red", other: 1 }),
    status: { phase: "x" },
  });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  expect(created.body).toMatchObject({ metadata: { generation: 1 }, spec: { color: "red", size: 3 } });
  expect(created.body.status).toBeUndefined();
  expect(created.body.spec.other).toBeUndefined();
  const merge = { "content-type": "application/merge-patch+json" };
  const patched = await ask("PATCH", `${widgets}/one`, { spec: { size: 4, replicas: 2 } }, merge);
  expect(patched.body).toMatchObject({ metadata: { generation: 2 }, spec: { size: 4 } });
  const reported = await ask("PATCH", `${widgets}/one/status`, { status: { phase: "Ready" } }, merge);
  expect(reported.body).toMatchObject({ metadata: { generation: 2 }, status: { phase: "Ready" } });
  const scaled = await ask("PATCH", `${widgets}/one/scale`, { spec: { replicas: 5 } }, merge);
  expect(scaled.body).toMatchObject({ kind: "Scale", spec: { replicas: 5 } });
  const table = await ask("GET", widgets, undefined, {
    accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
  });
  expect(table.body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(["Name", "Color"]);
  expect(table.body.rows[0].cells).toEqual(["one", "red"]);
  const selected = await ask("GET", `${widgets}?fieldSelector=spec.color%3Dblue`);
  expect(selected.body).toMatchObject({ kind: "WidgetList", items: [] });
  const { body: openApi } = await ask("GET", "/openapi/v3/apis/example.com/v1");
  expect(openApi.components.schemas["com.example.v1.Widget"].properties.spec.required).toEqual(["color"]);
});

test("objects must be as the schema and its rules say", async () => {
  await define();
  const wrong = await ask("POST", widgets, widget({ color: "green", size: 12 }));
  expect(wrong.status).toBe(422);
  expect(wrong.body.message).toBe(
    'Widget.example.com "one" is invalid: [spec.color: Unsupported value: "green": supported values: "red", "blue", <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
  );
  const large = await ask("POST", widgets, widget({ color: "red", size: 12 }));
  expect(large.body.message).toBe(
    'Widget.example.com "one" is invalid: spec: Invalid value: "object": too large',
  );
  const missing = await ask("POST", widgets, widget({ size: "1" }));
  expect(missing.body.message).toBe(
    'Widget.example.com "one" is invalid: [spec.size: Invalid value: "string": spec.size in body must be of type integer: "string", spec.color: Required value, <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
  );
  const strict = await ask("POST", `${widgets}?fieldValidation=Strict`, widget({ color: "red", other: 1 }));
  expect(strict.status).toBe(400);
  expect(strict.body.message).toContain('strict decoding error: unknown field "spec.other"');
});

test("scales are what objects say of replicas, which are checked as part of them", async () => {
  await define();
  await ask("POST", widgets, widget({ color: "red" }));
  const absent = await ask("GET", `${widgets}/one/scale`);
  expect([absent.status, absent.body.message]).toEqual([
    500,
    'Internal error occurred: the spec replicas field ".spec.replicas" does not exist',
  ]);
  const merge = { "content-type": "application/merge-patch+json" };
  const empty = await ask("PATCH", `${widgets}/one/scale`, { metadata: { labels: { a: "b" } } }, merge);
  expect([empty.status, empty.body.message]).toEqual([
    400,
    'the spec replicas field ".spec.replicas" cannot be empty',
  ]);
  const scale = (replicas: number) => ({
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name: "one" },
    spec: { replicas },
  });
  const negative = await ask("PUT", `${widgets}/one/scale`, scale(-1));
  expect([negative.status, negative.body.message]).toEqual([
    422,
    'Widget.example.com "one" is invalid: .spec.replicas: Invalid value: -1: should be a non-negative integer',
  ]);
  expect((await ask("PUT", `${widgets}/one/scale`, scale(2))).body.spec).toEqual({ replicas: 2 });
  const apply = { "content-type": "application/apply-patch+yaml" };
  const applied = await ask("PATCH", `${widgets}/one/scale?fieldManager=me&force=true`, scale(3), apply);
  expect([applied.status, applied.body.spec]).toEqual([200, { replicas: 3 }]);
  const many = await ask("PATCH", `${widgets}/one/status`, { status: { replicas: 3_000_000_000 } }, merge);
  expect(many.body.message).toBe(
    'Widget.example.com "one" is invalid: .status.replicas: Invalid value: 3000000000: should be less than or equal to 2147483647',
  );
  const status = await ask("PATCH", `${widgets}/one/status`, { status: { replicas: "x" } }, merge);
  expect(status.body.message).toContain(
    'status.replicas: Invalid value: "string": replicas in body must be of type integer: "string"',
  );
});

test("objects say what they are, and are warned of finalizers that may clash", async () => {
  await define();
  const post = async (body: object) => {
    const { status, body: answer } = await ask("POST", widgets, body);
    return [status, answer.message];
  };
  expect(await post({ ...widget({ color: "red" }), kind: "Other" })).toEqual([
    422,
    'Other.example.com "one" is invalid: kind: Invalid value: "Other": must be Widget',
  ]);
  expect(await post({ ...widget({ color: "red" }), apiVersion: "example.com/v2" })).toEqual([
    400,
    "the API version in the data (example.com/v2) does not match the expected API version (example.com/v1)",
  ]);
  const { kind: _, ...nameless } = widget({ color: "red" });
  expect(await post(nameless)).toEqual([
    400,
    `Widget in version "v1" cannot be handled as a Widget: Object 'Kind' is missing in '${JSON.stringify(nameless)}'`,
  ]);
  const answer = await front.ask(widgets, {
    method: "POST",
    as: "admin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...widget({ color: "red" }),
      metadata: { name: "one", finalizers: ["x", "a/b"] },
    }),
  });
  expect([answer.status, answer.headers["warning"]]).toEqual([
    201,
    '299 - "metadata.finalizers: \\"x\\": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"',
  ]);
  const part = await ask("GET", `${widgets}/one/nothing`);
  expect([part.status, part.body.message]).toEqual([404, 'widgets.example.com "one" not found']);
  expect((await ask("GET", widgets)).body.metadata.continue).toBe("");
});

test("strategic merges need built-in types", async () => {
  await define();
  const strategic = { "content-type": "application/strategic-merge-patch+json" };
  const { status, body } = await ask("PATCH", `${widgets}/one`, {}, strategic);
  expect(status).toBe(415);
  expect(body.message).toBe(
    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
  );
});

test("appliers share lists by their keys", async () => {
  await define();
  const apply = { "content-type": "application/apply-patch+yaml" };
  const part = (name: string) => widget({ color: "red", parts: [{ name, kind: name }] });
  await ask("PATCH", `${widgets}/one?fieldManager=a`, part("a"), apply);
  const both = await ask("PATCH", `${widgets}/one?fieldManager=b`, part("b"), apply);
  expect(both.body.spec.parts).toEqual([
    { name: "a", kind: "a" },
    { name: "b", kind: "b" },
  ]);
  const conflict = await ask(
    "PATCH",
    `${widgets}/one?fieldManager=b`,
    widget({ color: "blue", parts: [] }),
    apply,
  );
  expect(conflict.status).toBe(409);
});

test("versions of a definition show the same objects, and what changes in it holds at once", async () => {
  await define({ versions: [version, { ...version, name: "v2", storage: false }] });
  await ask("POST", widgets, widget({ color: "red" }));
  const other = await ask("GET", "/apis/example.com/v2/namespaces/default/widgets/one");
  expect(other.body).toMatchObject({ apiVersion: "example.com/v2", kind: "Widget", spec: { color: "red" } });
  const merge = { "content-type": "application/merge-patch+json" };
  const { spec } = schema.properties;
  const note = { type: "string", default: "hello" };
  const noted = { ...spec, properties: { ...spec.properties, note } };
  const openAPIV3Schema = { ...schema, properties: { ...schema.properties, spec: noted } };
  const withNote = { ...version, schema: { openAPIV3Schema } };
  await ask("PATCH", `${definitions}/widgets.example.com`, { spec: { versions: [withNote] } }, merge);
  await eventually(async () => {
    expect((await ask("GET", `${widgets}/one`)).body.spec.note).toBe("hello");
    expect((await ask("GET", widgets)).body.items[0].spec.note).toBe("hello");
  });
  expect((await ask("GET", "/apis/example.com/v2/namespaces/default/widgets")).status).toBe(404);
});

test("two definitions cannot have one name", async () => {
  await define();
  const gadgets = { ...names, plural: "gadgets", singular: "gadget" };
  await ask("POST", definitions, {
    ...definition({ names: gadgets }),
    metadata: { name: "gadgets.example.com" },
  });
  await eventually(async () => {
    expect(await conditionsOf("gadgets.example.com")).toEqual({
      NamesAccepted: "False ListKindConflict",
      Established: "False NotAccepted",
    });
  });
  await ask("DELETE", `${definitions}/widgets.example.com`);
  await eventually(async () => {
    expect(await conditionsOf("gadgets.example.com")).toMatchObject({
      Established: "True InitialNamesAccepted",
    });
  });
});

test("a definition goes after its objects, and nothing is served any more", async () => {
  await define();
  await ask("POST", widgets, {
    ...widget({ color: "red" }),
    metadata: { name: "one", finalizers: ["a.b/c"] },
  });
  const deleted = await ask("DELETE", `${definitions}/widgets.example.com`);
  expect(deleted.body.metadata.finalizers).toEqual(["customresourcecleanup.apiextensions.k8s.io"]);
  await eventually(async () => {
    expect((await ask("GET", `${widgets}/one`)).body.metadata.deletionTimestamp).toBeDefined();
  });
  expect((await ask("GET", `${definitions}/widgets.example.com`)).status).toBe(200);
  const late = await ask("POST", widgets, widget({ color: "red" }, "late"));
  expect(late).toMatchObject({ status: 405, body: { reason: "MethodNotAllowed" } });
  const watching = ask("GET", `${widgets}?watch=true&resourceVersion=0`);
  const merge = { "content-type": "application/merge-patch+json" };
  await ask("PATCH", `${widgets}/one`, { metadata: { finalizers: null } }, merge);
  await front.clock.advance(2_000);
  await eventually(async () => {
    expect((await ask("GET", `${definitions}/widgets.example.com`)).status).toBe(404);
  });
  await eventually(async () => {
    expect((await ask("GET", widgets)).status).toBe(404);
  });
  expect((await watching).status).toBe(200);
  expect((await ask("GET", "/apis/example.com/v1")).status).toBe(404);
  await define();
  expect((await ask("GET", widgets)).body.items).toEqual([]);
});
