import { afterAll, beforeAll, expect, test } from "vitest";
import { Api, type Body } from "./api.ts";
import { runLifecycle } from "./lifecycle.ts";

const root = "/apis/admissionregistration.k8s.io/v1";
const apiVersion = "admissionregistration.k8s.io/v1";

let api: Api;
let namespace: string;

beforeAll(async () => {
  api = await Api.start({ nodes: 0 });
  namespace = await api.namespace("policies");
  await api.patch(namespace, { metadata: { labels: { policies: "true" } } });
});

afterAll(() => api.stop());

const namespaceSelector = { matchLabels: { policies: "true" } };
const deploymentRules = (operations: readonly string[]) => [
  { apiGroups: ["apps"], apiVersions: ["v1"], operations, resources: ["deployments"] },
];

/** Creates a policy and what binds it to the namespace; both are gone after `use`. */
async function withPolicy(
  kind: "Validating" | "Mutating",
  { spec, binding = {} }: { readonly spec: object; readonly binding?: object },
  use: (policy: string) => Promise<void>,
): Promise<void> {
  const lower = kind.toLowerCase();
  const name = `${lower}.policy.example.com`;
  const policies = `${root}/${lower}admissionpolicies`;
  const bindings = `${root}/${lower}admissionpolicybindings`;
  await api.create(policies, { metadata: { name }, spec });
  await api.create(bindings, {
    metadata: { name },
    spec: { policyName: name, matchResources: { namespaceSelector }, ...binding },
  });
  try {
    await use(name);
  } finally {
    await api.delete(`${bindings}/${name}`);
    await api.delete(`${policies}/${name}`);
  }
}

const deployment = (name: string, replicas: number, annotations = {}) => ({
  metadata: { name, annotations },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "web", image: "web:1" }] },
    },
  },
});
const deployments = () => `/apis/apps/v1${namespace.slice("/api/v1".length)}/deployments`;
const deploy = (name: string, replicas: number, annotations = {}) =>
  api.send(deployments(), { method: "POST", body: deployment(name, replicas, annotations) });

test("[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate against a Deployment [Conformance]", async () => {
  const spec = {
    matchConstraints: { resourceRules: deploymentRules(["CREATE", "UPDATE"]), namespaceSelector },
    validations: [
      {
        expression: "object.spec.replicas > 1",
        messageExpression: "'wants ' + string(object.spec.replicas)",
      },
      { expression: "namespaceObject.metadata.name == 'policies'", message: "Wrong namespace object" },
    ],
  };
  await withPolicy("Validating", { spec, binding: { validationActions: ["Deny"] } }, async (name) => {
    const policy = await api.until(`${root}/validatingadmissionpolicies`, ({ items }) =>
      items.some(({ metadata, status }) => metadata.name === name && status !== undefined),
    );
    expect(policy.items[0]?.["status"]).toMatchObject({ observedGeneration: 1 });
    const refused = await deploy("one", 1);
    expect([refused.status, refused.body["message"]]).toEqual([
      422,
      `deployments.apps "one" is forbidden: ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: wants 1`,
    ]);
    expect((await deploy("two", 2)).status).toBe(201);
    const elsewhere = await api.send("/apis/apps/v1/namespaces/default/deployments", {
      method: "POST",
      body: deployment("elsewhere", 1),
    });
    expect(elsewhere.status).toBe(201);
  });
  expect((await deploy("one", 1)).status).toBe(201);
});

test("[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow expressions to refer variables. [Conformance]", async () => {
  const spec = {
    matchConstraints: { resourceRules: deploymentRules(["CREATE", "UPDATE"]), namespaceSelector },
    variables: [
      { name: "replicas", expression: "object.spec.replicas" },
      { name: "oddReplicas", expression: "variables.replicas % 2 == 1" },
      { name: "unused", expression: "object.spec.nothing.at.all" },
    ],
    validations: [
      { expression: "variables.replicas > 1" },
      { expression: "variables.oddReplicas", messageExpression: "'odd: ' + string(variables.oddReplicas)" },
    ],
  };
  await withPolicy("Validating", { spec, binding: { validationActions: ["Deny"] } }, async () => {
    const [few, even, odd] = [await deploy("few", 1), await deploy("even", 2), await deploy("odd", 3)];
    expect([few.status, even.status, odd.status]).toEqual([422, 422, 201]);
    expect(even.body["message"]).toContain("denied request: odd: false");
  });
});

