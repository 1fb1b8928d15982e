import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from "../../../api/types/admissionregistration-v1.ts";
import { Deployment } from "../../../api/types/apps-v1.ts";
import { ConfigMap } from "../../../api/types/core-v1.ts";
import { createControlPlane } from "../../../control-plane/index.ts";
import { costly, outOfBudget, ruleFor, startPolicyPlane } from "./policies-suite.ts";
import type { PolicyPlane } from "./policies-suite.ts";

type PolicySpec = MutatingAdmissionPolicy["spec"];
type BindingSpec = MutatingAdmissionPolicyBinding["spec"];

let plane: PolicyPlane;

beforeAll(async () => {
  plane = await startPolicyPlane(createControlPlane);
});

afterAll(() => plane.close());

afterEach(() => plane.clean());

const apply = (expression: string) => ({
  patchType: "ApplyConfiguration" as const,
  applyConfiguration: { expression },
});
const jsonPatch = (expression: string) => ({ patchType: "JSONPatch" as const, jsonPatch: { expression } });

async function bind(
  spec: Partial<PolicySpec>,
  { name = "p", ...binding }: Partial<BindingSpec> & { readonly name?: string } = {},
): Promise<void> {
  await plane.client.create(MutatingAdmissionPolicyBinding, {
    metadata: { name: `${name}-b` },
    spec: { policyName: name, ...binding },
  });
  await plane.client.create(MutatingAdmissionPolicy, {
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [ruleFor(), ruleFor("deployments", { group: "apps" })] },
      reinvocationPolicy: "Never",
      ...spec,
    },
  });
}

const template = (name = "web") => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name, image: "web:1", args: ["a"] }] },
});
const deployment = {
  spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, template: template() },
};

/** What becomes of a Deployment. */
const deployed = async () => {
  const { object, error } = await plane.attempt(Deployment, deployment);
  return { error, spec: (object as unknown as Deployment | undefined)?.spec };
};
const denied = (message: string) => `policy 'p' with binding 'p-b' denied request: ${message}`;

describe("ApplyConfiguration", () => {
  test("merges as server-side apply does", async () => {
    const containers = `[Object.spec.template.spec.containers{name: "side", image: "side:1"},
      Object.spec.template.spec.containers{name: "web", env: [Object.spec.template.spec.containers.env{name: "A", value: "b"}]}]`;
    const expression = `Object{spec: Object.spec{
      replicas: object.spec.replicas + 1,
      ?paused: optional.none(),
      template: Object.spec.template{
        metadata: Object.spec.template.metadata{labels: {"tier": "front"}},
        spec: Object.spec.template.spec{containers: ${containers}}}}}`;
    await bind({ mutations: [apply(expression)] });
    const { spec } = await deployed();
    expect(spec).toMatchObject({
      replicas: 3,
      template: {
        metadata: { labels: { app: "web", tier: "front" } },
        spec: {
          containers: [
            { name: "side", image: "side:1", imagePullPolicy: "IfNotPresent" },
            { name: "web", image: "web:1", args: ["a"], env: [{ name: "A", value: "b" }] },
          ],
        },
      },
    });
    expect(spec).not.toHaveProperty("paused");
  });

  test.each([
    {
      name: "an atomic struct",
      expression: 'Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"l": "v"}}}}',
      message:
        "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector",
    },
    {
      name: "an atomic list",
      expression:
        'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "web", args: ["b"]}]}}}}',
      message:
        "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.containers[0].args",
    },
    {
      name: "a type that its field does not say",
      expression: "Object{spec: Object.specx{replicas: 1}}",
      message:
        'type mismatch: unexpected type name "Object.specx", expected "Object.spec", which matches field name path from root Object type',
    },
    {
      name: "a field that there is not",
      expression: "Object{spec: Object.spec{replicasx: 1}}",
      message:
        "error applying patch: failed to convert patch object to typed object: .spec.replicasx: field not declared in schema",
    },
    {
      name: "a value of another type",
      expression: 'Object{spec: Object.spec{replicas: "1"}}',
      message:
        "error applying patch: failed to convert patch object to typed object: .spec.replicas: expected numeric (int or float), got string",
    },
    {
      name: "an error",
      expression: "Object{spec: Object.spec{replicas: object.spec.none}}",
      message:
        "expression 'Object{spec: Object.spec{replicas: object.spec.none}}' resulted in error: no such key: none",
    },
  ])("$name refuses the request", async ({ expression, message }) => {
    await bind({ mutations: [apply(expression)] });
    const { error } = await deployed();
    expect(error?.status).toMatchObject({
      code: 403,
      reason: "Invalid",
      message: denied(message),
      details: { name: "c", group: "apps", kind: "deployments", causes: [{ message: denied(message) }] },
    });
  });
});

