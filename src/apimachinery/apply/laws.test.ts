import { expect, test } from "vitest";
import { schemas } from "../../api/index.ts";
import { seededRandom, type Random } from "../../base/index.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { applyPatch, statusFields, updateManagedFields } from "./index.ts";

const rounds = 10;
const type = schemas.typeOf({ group: "apps", version: "v1", kind: "Deployment" }) ?? expect.fail();
const identity = { apiVersion: "apps/v1", kind: "Deployment" };
const write = { ...identity, type, now: Date.UTC(2026, 0, 1), resetFields: statusFields };

const apply = (live: JsonObject | undefined, applied: JsonObject, manager: string): JsonObject =>
  applyPatch({ ...write, live, applied, manager }).object;

const forced = (live: JsonObject | undefined, applied: JsonObject, manager: string): JsonObject =>
  applyPatch({ ...write, live, applied, manager, force: true }).object;

/** A configuration of fields that no other owner's configuration has. */
function configuration(random: Random, owner: string): JsonObject {
  const some = <T>(make: (name: string) => T): T[] =>
    [1, 2, 3].filter(() => random.next() < 0.6).map((index) => make(`${owner}${index}`));
  const text = () => String(Math.floor(random.next() * 4));
  const map = () => Object.fromEntries(some((name) => [name, text()] as const));
  const port = (index: number): JsonObject => ({
    containerPort: index,
    ...(random.next() < 0.5 ? { protocol: "TCP" } : {}),
    ...(random.next() < 0.5 ? { name: text() } : {}),
  });
  const container = (name: string): JsonObject => ({
    name,
    image: text(),
    env: some((variable) => ({ name: variable, value: text() })),
    ports: [80, 443].filter(() => random.next() < 0.5).map(port),
    resources: { limits: map() },
    ...(random.next() < 0.5 ? { args: [text(), text()], securityContext: { runAsUser: 1 } } : {}),
  });
  return {
    ...identity,
    metadata: {
      name: "web",
      labels: map(),
      annotations: map(),
      finalizers: some((name) => `example.com/${name}`),
    },
    spec: {
      ...(owner === "a" ? { replicas: Number(text()), selector: { matchLabels: map() } } : { paused: true }),
      template: {
        metadata: { labels: map() },
        spec: {
          containers: some(container),
          volumes: some((name) => ({ name, emptyDir: { medium: text() } })),
          ...(owner === "a"
            ? { nodeSelector: map(), tolerations: [{ key: text() }] }
            : { hostNetwork: true }),
        },
      },
    },
  };
}

const bare: JsonObject = { ...identity, metadata: { name: "web" } };

/** What is left to compare when neither who wrote, nor the order of lists, nor what is empty matters. */
function content(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) {
    const texts = (value as readonly JsonValue[]).map((element) => JSON.stringify(content(element)));
    return texts.sort();
  }
  if (typeof value !== "object" || value === null) return value ?? null;
  const entries = Object.entries(value as JsonObject)
    .filter(([key]) => key !== "managedFields")
    .map(([key, child]) => [key, content(child)] as const)
    .filter(([, child]) => typeof child !== "object" || child === null || Object.keys(child).length > 0)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries);
}

function law(name: string, check: (random: Random) => void): void {
  test(name, () => {
    const random = seededRandom(7);
    for (let round = 0; round < rounds; round++) check(random);
  });
}

law("what is applied again changes nothing", (random) => {
  const [a, b] = [configuration(random, "a"), configuration(random, "b")];
  const live = apply(apply(undefined, a, "a"), b, "b");
  expect(apply(live, structuredClone<JsonObject>(a), "a")).toBe(live);
  expect(apply(structuredClone<JsonObject>(live), b, "b")).toEqual(live);
});

law("managers of different fields do not conflict, in whatever order they come", (random) => {
  const [a, b] = [configuration(random, "a"), configuration(random, "b")];
  const one = apply(apply(undefined, a, "a"), b, "b");
  const other = apply(apply(undefined, b, "b"), a, "a");
  expect(content(one)).toEqual(content(other));
  const managersOf = (object: JsonObject) =>
    (object["metadata"] as { managedFields: JsonValue }).managedFields;
  expect(managersOf(one)).toEqual(managersOf(other));
});

law("who gives everything up leaves what others applied", (random) => {
  const [a, b] = [configuration(random, "a"), configuration(random, "b")];
  const before = apply(undefined, a, "a");
  const after = apply(apply(before, b, "b"), bare, "b");
  expect(content(after)).toEqual(content(before));
  expect(content(apply(after, bare, "a"))).toEqual(content(bare));
});

law("the latest configuration is what its manager has", (random) => {
  const [old, next] = [configuration(random, "a"), configuration(random, "a")];
  const live = apply(apply(undefined, old, "a"), next, "a");
  expect(content(live)).toEqual(content(next));
});

law("force takes what it applies, and the owner before has it no more", (random) => {
  const [old, next] = [configuration(random, "a"), configuration(random, "a")];
  const live = forced(apply(undefined, old, "a"), next, "b");
  const left = apply(forced(live, bare, "a"), next, "b");
  expect(content(left)).toEqual(content(next));
});

law("a write of the same by another owns nothing", (random) => {
  const live = apply(undefined, configuration(random, "a"), "a");
  const tracked = { ...live, metadata: { ...(live["metadata"] as JsonObject), uid: "u" } };
  const entries = updateManagedFields({
    ...write,
    old: tracked,
    object: structuredClone(tracked) as JsonObject,
    manager: "b",
  });
  expect(entries).toEqual((live["metadata"] as JsonObject)["managedFields"]);
});
