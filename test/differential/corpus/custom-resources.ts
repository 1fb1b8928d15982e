import {
  get,
  metadataOf,
  ownNamespace,
  patch,
  post,
  put,
  remove,
  tableOf,
  type Sequence,
  type Step,
} from "../step.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

interface Kind {
  readonly plural: string;
  readonly kind: string;
  readonly group: string;
}

const kindOf = (word: string): Kind => ({
  plural: `${word}s`,
  kind: `${word.charAt(0).toUpperCase()}${word.slice(1)}`,
  group: `${word}.example.com`,
});

const versionOf = (schema: object, more: object = {}) => ({
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  ...more,
});

const definitionOf = ({ plural, kind, group }: Kind, versions: readonly object[], more: object = {}) => ({
  metadata: { name: `${plural}.${group}` },
  spec: { group, names: { kind, plural }, scope: "Namespaced", versions, ...more },
});

const collectionOf = ({ plural, group }: Kind, version = "v1") =>
  `/apis/${group}/${version}/namespaces/${plural}/${plural}`;

/** Defines a kind and waits until it is served. */
function defined(kind: Kind, versions: readonly object[], more: object = {}): readonly Step[] {
  return [
    ...ownNamespace(kind.plural),
    post(definitions, definitionOf(kind, versions, more), { silent: true }),
    get(collectionOf(kind), { silent: true, until: { path: "kind", is: `${kind.kind}List` } }),
    get(`${definitions}/${kind.plural}.${kind.group}`, {
      silent: true,
      until: { path: "status.conditions.1.status", is: "True" },
    }),
  ];
}

const undefine = ({ plural, group }: Kind): readonly Step[] => [
  remove(`${definitions}/${plural}.${group}`, undefined, { silent: true }),
  remove(`/api/v1/namespaces/${plural}`, undefined, { silent: true }),
];

const objectOf = ({ kind, group }: Kind, fields: object, name = "one") => ({
  apiVersion: `${group}/v1`,
  kind,
  metadata: { name },
  ...fields,
});

const text = { type: "string" };
const number = { type: "integer" };
const structure = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });

const value = kindOf("value");
const tried = (kind: Kind, ...objects: readonly object[]): readonly Step[] =>
  objects.map((fields) =>
    post(`${collectionOf(kind)}?dryRun=All&fieldValidation=Ignore`, objectOf(kind, fields)),
  );