describe("JSONPatch", () => {
  test("changes what it names", async () => {
    const expression = `[
      JSONPatch{op: "test", path: "/data/a", value: "1"},
      JSONPatch{op: "replace", path: "/data/a", value: "2"},
      JSONPatch{op: "add", path: "/metadata/annotations", value: {"x": "y"}},
      JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("a/b"), value: "c"},
      JSONPatch{op: "copy", from: "/data/a", path: "/data/b"}]`;
    await bind({ mutations: [jsonPatch(expression)] });
    const { object } = await plane.attempt(ConfigMap, { data: { a: "1" } });
    expect(object).toMatchObject({
      data: { a: "2", b: "2" },
      metadata: { annotations: { x: "y", "a/b": "c" } },
    });
  });

  test("objects may be values", async () => {
    const expression = `[JSONPatch{op: "add", path: "/spec/template/spec/containers/-",
      value: Object.spec.template.spec.containers{name: "side", image: "side:1"}}]`;
    await bind({ mutations: [jsonPatch(expression)] });
    const { spec } = await deployed();
    expect(spec?.template.spec?.containers).toMatchObject([
      { name: "web" },
      { name: "side", imagePullPolicy: "IfNotPresent" },
    ]);
  });

  test.each([
    {
      name: "a test that fails leaves the object as it is",
      expression:
        '[JSONPatch{op: "add", path: "/data/b", value: "1"}, JSONPatch{op: "test", path: "/data/a", value: "x"}]',
    },
    {
      name: "a path that is not there",
      expression: '[JSONPatch{op: "remove", path: "/data/none"}]',
      message: denied(
        "JSONPath: error in remove for path: '/data/none': Unable to remove nonexistent key: none: missing value",
      ),
    },
    {
      name: "a parent that is not there",
      expression: '[JSONPatch{op: "add", path: "/none/a", value: "x"}]',
      message: denied(
        'JSONPath: add operation does not apply: doc is missing path: "/none/a": missing value',
      ),
    },
    {
      name: "an operation that there is not",
      expression: '[JSONPatch{op: "frob", path: "/data"}]',
      message: denied("JSONPath: Unexpected kind: frob"),
    },
    {
      name: "an unknown field",
      expression: '[JSONPatch{op: "add", path: "/nothing", value: "x"}]',
      message: 'Internal error occurred: strict decoding error: unknown field "nothing"',
    },
  ])("$name", async ({ expression, message }) => {
    await bind({ mutations: [jsonPatch(expression)] });
    const { object, error } = await plane.attempt(ConfigMap, { data: { a: "1" } });
    expect(error?.message).toBe(message);
    if (message === undefined) expect(object).toMatchObject({ data: { a: "1" } });
  });
});

const count = (policy: string) =>
  apply(
    `Object{data: {"${policy}": string(int(object.?data["${policy}"].orValue("0")) + 1), "seen${policy}": string(size(object.?data.orValue({})))}}`,
  );

describe("several policies", () => {
  test("go in the order of their names, each sees what those before it made", async () => {
    await bind({ mutations: [apply('Object{data: {"order": object.data.order + "b"}}')] }, { name: "b" });
    await bind(
      {
        mutations: [
          apply('Object{data: {"order": object.data.order + "a"}}'),
          apply('Object{data: {"order": object.data.order + "-"}}'),
        ],
      },
      { name: "a" },
    );
    const { object } = await plane.attempt(ConfigMap, { data: { order: "" } });
    expect(object?.["data"]).toEqual({ order: "a-b" });
  });

  test("run once more where they want to, and only then", async () => {
    await bind({ mutations: [count("a")], reinvocationPolicy: "IfNeeded" }, { name: "a" });
    await bind({ mutations: [count("b")] }, { name: "b" });
    const { object } = await plane.attempt(ConfigMap, { data: { x: "1" } });
    expect(object?.["data"]).toEqual({ x: "1", a: "2", b: "1", seena: "5", seenb: "3" });
  });

  test("the conditions of a later one hold for what an earlier one made", async () => {
    await bind(
      { mutations: [apply('Object{metadata: Object.metadata{labels: {"env": "prod"}}}')] },
      { name: "a" },
    );
    const matchConditions = [
      { name: "prod", expression: 'object.?metadata.labels["env"].orValue("") == "prod"' },
    ];
    await bind({ matchConditions, mutations: [apply('Object{data: {"b": "1"}}')] }, { name: "b" });
    const { object } = await plane.attempt(ConfigMap);
    expect(object).toMatchObject({ data: { b: "1" }, metadata: { labels: { env: "prod" } } });
  });
});

const paramKind = { apiVersion: "v1", kind: "ConfigMap" };

test("variables and parameters may be named, of all parameters that a selector finds", async () => {
  for (const [name, key] of [
    ["one", "a"],
    ["two", "b"],
  ] as const) {
    const metadata = { name, namespace: "shop", labels: { is: "param" } };
    await plane.client.create(ConfigMap, { metadata, data: { key } });
  }
  await bind(
    {
      paramKind,
      variables: [{ name: "key", expression: "params.data.key" }],
      mutations: [apply("Object{data: {variables.key: namespaceObject.metadata.labels.team}}")],
    },
    { paramRef: { selector: { matchLabels: { is: "param" } }, parameterNotFoundAction: "Deny" } },
  );
  const { object } = await plane.attempt(ConfigMap);
  expect(object?.["data"]).toEqual({ a: "shop", b: "shop" });
});

