import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from "../../../api/types/admissionregistration-v1.ts";
import { CustomResourceDefinition } from "../../../api/types/apiextensions-v1.ts";
import { VirtualClock } from "../../../base/index.ts";
import { createControlPlane } from "../../../control-plane/index.ts";
import { ruleFor, startPolicyPlane } from "./policies-suite.ts";
import type { PolicyPlane } from "./policies-suite.ts";
import { policyTypeCheck } from "./type-check.ts";

let plane: PolicyPlane;

beforeAll(async () => {
  plane = await startPolicyPlane(createControlPlane);
  await plane.client.create(CustomResourceDefinition, {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      names: { plural: "widgets", kind: "Widget" },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: { spec: { type: "object", properties: { size: { type: "integer" } } } },
            },
          },
        },
      ],
    },
  });
  await untilServed("widgets");
});

afterAll(() => plane.close());

/** Settles when a custom resource is served. */
async function untilServed(plural: string): Promise<void> {
  const { served } = plane.plane.server.core;
  if (served.anyVersion("example.com", plural)) return;
  await new Promise<void>((resolve) => {
    const stop = served.onChange(() => {
      if (!served.anyVersion("example.com", plural)) return;
      stop();
      resolve();
    });
  });
}

type Spec = Partial<ValidatingAdmissionPolicy["spec"]>;

function warningsOf(expression: string, rules: readonly NamedRuleWithOperations[], more: Spec = {}) {
  const check = policyTypeCheck({ served: plane.plane.server.core.served, clock: new VirtualClock() });
  const matchConstraints = { resourceRules: rules };
  return check({
    metadata: { name: "p" },
    spec: { matchConstraints, validations: [{ expression }], ...more },
  } as unknown as ValidatingAdmissionPolicy);
}

const deployments = ruleFor("deployments", { group: "apps" });
const widgets = ruleFor("widgets", { group: "example.com" });

test("what is wrong is shown for each kind", () => {
  const rules = [{ ...deployments, resources: ["replicasets", "deployments"] }];
  expect(warningsOf("object.replicas > 1", rules)).toEqual([
    {
      fieldRef: "spec.validations[0].expression",
      warning: `apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'
 | object.replicas > 1
 | ......^

apps/v1, Kind=ReplicaSet: ERROR: <input>:1:7: undefined field 'replicas'
 | object.replicas > 1
 | ......^
`,
    },
  ]);
});

test.each<{ expression: string; rule?: NamedRuleWithOperations; more?: Spec; wrong?: string }>([
  { expression: "object.spec.replicas > 1 && has(object.metadata.labels.app)" },
  {
    expression: "object.spec.replicas > 'a'",
    wrong: "found no matching overload for '_>_' applied to '(int, string)'",
  },
  { expression: "object.metadata.creationTimestamp < timestamp('2030-01-01T00:00:00Z')" },
  { expression: "type(object.spec.strategy.rollingUpdate.maxSurge) == int" },
  { expression: "object.spec.template.spec.containers.all(c, c.image.startsWith('a/'))" },
  {
    expression: "object.spec.template.spec.containers.all(c, c.picture != '')",
    wrong: "undefined field 'picture'",
  },
  { expression: "authorizer.group('').resource('pods').check('get').allowed()" },
  { expression: "authorizer.allowed()", wrong: "found no matching overload for 'allowed'" },
  { expression: "object.spec.size > 1", rule: widgets },
  {
    expression: "object.spec.weight > 1",
    rule: widgets,
    wrong: "example.com/v1, Kind=Widget: ERROR: <input>:1:12: undefined field 'weight'",
  },
  { expression: "object.metadata.annotations['a'] == 'b'", rule: widgets },
  { expression: "object.nothing", rule: ruleFor(), wrong: "/v1, Kind=ConfigMap: ERROR" },
  { expression: "object.nothing", rule: { ...deployments, apiVersions: ["*"] } },
  { expression: "object.nothing", rule: { ...deployments, resources: ["deployments/*", "*"] } },
  { expression: "object.nothing", rule: ruleFor("gadgets", { group: "example.com" }) },
  {
    expression: "object.spec.replicas == params.data.replicas",
    more: { paramKind: { apiVersion: "v1", kind: "ConfigMap" } },
    wrong: "found no matching overload for '_==_' applied to '(int, string)'",
  },
  {
    expression: "params.nothing == 1",
    more: { paramKind: { apiVersion: "x.example.com/v1", kind: "Unknown" } },
  },
  {
    expression: "variables.count == 'a'",
    more: { variables: [{ name: "count", expression: "object.spec.replicas" }] },
    wrong: "applied to '(int, string)'",
  },
  {
    expression: "variables.count == 1",
    more: { variables: [{ name: "count", expression: "object.nothing" }] },
  },
  { expression: "variables.nothing", wrong: "undefined field 'nothing'" },
])("$expression", ({ expression, rule = deployments, more = {}, wrong }) => {
  const [warning] = warningsOf(expression, [rule], more);
  if (wrong === undefined) expect(warning).toBeUndefined();
  else expect(warning?.warning).toContain(wrong);
});

test("messages are checked too", () => {
  const validations = [{ expression: "true", messageExpression: "object.nothing + 'a'" }];
  expect(warningsOf("", [deployments], { validations })).toMatchObject([
    { fieldRef: "spec.validations[0].messageExpression" },
  ]);
});