const valueSchema = structure({
  spec: structure({
    text: { ...text, minLength: 2, maxLength: 4, pattern: "^a" },
    date: { ...text, format: "date-time" },
    byte: { ...text, format: "byte" },
    ip: { ...text, format: "ipv4" },
    email: { ...text, format: "email" },
    choice: { ...text, enum: ["a", "b"] },
    maybe: { ...text, nullable: true, enum: ["a"] },
    loose: { type: "number", maximum: 2.5 },
    sum: {
      "x-kubernetes-int-or-string": true,
      oneOf: [{ minimum: 5 }, { maximum: 4, multipleOf: 2 }, { pattern: "^a" }],
    },
    whole: { ...number, minimum: 1, maximum: 5, multipleOf: 2 },
    small: { ...number, format: "int32" },
    real: { type: "number", minimum: 0.5, exclusiveMinimum: true, maximum: 2.5, exclusiveMaximum: true },
    truth: { type: "boolean" },
    either: { "x-kubernetes-int-or-string": true },
    bounded: {
      "x-kubernetes-int-or-string": true,
      anyOf: [{ maximum: 5 }, { pattern: "^x" }],
    },
    list: { type: "array", items: text, minItems: 1, maxItems: 2 },
    set: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    keyed: {
      type: "array",
      items: structure({ key: text, port: { ...number, default: 1 }, note: text }, { required: ["key"] }),
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["key", "port"],
    },
    map: {
      type: "object",
      additionalProperties: { ...number, minimum: 1 },
      maxProperties: 2,
      minProperties: 1,
    },
    nullable: { ...text, nullable: true },
    nullableDefault: { ...text, nullable: true, default: "given" },
    bareDefault: { ...text, default: "given" },
    needy: structure({ a: text, b: text }, { required: ["a", "b"] }),
    one: structure({ a: text, b: text }, { oneOf: [{ required: ["a"] }, { required: ["b"] }] }),
    any: structure({ a: number, b: text }, { anyOf: [{ required: ["a"] }, { required: ["b"] }] }),
    all: structure(
      { a: number },
      { allOf: [{ properties: { a: { minimum: 3 } } }, { properties: { a: { maximum: 1 } } }] },
    ),
    none: structure({ a: text }, { not: { required: ["a"] } }),
    open: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    halfOpen: structure({ known: structure({ a: text }) }, { "x-kubernetes-preserve-unknown-fields": true }),
    openList: { type: "array", items: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
    anything: { "x-kubernetes-preserve-unknown-fields": true },
    openMap: { type: "object", additionalProperties: true },
  }),
});

const wrongValues: readonly object[] = [
  { text: "b" },
  { text: "abcde" },
  { text: 5 },
  { text: null },
  { date: "2020-01-01" },
  { date: "2020-01-01T00:00:00Z" },
  { date: [] },
  { date: {} },
  { date: 5 },
  { date: 1.5 },
  { date: true },
  { maybe: null },
  { maybe: "b" },
  { loose: 3 },
  { loose: 2 },
  { sum: 3 },
  { sum: "xy" },
  { byte: "a" },
  { ip: "1.2.3" },
  { email: "a" },
  { choice: "c" },
  { choice: 1 },
  { whole: 0 },
  { whole: 7 },
  { whole: 3 },
  { whole: 1.5 },
  { whole: "1" },
  { small: 3_000_000_000 },
  { real: 0.5 },
  { real: 2.5 },
  { real: "a" },
  { real: 1 },
  { truth: "true" },
  { truth: 1 },
  { either: 1.5 },
  { either: true },
  { either: {} },
  { either: "50%" },
  { bounded: 6 },
  { bounded: "x" },
  { bounded: true },
  { list: [] },
  { list: ["a", "b", "c"] },
  { list: ["a", 1] },
  { list: "a" },
  { list: [null] },
  { set: ["a", "a", "b", "a"] },
  { keyed: [{ key: "a" }, { key: "a", port: 1 }] },
  { keyed: [{ key: "a" }, { key: "a", port: 2 }, { port: 3 }] },
  { keyed: [null] },
  { keyed: ["a"] },
  { map: {} },
  { map: { a: 1, b: 2, c: 3 } },
  { map: { a: 0 } },
  { map: { "b.c": 0 } },
  { map: { a: "x" } },
  { map: { a: null } },
  { map: [] },
  { nullable: null, nullableDefault: null, bareDefault: null },
  { nullable: 1 },
  { needy: {} },
  { needy: { a: null, b: "x" } },
  { needy: [] },
  { one: {} },
  { one: { a: "x", b: "y" } },
  { one: { a: "x" } },
  { any: {} },
  { any: { a: "x" } },
  { all: { a: 2 } },
  { all: { a: 3 } },
  { none: { a: "x" } },
  { none: {} },
  { open: { a: { b: [1, null, { c: null }] } } },
  { halfOpen: { known: { a: "x", b: "y" }, other: { c: null } } },
  { openList: [{ a: 1 }, 1] },
  { anything: 1, openMap: { a: { b: 1 } } },
  { anything: [{ a: 1 }], unknown: 1 },
  { anything: null, openMap: { a: null } },
];

const values: Sequence = {
  name: "values of custom resources",
  steps: [
    ...defined(value, [versionOf(valueSchema)]),
    ...tried(value, ...wrongValues.map((spec) => ({ spec }))),
    ...tried(value, { spec: 1 }, { spec: [] }, { spec: null }, {}, { unknown: 1, status: { a: 1 } }),
    ...tried(
      value,
      { metadata: { name: "A_" } },
      { metadata: {} },
      { metadata: { name: "a", labels: { "": "x" } } },
    ),
    ...tried(
      value,
      { metadata: { name: "a", labels: { a: 1 } } },
      { metadata: 1 },
      { metadata: { name: 1 } },
    ),
    ...tried(value, { metadata: { name: "a", finalizers: ["x", "a_ /b"] } }, { kind: "Other" }, { kind: "" }),
    ...tried(value, { apiVersion: "value.example.com/v2" }, { apiVersion: "" }, { apiVersion: "a/b/c" }),
    post(collectionOf(value), objectOf(value, { metadata: { generateName: "made-" }, spec: {} })),
    post(collectionOf(value), objectOf(value, { spec: { text: "ab" } })),
    post(collectionOf(value), objectOf(value, {})),
    post(collectionOf(value), "{"),
    post(collectionOf(value), "null"),
    get(`${collectionOf(value)}/one`, tableOf),
    get(`${collectionOf(value)}/one`, metadataOf),
    get(`${collectionOf(value)}/none`),
    get(`${collectionOf(value)}/one/status`),
    get(`${collectionOf(value)}/one/scale`),
    get(`${collectionOf(value)}/one`, { headers: { accept: "application/vnd.kubernetes.protobuf" } }),
    get(collectionOf(value), { headers: { accept: "application/vnd.kubernetes.protobuf" } }),
    post(collectionOf(value), "", { headers: { "content-type": "application/vnd.kubernetes.protobuf" } }),
    patch(`${collectionOf(value)}/one`, "strategic", { body: {} }),
    patch(`${collectionOf(value)}/one`, "merge", { body: { spec: { text: null, whole: 3 } } }),
    patch(`${collectionOf(value)}/one`, "merge", { body: { spec: { text: "ac" } } }),
    patch(`${collectionOf(value)}/one?fieldValidation=Ignore`, "merge", {
      body: { spec: { text: "ac", unknown: 1 } },
    }),
    post(`${collectionOf(value)}/one/status`, objectOf(value, {})),
    remove(`${collectionOf(value)}/one/status`),
    put(collectionOf(value), objectOf(value, {})),
    get(`/apis/value.example.com/v1/values/one`),
    get(`/apis/value.example.com/v1/values`, { silent: true }),
    post(`/apis/value.example.com/v1/values`, objectOf(value, {})),
    get(`/apis/value.example.com/v2/namespaces/values/values`),
    patch(`${collectionOf(value)}/one`, "json", { body: [{ op: "remove", path: "/spec/none" }] }),
    patch(`${collectionOf(value)}/one`, "merge", { body: { kind: "Other" } }),
    patch(`${collectionOf(value)}/one`, "merge", { body: { apiVersion: "value.example.com/v2" } }),
    patch(`${collectionOf(value)}/one`, "merge", { body: { metadata: { name: "two" } } }),
    put(`${collectionOf(value)}/one`, objectOf(value, { spec: {} })),
    put(`${collectionOf(value)}/two`, objectOf(value, { spec: {} }, "two")),
    get(`${collectionOf(value)}?fieldSelector=spec.text%3Da`),
    remove(`${collectionOf(value)}/one`),
    remove(`${collectionOf(value)}/one`),
    remove(collectionOf(value)),
    get(collectionOf(value)),
    ...undefine(value),
  ],
};

const embedding = kindOf("shell");
const resourceOf = (more: object = {}) => ({
  type: "object",
  "x-kubernetes-embedded-resource": true,
  ...more,
});
const embedded: Sequence = {
  name: "resources embedded in custom resources",
  steps: [
    ...defined(embedding, [
      versionOf(
        structure({
          open: resourceOf({ "x-kubernetes-preserve-unknown-fields": true }),
          closed: resourceOf({ properties: { spec: structure({ a: text }) } }),
          list: { type: "array", items: resourceOf({ properties: { spec: structure({ a: text }) } }) },
          map: {
            type: "object",
            additionalProperties: resourceOf({ "x-kubernetes-preserve-unknown-fields": true }),
          },
        }),
      ),
    ]),
    ...tried(
      embedding,
      ...[
        {},
        { apiVersion: "v1" },
        { kind: "Pod" },
        { apiVersion: "", kind: "Pod" },
        { apiVersion: "v1", kind: "" },
        { apiVersion: "a/b/c", kind: "Pod" },
        { apiVersion: "v1", kind: "P_" },
        { apiVersion: 1, kind: "Pod" },
        { apiVersion: "v1", kind: {} },
        { apiVersion: "v1", kind: "Pod" },
        { apiVersion: "v1", kind: "Pod", metadata: {} },
        { apiVersion: "v1", kind: "Pod", metadata: null },
        { apiVersion: "v1", kind: "Pod", metadata: "x" },
        { apiVersion: "v1", kind: "Pod", metadata: { name: 1 } },
        { apiVersion: "v1", kind: "Pod", metadata: { name: "a/b", namespace: "A_" } },
        { apiVersion: "v1", kind: "Pod", metadata: { name: "a", labels: { "a b": "c d" }, unknown: 1 } },
        { apiVersion: "v1", kind: "Pod", metadata: { labels: { a: 1 } } },
        { apiVersion: "v1", kind: "Pod", metadata: { finalizers: ["x"], ownerReferences: [{}] } },
        { apiVersion: "v1", kind: "Pod", metadata: { creationTimestamp: null, annotations: {} } },
        { apiVersion: "v1", kind: "Pod", metadata: { creationTimestamp: "2020-01-01T00:00:00Z" } },
        { apiVersion: "v1", kind: "Pod", spec: { a: "x", b: 1 }, status: {} },
      ].flatMap((closed) => [{ open: closed }, { closed }]),
      { list: [{}, { apiVersion: "v1", kind: "Pod", metadata: { x: 1 } }] },
      { map: { "a.b": {} } },
      { closed: null, open: 1 },
    ),
    ...undefine(embedding),
  ],
};

const candidate = kindOf("candidate");
const triedSchemas = (...schemas: readonly object[]): readonly Step[] =>
  schemas.map((schema) => post(`${definitions}?dryRun=All`, definitionOf(candidate, [versionOf(schema)])));
const triedProperties = (...list: readonly object[]): readonly Step[] =>
  triedSchemas(...list.map((properties) => structure(properties)));

const defaults: Sequence = {
  name: "defaults of custom resources",
  steps: [
    ...triedProperties(
      { a: { ...text, default: 1 } },
      { a: { ...text, default: "a", minLength: 2, pattern: "b" } },
      { a: { ...text, default: null } },
      { a: { ...text, nullable: true, default: null } },
      { a: { ...number, default: "x" } },
      { a: { ...number, default: 1.5 } },
      { a: { ...text, enum: ["x"], default: "y" } },
      { a: structure({ b: text }, { default: { b: "x", c: 1 } }) },
      { a: structure({ b: text }, { required: ["b"], default: {} }) },
      { a: structure({ b: { ...text, default: "x" } }, { required: ["b"], default: {} }) },
      { a: { type: "array", items: structure({ b: text }), default: [{ b: "x", c: 1 }, {}] } },
      { a: { type: "array", items: structure({ b: { ...text, default: 1 } }) } },
      { a: { type: "object", additionalProperties: { ...number, default: 1 }, default: { x: 1, y: "z" } } },
      { a: { type: "object", additionalProperties: structure({ b: { ...text, default: 1 } }) } },
      { a: { type: "object", "x-kubernetes-preserve-unknown-fields": true, default: { x: [1] } } },
      {
        a: structure({ b: { ...text, default: "x" } }, { oneOf: [{ properties: { b: { minLength: 2 } } }] }),
      },
      { a: resourceOf({ properties: { b: text }, default: { b: "x" } }) },
      { a: resourceOf({ properties: { b: text }, default: { apiVersion: "v1", kind: "A", b: "x" } }) },
      {
        a: resourceOf({
          properties: { b: text },
          default: { apiVersion: "v1", kind: "A", metadata: { name: "a", labels: { "a b": "c" } } },
        }),
      },
      {
        a: resourceOf({
          properties: { b: text },
          default: { apiVersion: "v1", kind: "A", metadata: { name: 1 } },
        }),
      },
      { a: resourceOf({ properties: { apiVersion: { ...text, default: "a/b/c" } } }) },
      { a: resourceOf({ properties: { kind: { ...text, default: "A_" } } }) },
      { a: resourceOf({ properties: { kind: { ...text, default: "Foo" } } }) },
      { a: resourceOf({ properties: { metadata: structure({ name: { ...text, default: "a/b" } }) } }) },
      { a: resourceOf({ properties: { metadata: structure({ name: { ...text, default: "a" } }) } }) },
      {
        a: resourceOf({
          properties: {
            metadata: structure({
              finalizers: { type: "array", items: { ...text, default: "x y" } },
            }),
          },
        }),
      },
      {
        a: resourceOf({
          properties: { metadata: structure({ annotations: { type: "object", default: { "a b": "c" } } }) },
        }),
      },
      { kind: { ...text, default: "Foo" } },
      { metadata: structure({ name: { ...text, default: "foo" } }) },
      { a: { ...text, format: "ipv4", default: "x" } },
      { a: { type: "array", items: text, "x-kubernetes-list-type": "set", default: ["a", "a"] } },
    ),
    ...triedSchemas(
      structure({ a: text }, { default: { a: "x" } }),
      structure({ a: text }, { default: { a: 1, b: 2, metadata: { name: "x" } } }),
      { type: "object", nullable: true },
    ),
  ],
};

const scaled = kindOf("crane");
const scaleOf = (spec: object, metadata: object = { name: "one" }) => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  metadata,
  spec,
});
const craneSpec = structure({ size: { ...number }, selector: text, other: text });
const scaling: Sequence = {
  name: "scales of custom resources",
  steps: [
    ...defined(scaled, [
      versionOf(
        structure({
          spec: craneSpec,
          status: structure({ size: number, selector: text, deep: structure({ x: text }) }),
        }),
        {
          subresources: {
            status: {},
            scale: {
              specReplicasPath: ".spec.size",
              statusReplicasPath: ".status.size",
              labelSelectorPath: ".status.selector",
            },
          },
          additionalPrinterColumns: [
            { name: "Size", type: "integer", jsonPath: ".spec.size" },
            { name: "Ready", type: "number", jsonPath: ".status.size", priority: 1, description: "how many" },
          ],
        },
      ),
    ]),
    post(collectionOf(scaled), objectOf(scaled, { spec: { other: "x" }, status: { size: 3 } })),
    get(`${collectionOf(scaled)}/one/scale`),
    patch(`${collectionOf(scaled)}/one/scale`, "merge", { body: { metadata: { labels: { a: "b" } } } }),
    patch(`${collectionOf(scaled)}/one/scale`, "merge", { body: { spec: { replicas: 2 } } }),
    get(`${collectionOf(scaled)}/one/scale`),
    put(`${collectionOf(scaled)}/one/scale`, scaleOf({ replicas: 3 })),
    put(`${collectionOf(scaled)}/one/scale`, scaleOf({ replicas: -1 })),
    put(`${collectionOf(scaled)}/one/scale`, scaleOf({})),
    put(`${collectionOf(scaled)}/one/scale`, scaleOf({ replicas: 1 }, { name: "two" })),
    put(`${collectionOf(scaled)}/one/scale`, scaleOf({ replicas: 1 }, { name: "one", resourceVersion: "1" })),
    put(`${collectionOf(scaled)}/none/scale`, scaleOf({ replicas: 1 }, { name: "none" })),
    patch(`${collectionOf(scaled)}/one/scale`, "json", {
      body: [{ op: "replace", path: "/spec/replicas", value: "x" }],
    }),
    patch(`${collectionOf(scaled)}/one/scale`, "json", {
      body: [{ op: "add", path: "/spec/replicas", value: 4 }],
    }),
    patch(`${collectionOf(scaled)}/one/scale`, "strategic", { body: { spec: { replicas: 5 } } }),
    patch(`${collectionOf(scaled)}/one/status`, "merge", { body: { status: { size: 1, selector: "a=b" } } }),
    patch(`${collectionOf(scaled)}/one/status`, "merge", {
      body: { spec: { size: 9 }, metadata: { labels: { a: "b" } } },
    }),
    patch(`${collectionOf(scaled)}/one/status`, "merge", { body: { status: { size: "x" } } }),
    patch(`${collectionOf(scaled)}/one/status`, "merge", { body: { status: { size: -1 } } }),
    patch(`${collectionOf(scaled)}/one/status`, "merge", { body: { status: { size: 3_000_000_000 } } }),
    patch(`${collectionOf(scaled)}/one/status?fieldValidation=Ignore`, "merge", {
      body: { status: { other: 1 } },
    }),
    patch(`${collectionOf(scaled)}/one/status`, "merge", { body: { metadata: { finalizers: ["a/b"] } } }),
    get(`${collectionOf(scaled)}/one/scale`),
    get(`${collectionOf(scaled)}/one/status`),
    get(collectionOf(scaled), tableOf),
    patch(`${collectionOf(scaled)}/one`, "merge", { body: { status: { size: 7 } } }),
    patch(`${collectionOf(scaled)}/one`, "merge", { body: { spec: { size: -1 } } }),
    patch(`${collectionOf(scaled)}/one`, "merge", { body: { spec: { size: 3_000_000_000 } } }),
    patch(`${collectionOf(scaled)}/one`, "merge", { body: { spec: { size: "x" } } }),
    patch(`${collectionOf(scaled)}/one`, "merge", {
      body: { spec: { other: "y" }, metadata: { generation: 9 } },
    }),
    patch(`${collectionOf(scaled)}/one?fieldManager=me&force=true`, "apply", {
      body: objectOf(scaled, { spec: { size: 8 }, status: { size: 8 } }),
    }),
    patch(`${collectionOf(scaled)}/one/status?fieldManager=you&force=true`, "apply", {
      body: objectOf(scaled, { spec: { size: 9 }, status: { size: 9 } }),
    }),
    put(`${collectionOf(scaled)}/one/status`, objectOf(scaled, { status: { size: 1 } })),
    get("/apis/crane.example.com/v1"),
    get("/apis/crane.example.com"),
    ...undefine(scaled),
  ],
};

