import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually, Scene, widget, widgets } from "./conversion-suite.ts";
import type { ConversionHook, Question } from "./conversion-suite.ts";

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
  await scene.create("v1", "one");
});

afterEach(() => scene.reset());

const silent = () => undefined;
const isAsked = (count = 1) => eventually(() => expect(hook.questions.length).toBeGreaterThanOrEqual(count));

test("A webhook that hangs is waited for 30 seconds, and only by those who need it", async () => {
  hook.answer = silent;
  const hanging = ask("GET", widgets("v2", "one"));
  await isAsked();
  expect((await ask("GET", widgets("v1", "one"))).status).toBe(200);
  expect((await scene.create("v1", "two")).metadata.name).toBe("two");
  await scene.front.clock.advance(29_000);
  hook.answer = undefined;
  const two = await ask("GET", widgets("v2", "two"));
  expect(two.status).toBe(200);
  await scene.front.clock.advance(1_000);
  expect(await hanging).toMatchObject({
    status: 500,
    body: {
      message: `conversion for example.com/v1, Kind=Widget failed: conversion webhook for /, Kind= failed: Post "${hook.url}?timeout=30s": context deadline exceeded`,
    },
  });
});

test("Those who want the same object wait for one call", async () => {
  const answers: (() => void)[] = [];
  hook.answer = (question: Question, response: ServerResponse) => {
    answers.push(() => {
      const { apiVersion, request } = question;
      const convertedObjects = request.objects.map((object) => ({ ...object, apiVersion: "example.com/v2" }));
      const result = { status: "Success" };
      response.end(
        JSON.stringify({
          kind: "ConversionReview",
          apiVersion,
          response: { uid: request.uid, result, convertedObjects },
        }),
      );
    });
    return undefined;
  };
  const asked = [1, 2, 3].map(() => ask("GET", widgets("v2")));
  await eventually(() => expect(answers.length).toBe(1));
  answers[0]?.();
  for (const { status } of await Promise.all(asked)) expect(status).toBe(200);
  expect(hook.questions.length).toBe(1);
});

test("An answer without end is cut off", async () => {
  let written = 0;
  hook.answer = (_, response) => {
    const block = Buffer.alloc(1024 * 1024, "x");
    const more = () => {
      while (written < 100 && !response.destroyed) {
        written += 1;
        if (!response.write(block)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
    return undefined;
  };
  const { status, body } = await ask("GET", widgets("v2", "one"));
  expect(status).toBe(500);
  expect(body.message).toMatch(/: the answer is longer than 16777216 bytes$/);
  expect(written).toBeLessThan(100);
});

test("What is too much for one call is asked in several", async () => {
  const paint = "x".repeat(900_000);
  for (const name of ["a", "b", "c", "d", "e"]) await scene.create("v1", name, paint);
  const { body } = await ask("GET", widgets("v2"));
  expect(body.items.length).toBe(6);
  expect(hook.asked()).toEqual(["a@v1 b@v1 c@v1 d@v1 to v2", "e@v1 one@v1 to v2"]);
});

test("A definition goes though its webhook does not answer, as its objects need not be converted", async () => {
  hook.answer = silent;
  await scene.undefine();
  await eventually(async () => expect((await ask("GET", "/apis/example.com/v1")).status).toBe(404));
  expect(hook.questions).toEqual([]);
});

test("A server that ends does not wait for a webhook", async () => {
  const ending = await Scene.open();
  await ending.define();
  await ending.create("v1", "one");
  ending.hook.answer = silent;
  const hanging = ending.ask("GET", widgets("v2", "one")).catch((error: unknown) => error);
  await eventually(() => expect(ending.hook.questions.length).toBe(1));
  const closing = ending.close();
  await Promise.all([hanging, closing]);
});

test("An answer that is nested too deep is refused", async () => {
  await scene.reset();
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  await scene.define({ firstOnly: { anything: open } });
  const depth = 1_000_000;
  hook.answer = ({ apiVersion, request }, response) => {
    const [first] = request.objects;
    const spec = `{"anything":{"deep":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
    const object = `{"kind":"Widget","apiVersion":"example.com/v1","metadata":${JSON.stringify(first?.metadata)},"spec":${spec}}`;
    const answer = `{"uid":"${request.uid}","result":{"status":"Success"},"convertedObjects":[${object}]}`;
    response.end(`{"kind":"ConversionReview","apiVersion":"${apiVersion}","response":${answer}}`);
    return undefined;
  };
  const { status, body } = await ask("POST", widgets("v2"), widget("v2", "deep"));
  expect({ status, message: body.message }).toEqual({
    status: 500,
    message: expect.stringContaining("exceeded max depth"),
  });
  expect((await ask("GET", widgets("v1"))).body.items).toEqual([]);
});
