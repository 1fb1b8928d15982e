import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../../api/types/admissionregistration-v1.ts";
import { ConfigMap } from "../../../api/types/core-v1.ts";
import { createControlPlane } from "../../../control-plane/index.ts";
import { costly, outOfBudget, ruleFor, startPolicyPlane } from "./policies-suite.ts";
import type { PolicyPlane } from "./policies-suite.ts";

type PolicySpec = ValidatingAdmissionPolicy["spec"];
type BindingSpec = ValidatingAdmissionPolicyBinding["spec"];

let plane: PolicyPlane;
const client = () => plane.client;

beforeAll(async () => {
  plane = await startPolicyPlane(createControlPlane);
});

afterAll(() => plane.close());

afterEach(() => plane.clean());

async function bind(spec: Partial<PolicySpec>, binding: Partial<BindingSpec> = {}): Promise<void> {
  await client().create(ValidatingAdmissionPolicyBinding, {
    metadata: { name: "b" },
    spec: { policyName: "p", validationActions: ["Deny"], ...binding },
  });
  await client().create(ValidatingAdmissionPolicy, {
    metadata: { name: "p" },
    spec: { matchConstraints: { resourceRules: [ruleFor()] }, ...spec },
  });
}

/** What comes of a create: the error, or what was heard. */
const attempt = (data: Readonly<Record<string, string>> = {}) => plane.attempt(ConfigMap, { data });

const denied =
  "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";
const small = "object.data.size == 'small'";

test.each<{ name: string; spec: Partial<PolicySpec>; data?: Record<string, string>; message?: string }>([
  { name: "holds", spec: { validations: [{ expression: small }] }, data: { size: "small" } },
  {
    name: "does not hold",
    spec: { validations: [{ expression: small }] },
    data: { size: "big" },
    message: `failed expression: ${small}`,
  },
  {
    name: "message",
    spec: { validations: [{ expression: small, message: "too big" }] },
    data: { size: "big" },
    message: "too big",
  },
  {
    name: "message expression",
    spec: { validations: [{ expression: small, messageExpression: "'not ' + object.data.size" }] },
    data: { size: "big" },
    message: "not big",
  },
  {
    name: "failed message expression",
    spec: {
      validations: [{ expression: small, message: "big", messageExpression: "'x' + object.data.none" }],
    },
    data: { size: "big" },
    message: "big",
  },
  {
    name: "error",
    spec: { validations: [{ expression: small }] },
    data: { none: "x" },
    message: `expression '${small}' resulted in error: no such key: size`,
  },
  {
    name: "ignored error",
    spec: { failurePolicy: "Ignore", validations: [{ expression: small }] },
    data: { none: "x" },
  },
  {
    name: "variables",
    spec: {
      variables: [
        { name: "size", expression: "object.data.size" },
        { name: "isSmall", expression: "variables.size == 'small'" },
      ],
      validations: [{ expression: "variables.isSmall", messageExpression: "variables.size + ' it is'" }],
    },
    data: { size: "big" },
    message: "big it is",
  },
  {
    name: "excluded by a condition",
    spec: {
      matchConditions: [{ name: "c", expression: "request.userInfo.username != 'ann'" }],
      validations: [{ expression: "false" }],
    },
  },
  {
    name: "namespace, request and authorizer",
    spec: {
      validations: [
        { expression: "namespaceObject.metadata.labels.team == 'shop'" },
        { expression: "request.operation == 'CREATE' && request.dryRun && oldObject == null" },
        { expression: "authorizer.requestResource.check('create').allowed()" },
        {
          expression:
            "!authorizer.serviceAccount('shop', 'x').group('').resource('pods').check('get').allowed()",
        },
      ],
    },
  },
  {
    name: "budget",
    spec: {
      variables: [{ name: "l", expression: "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]" }],
      validations: [
        {
          expression:
            "variables.l.all(a, variables.l.all(b, variables.l.all(c, variables.l.all(d, variables.l.all(e, a + b + c + d + e > 0)))))",
        },
      ],
    },
    message:
      "expression 'variables.l.all(a, variables.l.all(b, variables.l.all(c, variables.l.all(d, variables.l.all(e, a + b + c + d + e > 0)))))' resulted in error: operation cancelled: actual cost limit exceeded",
  },
  {
    name: "expressions that together cost too much",
    spec: { validations: Array.from({ length: 20 }, () => ({ expression: costly })) },
    message: outOfBudget,
  },
  {
    name: "conditions that together cost too much",
    spec: {
      matchConditions: Array.from({ length: 5 }, (_, index) => ({ name: `c${index}`, expression: costly })),
      validations: [{ expression: "true" }],
    },
    message: outOfBudget,
  },
  {
    name: "expressions that together cost too much, ignored",
    spec: {
      failurePolicy: "Ignore",
      validations: Array.from({ length: 20 }, () => ({ expression: costly })),
    },
  },
  {
    name: "a variable that cannot be evaluated",
    spec: {
      variables: [{ name: "none", expression: "object.data.none" }],
      validations: [{ expression: "variables.none == 'x'" }],
    },
    data: { size: "big" },
    message:
      "expression 'variables.none == 'x'' resulted in error: composited variable \"none\" fails to evaluate: no such key: none",
  },
])("$name", async ({ spec, data = {}, message }) => {
  await bind(spec);
  const { error } = await attempt(data);
  expect(error?.message).toBe(message === undefined ? undefined : denied + message);
});