test("[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should type check validation expressions", async () => {
  const rule = (resources: readonly string[]) => [{ ...deploymentRules(["CREATE"])[0], resources }];
  const spec = {
    matchConstraints: { resourceRules: rule(["deployments", "replicasets"]) },
    validations: [{ expression: "object.replicas > 1" }, { expression: "object.spec.replicas > 1" }],
  };
  await withPolicy("Validating", { spec, binding: { validationActions: ["Warn"] } }, async (name) => {
    const { items } = await api.until(`${root}/validatingadmissionpolicies`, (list) =>
      list.items.some(({ metadata, status }) => metadata.name === name && status !== undefined),
    );
    const { typeChecking } = (items[0] as Body & { status: { typeChecking: object } }).status;
    expect(typeChecking).toEqual({
      expressionWarnings: [
        {
          fieldRef: "spec.validations[0].expression",
          warning: expect.stringMatching(
            /^apps\/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'[^]*apps\/v1, Kind=ReplicaSet: ERROR/,
          ) as unknown,
        },
      ],
    });
  });
});

test("[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment [Conformance]", async () => {
  const expression = "Object{spec: Object.spec{replicas: object.spec.replicas + 100}}";
  const spec = {
    matchConstraints: { resourceRules: deploymentRules(["CREATE"]), namespaceSelector },
    mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
    reinvocationPolicy: "Never",
  };
  await withPolicy("Mutating", { spec }, async () => {
    const { status, body } = await deploy("mutated", 1);
    expect([status, body["spec"]]).toMatchObject([201, { replicas: 101 }]);
    const changed = await api.patch(`${deployments()}/mutated`, { spec: { replicas: 2 } });
    expect(changed["spec"]).toMatchObject({ replicas: 2 });
  });
  expect((await deploy("plain", 1)).body["spec"]).toMatchObject({ replicas: 1 });
});

test("[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment with annotations [Conformance]", async () => {
  const apply = 'Object{metadata: Object.metadata{annotations: {"mutated-by": "admission-policy"}}}';
  const patch =
    '[JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("example.com/by"), value: "json"}]';
  const spec = {
    matchConstraints: { resourceRules: deploymentRules(["CREATE", "UPDATE"]), namespaceSelector },
    mutations: [
      { patchType: "ApplyConfiguration", applyConfiguration: { expression: apply } },
      { patchType: "JSONPatch", jsonPatch: { expression: patch } },
    ],
    reinvocationPolicy: "Never",
  };
  await withPolicy("Mutating", { spec }, async () => {
    const { status, body } = await deploy("annotated", 1, { own: "yes" });
    expect([status, body.metadata.annotations]).toMatchObject([
      201,
      { own: "yes", "mutated-by": "admission-policy", "example.com/by": "json" },
    ]);
  });
});

const rules = { matchConstraints: { resourceRules: deploymentRules(["CREATE"]) } };
const paramRef = { name: "param", parameterNotFoundAction: "Deny" };
const expression = 'Object{metadata: Object.metadata{annotations: {"a": "b"}}}';

test("[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations [Conformance]", () =>
  runLifecycle(api, {
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    resource: "validatingadmissionpolicies",
    object: () => ({ spec: { ...rules, validations: [{ expression: "true" }] } }),
    status: {
      conditions: [
        {
          type: "PatchStatusFailed",
          status: "False",
          reason: "E2E",
          message: "Set by an e2e test",
          lastTransitionTime: "2030-01-01T00:00:00Z",
        },
      ],
    },
  }));

test("[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations [Conformance]", () =>
  runLifecycle(api, {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    resource: "validatingadmissionpolicybindings",
    object: () => ({ spec: { policyName: "replicas", paramRef, validationActions: ["Deny"] } }),
  }));

test("[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicy API operations [Conformance]", () =>
  runLifecycle(api, {
    apiVersion,
    kind: "MutatingAdmissionPolicy",
    resource: "mutatingadmissionpolicies",
    object: () => ({
      spec: {
        ...rules,
        reinvocationPolicy: "Never",
        mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
      },
    }),
  }));

test("[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicyBinding API operations [Conformance]", () =>
  runLifecycle(api, {
    apiVersion,
    kind: "MutatingAdmissionPolicyBinding",
    resource: "mutatingadmissionpolicybindings",
    object: () => ({ spec: { policyName: "replicas", paramRef } }),
  }));
