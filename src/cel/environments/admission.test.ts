import { describe, expect, test } from "vitest";
import {
  AuthorizerValue,
  ResourceCheck,
  admissionEnvironment,
  intType,
  patchTypeProblems,
  toJson,
  type AccessReviewer,
  type AdmissionEnvironmentOptions,
} from "../index.ts";

const reviewer: AccessReviewer = {
  check: (question) => ({ allowed: question.verb === "get", reason: "" }),
  asServiceAccount: () => reviewer,
};
const activation = {
  object: { metadata: { name: "web" }, spec: { replicas: 3, containers: [{ name: "a" }] } },
  oldObject: null,
  params: { data: { limit: "5" } },
  request: { name: "web", operation: "CREATE", userInfo: { username: "eve", groups: ["g"] }, dryRun: false },
  namespaceObject: {
    metadata: { name: "n", labels: { a: "b" }, creationTimestamp: "2026-01-01T00:00:00Z" },
    status: { phase: "Active" },
  },
  variables: { limit: 5 },
  authorizer: new AuthorizerValue(reviewer),
  "authorizer.requestResource": new ResourceCheck(reviewer, {
    group: "",
    resource: "pods",
    subresource: "",
    namespace: "n",
    name: "web",
    fieldSelector: "",
    labelSelector: "",
  }),
};
const everything: AdmissionEnvironmentOptions = {
  params: true,
  authorizer: true,
  patches: true,
  variables: new Map([["limit", intType]]),
};

function evaluate(expression: string) {
  const compilation = admissionEnvironment(36, everything).compile(expression);
  if (compilation.type !== "program") throw new Error(compilation.message);
  const evaluation = compilation.program.evaluate(activation);
  if (evaluation.type === "error") throw new Error(evaluation.message);
  return evaluation.value;
}

describe("expressions of admission", () => {
  test.each([
    "object.spec.replicas <= variables.limit && variables.limit == int(params.data.limit)",
    "oldObject == null && request.operation == 'CREATE' && 'g' in request.userInfo.groups",
    "namespaceObject.metadata.creationTimestamp < timestamp('2026-01-02T00:00:00Z')",
    "has(namespaceObject.metadata.labels.a) && namespaceObject.status.phase == 'Active'",
    "authorizer.requestResource.check('get').allowed() && !authorizer.path('/x').check('put').allowed()",
  ])("%s", (expression) => {
    expect(evaluate(expression)).toBe(true);
  });

  test.each<readonly [expression: string, patch: unknown]>([
    [
      "Object{spec: Object.spec{replicas: variables.limit, ?paused: optional.none()}}",
      { spec: { replicas: 5 } },
    ],
    [
      "[JSONPatch{op: 'replace', path: '/metadata/annotations/' + jsonpatch.escapeKey('a/b'), value: 1}]",
      [{ op: "replace", path: "/metadata/annotations/a~1b", value: 1 }],
    ],
    [
      "Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name})}}",
      { spec: { containers: [{ name: "a" }] } },
    ],
  ])("%s makes a patch", (expression, patch) => {
    const value = evaluate(expression);
    expect(toJson(value)).toEqual(patch);
    expect(patchTypeProblems(value)).toEqual([]);
  });

  test("a patch of other types than its fields say is told of", () => {
    const problem = (name: string, expected: string) =>
      `unexpected type name "${name}", expected "${expected}", which matches field name path from root Object type`;
    const patch = evaluate("Object{spec: Object.sepc{containers: [Object.spec.initContainers{}]}}");
    expect(patchTypeProblems(patch)).toEqual([
      problem("Object.sepc", "Object.spec"),
      problem("Object.spec.initContainers", "Object.spec.containers"),
    ]);
    expect(patchTypeProblems(evaluate("{'spec': 1}"))).toEqual([]);
  });
});
