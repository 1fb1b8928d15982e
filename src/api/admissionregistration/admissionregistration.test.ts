import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { ResourceDefinition } from "../definition.ts";
import { cells, creationProblems, defaulted, updateProblems } from "../testing/check.ts";
import { admissionPolicyDefinitions } from "./policy.ts";
import { mutatingWebhookConfigurationDefinition } from "./webhook-configuration.ts";

const webhook = {
  name: "a.b.c",
  clientConfig: { url: "https://a/b" },
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
};
const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };

function webhookProblems(change: object): readonly string[] {
  return creationProblems(mutatingWebhookConfigurationDefinition, { webhooks: [{ ...webhook, ...change }] });
}

describe("webhooks", () => {
  test.each<[object, readonly string[]]>([
    [{}, []],
    [{ name: "" }, ["name: Required value"]],
    [
      { name: "a.b" },
      ['name: Invalid value: "a.b": should be a domain with at least three segments separated by dots'],
    ],
    [{ failurePolicy: "x" }, ['failurePolicy: Unsupported value: "x": supported values: "Fail", "Ignore"']],
    [
      { timeoutSeconds: 31 },
      ["timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"],
    ],
    [
      { sideEffects: "Some" },
      ['sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    ],
    [{ sideEffects: null }, ["sideEffects: Required value: must specify one of None, NoneOnDryRun"]],
    [
      { failurePolicy: "", matchPolicy: "" },
      [
        'failurePolicy: Unsupported value: "": supported values: "Fail", "Ignore"',
        'matchPolicy: Unsupported value: "": supported values: "Equivalent", "Exact"',
      ],
    ],
    [
      { reinvocationPolicy: "x" },
      ['reinvocationPolicy: Unsupported value: "x": supported values: "IfNeeded", "Never"'],
    ],
    [{ clientConfig: {} }, ["clientConfig: Required value: exactly one of url or service is required"]],
    [
      { clientConfig: { service: { namespace: "n" } } },
      ["clientConfig.service.namespace: Required value: service namespace is required"],
    ],
    [
      { clientConfig: { service: { namespace: "n", name: "s", path: "/a//B/", port: 70000 } } },
      [
        "clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive",
        'clientConfig.service.path: Invalid value: "/a//B/": segment[1] may not be empty',
        'clientConfig.service.path: Invalid value: "/a//B/": segment[2]: a lowercase RFC 1123 subdomain',
      ],
    ],
    [
      { clientConfig: { url: "http://u:p@/x?q=1#f" } },
      [
        "clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
        'clientConfig.url: Invalid value: "": host must be provided; desired format: https://host[/path]',
        'clientConfig.url: Invalid value: "u:p": user information is not permitted in the URL',
        'clientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
        'clientConfig.url: Invalid value: "q=1": query parameters are not permitted in the URL',
      ],
    ],
    [
      { clientConfig: { url: "https://%zz" } },
      [
        'clientConfig.url: Required value: url must be a valid URL: parse "https://%zz": invalid URL escape "%zz"; desired format: https://host[/path]',
      ],
    ],
    [
      { admissionReviewVersions: ["v2", "v2"] },
      [
        'admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
        'admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
      ],
    ],
    [
      {
        matchConditions: [
          { name: "a", expression: " " },
          { name: "a", expression: "true" },
        ],
      },
      ["matchConditions[0].expression: Required value", 'matchConditions[1].name: Duplicate value: "a"'],
    ],
    [
      { rules: [{ ...rule, operations: ["*", "CREATE"], resources: ["*", "pods", "*/*", "pods/x"] }] },
      [
        'rules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations',
        "if '*/*' is present, must not specify other resources",
        "if '*' is present, must not specify other resources without subresources",
      ],
    ],
  ])("%j", (change, problems) => {
    const found = webhookProblems(change);
    expect(found).toHaveLength(problems.length);
    for (const [index, problem] of problems.entries()) {
      expect(found[index]?.replace("webhooks[0].", "")).toContain(problem);
    }
  });

  test("names are unique", () => {
    const webhooks = [webhook, webhook];
    expect(creationProblems(mutatingWebhookConfigurationDefinition, { webhooks })).toEqual([
      'webhooks[1].name: Duplicate value: "a.b.c"',
    ]);
  });

  test("what was there before a rule came may stay", () => {
    const webhooks = [
      { ...webhook, sideEffects: "Some", admissionReviewVersions: ["v9"] },
      { ...webhook, objectSelector: { matchExpressions: [{ key: "a", operator: "In", values: ["b c"] }] } },
    ];
    expect(
      updateProblems(mutatingWebhookConfigurationDefinition, { old: { webhooks }, next: { webhooks } }),
    ).toEqual([]);
  });
});

const definitionOf = (kind: string, version = "v1") =>
  admissionPolicyDefinitions.find(
    ({ resource }) => resource.kind === kind && resource.version === version,
  ) as unknown as ResourceDefinition;
const problemsOf = (kind: string, spec: object) =>
  creationProblems<KubernetesObject>(definitionOf(kind), { kind, spec });

const matchConstraints = { resourceRules: [rule] };
const validating = { matchConstraints, validations: [{ expression: "true" }] };
const mutation = {
  patchType: "JSONPatch",
  jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/a'}]" },
};
const mutating = { matchConstraints, mutations: [mutation], reinvocationPolicy: "Never" };

describe("policies that validate", () => {
  test.each<[object, readonly string[]]>([
    [{}, []],
    [{ matchConstraints: undefined }, ["spec.matchConstraints: Required value"]],
    [{ matchConstraints: {} }, ["spec.matchConstraints.resourceRules: Required value"]],
    [
      { validations: [] },
      [
        "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
        "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
      ],
    ],
    [
      { validations: [{ expression: "", message: " ", messageExpression: " ", reason: "x" }] },
      [
        "spec.validations[0].expression: Required value: expression is not specified",
        'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
        'spec.validations[0].message: Invalid value: " ": message must be non-empty if specified',
        'spec.validations[0].reason: Unsupported value: "x": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      ],
    ],
    [
      { validations: [{ expression: "true", message: "a\nb" }] },
      ['spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks'],
    ],
    [
      { variables: [{ name: "in", expression: "1" }] },
      ['spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier'],
    ],
    [
      { paramKind: { apiVersion: "a/b/c", kind: "" } },
      [
        'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        "spec.paramKind.kind: Required value",
      ],
    ],
    [
      {
        auditAnnotations: [
          { key: "k", valueExpression: "" },
          { key: "k", valueExpression: "''" },
        ],
      },
      [
        "spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified",
        'spec.auditAnnotations[1].key: Duplicate value: "k"',
      ],
    ],
    [{ validations: [{ expression: "object.spec.replicas <= 5 && request.name != ''" }] }, []],
    [
      { validations: [{ expression: "object.spec.replicas <=", messageExpression: "1" }] },
      [
        "spec.validations[0].expression: Invalid value: \"object.spec.replicas <=\": compilation failed: ERROR: <input>:1:24: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | object.spec.replicas <=\n | .......................^",
        'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
      ],
    ],
    [
      {
        validations: [
          { expression: "params.a && request.unknown", messageExpression: "authorizer.path('/')" },
        ],
      },
      [
        "spec.validations[0].expression: Invalid value: \"params.a && request.unknown\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.a && request.unknown\n | ^\nERROR: <input>:1:20: undefined field 'unknown'\n | params.a && request.unknown\n | ...................^",
        "spec.validations[0].messageExpression: Invalid value: \"authorizer.path('/')\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')\n | authorizer.path('/')\n | ^",
      ],
    ],
    [
      {
        paramKind: { apiVersion: "v1", kind: "ConfigMap" },
        variables: [
          { name: "limit", expression: "int(params.data.limit)" },
          { name: "small", expression: "object.spec.replicas < variables.limit" },
          { name: "wrong", expression: "variables.limit.startsWith('')" },
          { name: "unknown", expression: "variables.wrong.a && variables.where.a" },
          { name: "where", expression: "namespaceObject" },
          { name: "labels", expression: "variables.where.metadata.labels.a + variables.where.b" },
        ],
        matchConditions: [
          { name: "a", expression: " params.data.on == '1' " },
          { name: "b", expression: " variables.small " },
        ],
        validations: [{ expression: "variables.small && authorizer.requestResource.check('a').allowed()" }],
        auditAnnotations: [{ key: "k", valueExpression: " variables.small ? null : dyn('x') " }],
      },
      [
        "spec.matchConditions[1].expression: Invalid value: \"variables.small\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')\n | variables.small\n | ^",
        "spec.variables[2].expression: Invalid value: \"variables.limit.startsWith('')\": compilation failed: ERROR: <input>:1:27: found no matching overload for 'startsWith' applied to 'int.(string)'\n | variables.limit.startsWith('')\n | ..........................^",
        "spec.variables[3].expression: Invalid value: \"variables.wrong.a && variables.where.a\": compilation failed: ERROR: <input>:1:31: undefined field 'where'\n | variables.wrong.a && variables.where.a\n | ..............................^",
        "spec.auditAnnotations[0].valueExpression: Invalid value: \" variables.small ? null : dyn('x') \": must evaluate to one of [string null_type] but got dyn",
      ],
    ],
  ])("%j", (change, problems) => {
    expect(problemsOf("ValidatingAdmissionPolicy", { ...validating, ...change })).toEqual(problems);
  });

  test("a status says where a warning belongs", () => {
    const definition = definitionOf("ValidatingAdmissionPolicy");
    const policy = {
      metadata: {},
      spec: validating,
      status: { typeChecking: { expressionWarnings: [{ fieldRef: " ", warning: "" }] } },
    } as unknown as KubernetesObject;
    const context = { now: 0, operation: "update", subresource: "status" } as const;
    expect(definition.validateUpdate?.(policy, policy, context).map(({ field }) => field)).toEqual([
      "status.typeChecking.expressionWarnings[0].warning",
      "status.typeChecking.expressionWarnings[0].fieldRef",
    ]);
  });
});

describe("policies that mutate", () => {
  test.each<[object, readonly string[]]>([
    [{}, []],
    [
      { mutations: [], reinvocationPolicy: "" },
      [
        "spec.mutations: Required value: mutations must contain at least one item",
        "spec.reinvocationPolicy: Required value",
      ],
    ],
    [{ mutations: [{}] }, ["spec.mutations[0].patchType: Required value"]],
    [
      { mutations: [{ patchType: "JSONPatch", applyConfiguration: { expression: "Object{}" } }] },
      [
        "spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch",
        'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      ],
    ],
    [
      {
        mutations: [
          {
            patchType: "ApplyConfiguration",
            applyConfiguration: {
              expression:
                "Object{spec: Object.spec{replicas: 1, containers: [Object.spec.containers{name: 'a'}]}}",
            },
          },
          { patchType: "ApplyConfiguration", applyConfiguration: { expression: "{'spec': 1}" } },
          { patchType: "JSONPatch", jsonPatch: { expression: "[]" } },
          { patchType: "JSONPatch", jsonPatch: { expression: "[JSONPatch{op: 'add', pth: ''}]" } },
        ],
      },
      [
        "spec.mutations[1].applyConfiguration.expression: Invalid value: \"{'spec': 1}\": must evaluate to Object but got map(string, int)",
        'spec.mutations[2].jsonPatch.expression: Invalid value: "[]": must evaluate to list(JSONPatch) but got list(dyn)',
        "spec.mutations[3].jsonPatch.expression: Invalid value: \"[JSONPatch{op: 'add', pth: ''}]\": compilation failed: ERROR: <input>:1:26: undefined field 'pth'\n | [JSONPatch{op: 'add', pth: ''}]\n | .........................^",
      ],
    ],
    [
      { matchConstraints: { resourceRules: [{ ...rule, operations: ["DELETE"] }] } },
      [
        'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
      ],
    ],
  ])("%j", (change, problems) => {
    expect(problemsOf("MutatingAdmissionPolicy", { ...mutating, ...change })).toEqual(problems);
  });

  test("all versions have the rules of the first", () => {
    for (const version of ["v1", "v1beta1", "v1alpha1"]) {
      const definition = definitionOf("MutatingAdmissionPolicy", version);
      expect(defaulted(definition, { spec: mutating })).toMatchObject({ spec: { failurePolicy: "Fail" } });
      expect(creationProblems(definition, { spec: {} })).toHaveLength(3);
    }
  });
});

describe("bindings", () => {
  const paramRef = { name: "p", parameterNotFoundAction: "Deny" };
  test.each<[object, readonly string[]]>([
    [{ policyName: "p", validationActions: ["Deny"], paramRef }, []],
    [
      {},
      [
        "spec.policyName: Required value",
        "spec.validationActions: Required value: at least one validation action is required",
      ],
    ],
    [
      { policyName: "p", validationActions: ["Deny", "Warn", "Deny", "x"], paramRef: { selector: {} } },
      [
        "spec.paramRef.parameterNotFoundAction: Required value",
        'spec.validationActions[2]: Duplicate value: "Deny"',
        'spec.validationActions[3]: Unsupported value: "x": supported values: "Audit", "Deny", "Warn"',
        'spec.validationActions: Invalid value: ["Deny","Warn","Deny","x"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ],
    ],
    [
      { policyName: "p", validationActions: ["Audit"], paramRef: { ...paramRef, selector: {} } },
      [
        "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
        "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
      ],
    ],
  ])("%j", (spec, problems) => {
    expect(problemsOf("ValidatingAdmissionPolicyBinding", spec)).toEqual(problems);
  });

  test.each([
    [undefined, "<unset>"],
    [{ name: "p" }, "*/p"],
    [{ name: "p", namespace: "n" }, "n/p"],
    [
      { selector: { matchLabels: { b: "2", a: "1" } } },
      "&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{},}",
    ],
  ])("the parameters %j are shown as %s", (reference, text) => {
    const spec = { policyName: "p", ...(reference ? { paramRef: reference } : {}) };
    expect(cells(definitionOf("MutatingAdmissionPolicyBinding"), { spec })["ParamRef"]).toBe(text);
  });

  test("reserved names are warned of", () => {
    const object = { metadata: { name: "a.static.k8s.io" }, spec: {} } as unknown as KubernetesObject;
    expect(definitionOf("MutatingAdmissionPolicyBinding").warnings?.(object, undefined)).toHaveLength(1);
  });
});
