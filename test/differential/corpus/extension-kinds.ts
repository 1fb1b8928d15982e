import { get, patch, post, put, remove, tableOf, type Sequence, type Step } from "../step.ts";

const merged = (path: string, ...bodies: readonly object[]): readonly Step[] =>
  bodies.map((body) => patch(path, "merge", { body }));

const webhookConfigurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const mutatingConfigurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const anything = { operations: ["CREATE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["widgets"] };
const webhook = {
  name: "one.example.com",
  clientConfig: { url: "https://one.example.com/check" },
  rules: [{ ...anything, apiGroups: ["nothing.example.com"] }],
  failurePolicy: "Ignore",
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
};
const refusedWebhooks = (...changes: readonly object[]): readonly Step[] =>
  [webhookConfigurations, mutatingConfigurations].flatMap((collection) =>
    changes.map((change) =>
      post(`${collection}?dryRun=All`, {
        metadata: { name: "unfit" },
        webhooks: [{ ...webhook, ...change }],
      }),
    ),
  );
const inRule = (...changes: readonly object[]): readonly object[] =>
  changes.map((change) => ({ rules: [{ ...anything, ...change }] }));
const ofClient = (...clients: readonly object[]): readonly object[] =>
  clients.map((clientConfig) => ({ clientConfig }));
const service = { name: "a", namespace: "b" };

const webhooks: Sequence = {
  name: "what webhooks may say",
  steps: [
    ...refusedWebhooks(
      { name: "a.b" },
      { name: "A_.b.c" },
      { failurePolicy: "x", matchPolicy: "y", sideEffects: "z", timeoutSeconds: 0 },
      { failurePolicy: "", matchPolicy: "", sideEffects: "Some", timeoutSeconds: 31 },
      { sideEffects: null },
      { admissionReviewVersions: [] },
      { admissionReviewVersions: ["v1", "v1", "V2", ""] },
      { admissionReviewVersions: ["v2"] },
      ...ofClient(
        {},
        { url: "http://a:b@x/y?z=1#q" },
        { url: "https:///" },
        { url: "https://%zz" },
        { url: "https://x", service: {} },
        { service: { ...service, path: "x/", port: 70_000 } },
        { service: { ...service, path: "//" } },
        { service: { ...service, path: "/a_/B" } },
      ),
      { rules: [{}] },
      ...inRule(
        { operations: ["*", "CREATE"] },
        { operations: ["x", ""] },
        { apiGroups: ["*", "a"], apiVersions: ["*", "v1"] },
        { apiVersions: [""], resources: [""] },
        { resources: ["*/*", "pods", "pods/x"] },
        { resources: ["*", "pods"] },
        { resources: ["*/x", "pods/x"] },
        { resources: ["pods/*", "pods/x"] },
        { scope: "x" },
        { scope: "" },
      ),
      {
        namespaceSelector: { matchLabels: { _: "x y" }, matchExpressions: [{}] },
        objectSelector: { matchExpressions: [{ key: "a", operator: "In" }] },
      },
    ),
    post(`${webhookConfigurations}?dryRun=All`, {}),
    post(`${webhookConfigurations}?dryRun=All`, { metadata: { name: "x" }, webhooks: [{}] }),
    post(`${webhookConfigurations}?dryRun=All`, { metadata: { name: "x" }, webhooks: [webhook, webhook] }),
    post(mutatingConfigurations, { metadata: { name: "corpus-webhooks" }, webhooks: [webhook] }),
    get(`${mutatingConfigurations}/corpus-webhooks`, tableOf),
    ...merged(
      `${mutatingConfigurations}/corpus-webhooks`,
      { webhooks: [{ ...webhook, name: "a.b" }] },
      { webhooks: [{ ...webhook, timeoutSeconds: 3, reinvocationPolicy: "IfNeeded" }] },
      { webhooks: null },
      { metadata: { finalizers: ["nonsense"] } },
      { metadata: { finalizers: null } },
    ),
    put(`${mutatingConfigurations}/corpus-webhooks`, { metadata: { name: "corpus-webhooks" } }),
    remove(`${mutatingConfigurations}/corpus-webhooks`),
  ],
};

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const versionOf = (schema: object, more: object = {}) => ({
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  ...more,
});
const definitionOf = (spec: object) => ({
  metadata: { name: "parts.corpus.example.com" },
  spec: {
    group: "corpus.example.com",
    names: { kind: "Part", plural: "parts" },
    scope: "Namespaced",
    versions: [versionOf({ type: "object" })],
    ...spec,
  },
});
const tried = (...specs: readonly object[]): readonly Step[] =>
  specs.map((spec) => post(`${definitions}?dryRun=All`, definitionOf(spec)));
const triedProperties = (...list: readonly object[]): readonly Step[] =>
  tried(...list.map((properties) => ({ versions: [versionOf({ type: "object", properties })] })));
const triedVersion = (...list: readonly object[]): readonly Step[] =>
  tried(...list.map((more) => ({ versions: [versionOf({ type: "object" }, more)] })));
const converted = (...list: readonly object[]): readonly Step[] =>
  tried(...list.map((conversion) => ({ conversion })));
const text = { type: "string" };
const hook = { conversionReviewVersions: ["v1"], clientConfig: { service } };

const definitionParts: Sequence = {
  name: "what definitions may say",
  steps: [
    ...tried(
      { names: {} },
      { names: { kind: "foo_", plural: "Foos", singular: "A", listKind: "b_" } },
      { names: { kind: "Foo", plural: "foos", listKind: "Foo", shortNames: ["A"], categories: ["B"] } },
      { scope: "" },
      { scope: "Galaxy" },
      { group: "Foo_" },
      { group: "" },
      { group: "corpus.k8s.io" },
    ),
    ...triedVersion(
      { name: "V1" },
      { deprecated: true, deprecationWarning: "" },
      { deprecated: true, deprecationWarning: "x".repeat(300) },
      { deprecationWarning: "old" },
      { subresources: { scale: { specReplicasPath: "", statusReplicasPath: "" } } },
      { subresources: { scale: { specReplicasPath: ".spec", statusReplicasPath: ".spec.x" } } },
      {
        subresources: {
          scale: { specReplicasPath: ".spec.x", statusReplicasPath: ".status.x", labelSelectorPath: "x" },
        },
      },
      {
        additionalPrinterColumns: [
          { name: "A", type: "string", jsonPath: ".spec.a" },
          { name: "B", type: "day", jsonPath: "b", format: "int31", priority: -1 },
          {},
        ],
      },
    ),
    ...tried({ versions: [versionOf({})] }, { versions: [versionOf({ type: "string" })] }),
    ...triedProperties(
      { a: { type: "null" } },
      { c: { type: "thing" } },
      { b: {} },
      { a: { type: "array" } },
      { a: { type: "array", items: [text] } },
      { a: { type: "string", "x-kubernetes-int-or-string": true } },
      { a: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "string" }, { type: "integer" }] } },
      { metadata: { type: "object", properties: { name: { ...text, pattern: "x" }, labels: text } } },
      { metadata: text, kind: { type: "object" }, apiVersion: { type: "integer" } },
      {
        a: { type: "object", anyOf: [{ type: "object", properties: { b: text } }], properties: { b: text } },
      },
      { a: { type: "object", oneOf: [{ properties: { q: { minLength: 1 } } }] } },
      { a: { ...text, pattern: "(" } },
      {
        l: {
          type: "array",
          items: { type: "object", nullable: true, properties: { k: { ...text, nullable: true } } },
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["k"],
        },
      },
      { l: { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" } },
      { m: { ...text, "x-kubernetes-map-type": "heap", "x-kubernetes-list-type": "pile" } },
    ),
    ...converted(
      { strategy: "Magic" },
      { strategy: "Webhook" },
      { strategy: "None", webhook: hook },
      { strategy: "Webhook", webhook: { ...hook, conversionReviewVersions: [] } },
      { strategy: "Webhook", webhook: { ...hook, clientConfig: { url: "http://x" } } },
    ),
  ],
};

/** What may be said of webhooks and of custom resources. */
export const extensionSequences: readonly Sequence[] = [webhooks, definitionParts];