test("a refusal has the validation's reason, and its message as a cause", async () => {
  await bind({ validations: [{ expression: "false", message: "no", reason: "RequestEntityTooLarge" }] });
  const { error } = await attempt();
  expect(error?.status).toMatchObject({
    code: 413,
    reason: "RequestEntityTooLarge",
    details: {
      name: "c",
      kind: "configmaps",
      causes: [{ message: "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no" }],
    },
  });
});

test("a binding may warn and have it recorded instead; annotations are recorded", async () => {
  await bind(
    {
      validations: [{ expression: "false", message: "no" }],
      auditAnnotations: [{ key: "size", valueExpression: "'size ' + object.data.size" }],
    },
    { validationActions: ["Warn", "Audit"] },
  );
  const { heard } = await attempt({ size: "big" });
  const failure = {
    message: "no",
    policy: "p",
    binding: "b",
    expressionIndex: 0,
    validationActions: ["Warn", "Audit"],
  };
  expect(heard).toEqual([
    "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no",
    ["validation.policy.admission.k8s.io/validation_failure", JSON.stringify([failure])],
    ["p/size", "size big"],
  ]);
});

const paramKind = { apiVersion: "v1", kind: "ConfigMap" };
const limited = {
  paramKind,
  validations: [
    { expression: "object.data.size == params.data.size", messageExpression: "string(params.metadata.name)" },
  ],
};

test.each<{ name: string; spec?: Partial<PolicySpec>; paramRef: BindingSpec["paramRef"]; message?: string }>([
  { name: "by name", paramRef: { name: "big", parameterNotFoundAction: "Deny" }, message: "big" },
  { name: "by name, met", paramRef: { name: "small", parameterNotFoundAction: "Deny" } },
  {
    name: "by selector",
    paramRef: { selector: { matchLabels: { is: "param" } }, parameterNotFoundAction: "Deny" },
    message: "big",
  },
  {
    name: "not there",
    paramRef: { name: "none", parameterNotFoundAction: "Deny" },
    message:
      "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
  },
  { name: "allowed not to be there", paramRef: { name: "none", parameterNotFoundAction: "Allow" } },
])("parameters $name", async ({ paramRef, message }) => {
  for (const size of ["big", "small"]) {
    const metadata = { name: size, namespace: "shop", labels: { is: "param" } };
    await client().create(ConfigMap, { metadata, data: { size } });
  }
  await bind(limited, paramRef ? { paramRef } : {});
  const { error } = await attempt({ size: "small" });
  expect(error?.message).toBe(message === undefined ? undefined : denied + message);
});

test("a kind of parameters that nobody serves fails the policy, for requests that it is for", async () => {
  await bind(
    { ...limited, paramKind: { apiVersion: "rules.example.com/v1", kind: "Limit" } },
    { paramRef: { name: "x", parameterNotFoundAction: "Deny" } },
  );
  const { error } = await attempt();
  expect(error?.message).toBe(
    "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'",
  );
});

test("bindings narrow, exclusions exempt, and without a binding nothing happens", async () => {
  const forbidding = { validations: [{ expression: "false" }] };
  await bind(forbidding, {
    matchResources: { namespaceSelector: { matchLabels: { team: "other" } } },
  });
  expect((await attempt()).error).toBeUndefined();
  await client().deleteCollection(ValidatingAdmissionPolicyBinding, {});
  expect((await attempt()).error).toBeUndefined();
  await client().deleteCollection(ValidatingAdmissionPolicy, {});
  const rule = { operations: ["*"], apiGroups: [""], apiVersions: ["*"], resources: ["*"] } as const;
  await bind({
    ...forbidding,
    matchConstraints: {
      resourceRules: [rule],
      excludeResourceRules: [{ ...rule, resourceNames: ["c"] }],
    },
  });
  expect((await attempt()).error).toBeUndefined();
});