const endless = `${"[0,1,2,3,4,5,6,7,8,9].all(a, ".repeat(7).replaceAll(/a(?=, )/g, "a")}true${")".repeat(7)}`;

test.each<{ name: string; spec: Partial<PolicySpec>; paramRef?: BindingSpec["paramRef"]; message?: string }>([
  {
    name: "failures that are ignored change nothing",
    spec: { failurePolicy: "Ignore", mutations: [apply('Object{data: {"x": object.none}}')] },
  },
  {
    name: "parameters that are not there",
    spec: { paramKind, mutations: [apply('Object{data: {"x": "y"}}')] },
    paramRef: { name: "none", parameterNotFoundAction: "Deny" },
    message: denied(
      "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
    ),
  },
  {
    name: "parameters that need not be there",
    spec: { paramKind, mutations: [apply('Object{data: {"x": "y"}}')] },
    paramRef: { name: "none", parameterNotFoundAction: "Allow" },
  },
  {
    name: "parameters of a kind that nobody serves",
    spec: {
      paramKind: { apiVersion: "rules.example.com/v1", kind: "Limit" },
      mutations: [apply('Object{data: {"x": "y"}}')],
    },
    message:
      "policy \"p\" denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'",
  },
  {
    name: "conditions that cannot be evaluated",
    spec: {
      matchConditions: [{ name: "c", expression: "object.none == 1" }],
      mutations: [apply('Object{data: {"x": "y"}}')],
    },
    message: denied("expression 'object.none == 1' resulted in error: no such key: none"),
  },
  {
    name: "conditions that are not met",
    spec: {
      matchConditions: [{ name: "c", expression: "request.userInfo.username != 'ann'" }],
      mutations: [apply('Object{data: {"x": "y"}}')],
    },
  },
  {
    name: "expressions that would not end",
    spec: { mutations: [apply(`Object{data: {"x": string(${endless})}}`)] },
    message: denied(
      `expression 'Object{data: {"x": string(${endless})}}' resulted in error: operation cancelled: actual cost limit exceeded`,
    ),
  },
  {
    name: "variables that together cost too much",
    spec: {
      variables: Array.from({ length: 20 }, (_, index) => ({ name: `v${index}`, expression: costly })),
      mutations: [
        apply(
          `Object{data: {"x": string(${Array.from({ length: 20 }, (_, index) => `variables.v${index}`).join(" && ")})}}`,
        ),
      ],
    },
    message: denied(outOfBudget),
  },
])("$name", async ({ spec, paramRef, message }) => {
  await bind(spec, paramRef ? { paramRef } : {});
  const { object, error } = await plane.attempt(ConfigMap, { data: { a: "1" } });
  expect(error?.message).toBe(message);
  if (message === undefined) expect(object?.["data"]).toEqual({ a: "1" });
});

test("what several policies refuse is told together", async () => {
  await bind({ mutations: [apply('Object{data: {"x": object.none}}')] }, { name: "a" });
  await bind({ mutations: [apply('Object{data: {"x": object.nothing}}')] }, { name: "b" });
  const { error } = await plane.attempt(ConfigMap);
  const messages = [
    "policy 'a' with binding 'a-b' denied request: expression 'Object{data: {\"x\": object.none}}' resulted in error: no such key: none",
    "policy 'b' with binding 'b-b' denied request: expression 'Object{data: {\"x\": object.nothing}}' resulted in error: no such key: nothing",
  ];
  expect(error?.message).toBe(messages[0]);
  expect(error?.status.details?.causes).toEqual(messages.map((message) => ({ message })));
});

test("policies that configure admission are exempt, and without a binding nothing happens", async () => {
  await bind({
    matchConstraints: { resourceRules: [{ ...ruleFor("*"), apiGroups: ["*"], apiVersions: ["*"] }] },
    mutations: [apply('Object{metadata: Object.metadata{labels: {"by": "policy"}}}')],
  });
  const { object } = await plane.attempt(ConfigMap);
  expect(object?.metadata.labels).toEqual({ by: "policy" });
  const policy = await plane.client.get(MutatingAdmissionPolicy, { name: "p" });
  const updated = await plane.client.update(MutatingAdmissionPolicy, {
    ...policy,
    metadata: { ...policy.metadata, annotations: { touched: "yes" } },
  });
  expect(updated.metadata.labels).toBeUndefined();
  await plane.client.delete(MutatingAdmissionPolicyBinding, { name: "p-b" });
  expect((await plane.attempt(ConfigMap)).object?.metadata.labels).toBeUndefined();
});