const column = (name: string, type: string, jsonPath: string) => ({ name, type, jsonPath });
const shown = kindOf("picture");
const columns: Sequence = {
  name: "columns of custom resources",
  steps: [
    ...defined(shown, [
      versionOf(
        { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        {
          additionalPrinterColumns: [
            column("Text", "string", ".spec.text"),
            column("Whole", "integer", ".spec.whole"),
            column("Real", "number", ".spec.real"),
            column("Truth", "boolean", ".spec.truth"),
            column("Date", "date", ".spec.date"),
            column("List", "string", ".spec.list"),
            column("First", "string", ".spec.list[0]"),
            column("Last", "string", ".spec.list[-1:]"),
            column("All", "string", ".spec.list[*]"),
            column("Named", "string", ".spec.items[*].name"),
            column("Ready", "string", '.spec.items[?(@.name=="b")].value'),
            column("Some", "string", ".spec.items[?(@.value)].name"),
            column("More", "string", ".spec.items[?(@.value>1)].name"),
            column("Map", "string", ".spec.map"),
            column("Key", "string", ".spec.map.a\\.b"),
            column("Quoted", "string", ".spec.map['a.b']"),
            column("Both", "string", ".spec['text','whole']"),
            column("Bad", "string", ".spec[a"),
            column("WholeText", "string", ".spec.whole"),
            column("RealText", "string", ".spec.real"),
            column("TruthText", "string", ".spec.truth"),
            column("TextWhole", "integer", ".spec.text"),
            column("RealWhole", "integer", ".spec.real"),
            column("Null", "string", ".spec.nothing"),
            { ...column("Formatted", "integer", ".spec.whole"), format: "int32", priority: 1 },
          ].filter(({ name }) => name !== "Bad"),
        },
      ),
    ]),
    post(
      collectionOf(shown),
      objectOf(shown, {
        spec: {
          text: "a b",
          whole: 3,
          real: 1.5,
          truth: true,
          date: "x",
          list: ["a", 1, true, null, { b: 1 }],
          items: [{ name: "a", value: 1 }, { name: "b", value: 2 }, { name: "c" }],
          map: { "a.b": "c", d: [1], b: { z: 1, a: "x" } },
          nothing: null,
        },
      }),
      { silent: true },
    ),
    post(collectionOf(shown), objectOf(shown, {}, "two"), { silent: true }),
    post(
      collectionOf(shown),
      objectOf(
        shown,
        { spec: { text: 1, whole: "x", real: 2, truth: "x", list: [], items: {}, date: 1 } },
        "three",
      ),
      { silent: true },
    ),
    get(collectionOf(shown), tableOf),
    get(`${collectionOf(shown)}/one?includeObject=None`, tableOf),
    ...undefine(shown),
  ],
};

const living = kindOf("living");
const rival = { ...living, plural: "rivals", kind: "Rival" };
const nameOf = ({ plural, group }: Kind) => `${definitions}/${plural}.${group}`;
const condition = (index: number, status: string) => ({
  silent: true as const,
  until: { path: `status.conditions.${index}.status`, is: status },
});
const life: Sequence = {
  name: "life of custom resources",
  steps: [
    ...defined(living, [versionOf({ type: "object", "x-kubernetes-preserve-unknown-fields": true })]),
    get(nameOf(living)),
    get(nameOf(living), tableOf),
    get("/apis/living.example.com"),
    get("/apis/living.example.com/v1"),
    post(
      definitions,
      definitionOf(rival, [versionOf({ type: "object" })], { names: { plural: "rivals", kind: "Living" } }),
    ),
    get(nameOf(rival), condition(0, "False")),
    get(nameOf(rival)),
    get(collectionOf(rival)),
    patch(nameOf(living), "merge", {
      body: { spec: { names: { shortNames: ["lv", "rivals"], categories: ["all"] } } },
    }),
    get(nameOf(living), { silent: true, until: { path: "status.acceptedNames.categories.0", is: "all" } }),
    get(nameOf(living)),
    get("/apis/living.example.com/v1"),
    patch(nameOf(living), "merge", { body: { spec: { names: { kind: "Other" } } } }),
    patch(nameOf(living), "merge", { body: { spec: { names: { plural: "others" } } } }),
    patch(nameOf(living), "merge", { body: { spec: { names: { singular: "one", listKind: "Ones" } } } }),
    patch(nameOf(living), "merge", { body: { spec: { scope: "Cluster", group: "x.example.com" } } }),
    patch(nameOf(living), "merge", { body: { spec: { preserveUnknownFields: true } } }),
    patch(nameOf(living), "merge", { body: { metadata: { finalizers: ["x", "a b"] } } }),
    patch(nameOf(living), "merge", {
      body: {
        spec: {
          versions: [
            {
              ...versionOf({ type: "object", "x-kubernetes-preserve-unknown-fields": true }),
              storage: false,
            },
            versionOf({ type: "object", properties: { a: text } }, { name: "v2" }),
          ],
        },
      },
    }),
    get(collectionOf(living, "v2"), { silent: true, until: { path: "kind", is: "Ones" } }),
    get(nameOf(living)),
    get("/apis/living.example.com"),
    post(collectionOf(living), objectOf(living, { a: "x", b: 1 }, "old")),
    get(`${collectionOf(living, "v2")}/old`),
    get(`${collectionOf(living)}/old`),
    patch(nameOf(living), "merge", {
      body: { spec: { versions: [versionOf({ type: "object", properties: { a: text } }, { name: "v2" })] } },
    }),
    patch(`${nameOf(living)}/status`, "merge", { body: { status: { storedVersions: [] } } }),
    patch(`${nameOf(living)}/status`, "merge", { body: { status: { storedVersions: ["v2"] } } }),
    patch(`${nameOf(living)}/status`, "merge", { body: { status: { storedVersions: ["v3"] } } }),
    patch(`${nameOf(living)}/status`, "merge", { body: { status: { acceptedNames: { plural: "A_" } } } }),
    patch(nameOf(living), "merge", {
      body: { spec: { versions: [versionOf({ type: "object", properties: { a: text } }, { name: "v2" })] } },
    }),
    get(collectionOf(living), { silent: true, until: { path: "message", is: "" } }),
    get(collectionOf(living)),
    patch(`${collectionOf(living, "v2")}/old`, "merge", { body: { metadata: { finalizers: ["a.b/c"] } } }),
    remove(nameOf(living)),
    get(nameOf(living), {
      silent: true,
      until: { path: "status.conditions.2.reason", is: "InstanceDeletionInProgress" },
    }),
    get(nameOf(living)),
    post(collectionOf(living, "v2"), {
      ...objectOf(living, {}, "late"),
      apiVersion: "living.example.com/v2",
    }),
    get(`${collectionOf(living, "v2")}/old`),
    remove(nameOf(living), undefined, { silent: true }),
    patch(`${collectionOf(living, "v2")}/old`, "merge", { body: { metadata: { finalizers: null } } }),
    get(nameOf(living), { silent: true, until: { path: "reason", is: "NotFound" } }),
    get(nameOf(rival), { silent: true, until: { path: "status.conditions.1.status", is: "True" } }),
    get(nameOf(rival)),
    remove(nameOf(rival)),
    post(definitions, {
      ...definitionOf({ ...living, group: "living.k8s.io" }, [versionOf({ type: "object" })]),
      metadata: {
        name: "livings.living.k8s.io",
        annotations: { "api-approved.kubernetes.io": "unapproved, a trial" },
      },
    }),
    get(`${definitions}/livings.living.k8s.io`, condition(2, "True")),
    get(`${definitions}/livings.living.k8s.io`),
    patch(`${definitions}/livings.living.k8s.io`, "merge", {
      body: { metadata: { annotations: { "api-approved.kubernetes.io": "https://example.com/1" } } },
    }),
    remove(`${definitions}/livings.living.k8s.io`, undefined, { silent: true }),
    remove(`/api/v1/namespaces/${living.plural}`, undefined, { silent: true }),
  ],
};

/** What custom resources are, and what becomes of them. */
export const customSequences: readonly Sequence[] = [values, embedded, defaults, scaling, columns, life];
