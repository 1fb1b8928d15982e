import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openFront, type Front } from "../http/front-suite.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const things = "/apis/hostile.example.com/v1/namespaces/default/things";
const attempts = 400;

let front: Front;
beforeEach(async () => {
  front = await openFront();
  await send("/api/v1/namespaces", '{"metadata":{"name":"default"}}');
});
afterEach(() => front.close());

async function send(path: string, body: string) {
  const headers = { "content-type": "application/json" };
  const { status, text } = await front.ask(path, { method: "POST", as: "admin", headers, body });
  const { message = "" } = JSON.parse(text) as { readonly message?: string };
  return { status, message };
}

const definition = (schema: string) =>
  `{"metadata":{"name":"things.hostile.example.com"},"spec":{"group":"hostile.example.com","names":{"kind":"Thing","plural":"things"},"scope":"Namespaced","versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":${schema}}}]}}`;

async function define(schema: string): Promise<void> {
  expect(await send(definitions, definition(schema))).toEqual({ status: 201, message: "" });
  for (let attempt = 0; attempt < attempts; attempt++) {
    if ((await front.ask(things, { as: "admin" })).status === 200) return;
    await setImmediate();
  }
  throw new Error("the definition is not served");
}

const thing = (fields: string) =>
  send(things, `{"apiVersion":"hostile.example.com/v1","kind":"Thing","metadata":{"name":"one"},${fields}}`);

const structure = (properties: string) => `{"type":"object","properties":{${properties}}}`;
const nested = (depth: number) =>
  `${'{"type":"object","properties":{"a":'.repeat(depth)}{"type":"string"}${"}}".repeat(depth)}`;
const nestedValue = (depth: number) => `${'{"a":'.repeat(depth)}"x"${"}".repeat(depth)}`;
const list = (count: number, element: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => element(index)).join(",");

test.each([1_000, 10_000, 60_000])("schemas that nest %i deep are refused", async (depth) => {
  const { status, message } = await send(definitions, definition(nested(depth)));
  expect([status, message]).toEqual([400, expect.stringContaining("exceeded max depth")]);
  expect((await front.ask("/api/v1/namespaces", { as: "admin" })).status).toBe(200);
});

test("schemas that nest deep describe objects that do; deeper ones are refused", async () => {
  await define(nested(200));
  expect((await thing(`"a":${nestedValue(199)}`)).status).toBe(201);
  expect(await thing(`"a":${nestedValue(198).replace('"x"', "1")}`)).toMatchObject({ status: 422 });
  for (const depth of [1_000, 100_000]) {
    expect(await thing(`"a":${nestedValue(depth)}`)).toEqual({
      status: 400,
      message: 'Thing in version "v1" cannot be handled as a Thing: exceeded max depth',
    });
  }
});

test("thousands of properties, with patterns, defaults and rules", async () => {
  const property = (index: number) =>
    `"property${index}":{"type":"string","maxLength":63,"pattern":"^[a-z${index}]+$","default":"a","x-kubernetes-validations":[{"rule":"self != 'b${index}'"}]}`;
  await define(structure(list(200, property)));
  expect((await thing('"property7":"b"')).status).toBe(201);
  expect(await thing('"property7":"b7"')).toMatchObject({
    status: 422,
    message: expect.stringContaining("property7: Invalid value: \"string\": failed rule: self != 'b7'"),
  });
});

test("patterns that others take for ever to tell, and long enumerations", async () => {
  const values = list(20_000, (index) => `"value${index}"`);
  await define(
    structure(`"a":{"type":"string","pattern":"^(a+)+$"},"b":{"type":"string","enum":[${values}]}`),
  );
  expect(await thing(`"a":"${"a".repeat(100_000)}!"`)).toMatchObject({ status: 422 });
  expect((await thing(`"a":"${"a".repeat(100_000)}","b":"value19999"`)).status).toBe(201);
  expect((await thing('"b":"value"')).message).toMatch(
    /Unsupported value: "value": supported values: "value0"/,
  );
});

test("values times alternatives are counted, and mistakes are told up to a number", async () => {
  const branches = list(500, (index) => `{"properties":{"a":{"enum":["x${index}"]}}}`);
  await define(
    structure(
      `"many":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}},"oneOf":[${branches}]}},"numbers":{"type":"array","items":{"type":"integer"}}`,
    ),
  );
  expect((await thing(`"many":[{"a":"x499"},{"a":"x0"}]`)).status).toBe(201);
  expect(await thing(`"many":[${list(2_000, () => '{"a":"x499"}')}]`)).toMatchObject({
    status: 422,
    message: expect.stringContaining("must not need to be held against more than 500000 alternatives"),
  });
  const { message } = await thing(`"numbers":[${list(11_000, () => '"x"')}]`);
  expect(message).toContain("numbers[9999]: ");
  expect(message).not.toContain("numbers[10000]: ");
});
