import { get, inNamespace, patch, post, put, remove, type Sequence } from "../step.ts";

const configMaps = inNamespace("configmaps");
const path = `${configMaps}/write`;
const create = (metadata: object = {}) => post(configMaps, { metadata: { name: "write", ...metadata } });
const cleaned = remove(path, undefined, { silent: true });

const identities: Sequence = {
  name: "bodies that say who they are",
  steps: [
    create(),
    ...[
      { name: "write", namespace: "other" },
      { name: "other", namespace: "other" },
      {},
      { name: "write", uid: "other" },
      { name: "write", resourceVersion: "text" },
      { name: "write", resourceVersion: "0" },
      { name: "write", resourceVersion: "1" },
      { name: "write", creationTimestamp: "2020-01-01T00:00:00Z" },
      { name: "write", deletionTimestamp: "2020-01-01T00:00:00Z" },
      { name: "write", generation: 7 },
    ].flatMap((metadata) => [
      put(path, { metadata }),
      patch(path, "merge", { body: { metadata } }),
      patch(path, "json", { body: [{ op: "replace", path: "/metadata", value: metadata }] }),
    ]),
    put(`${configMaps}/none`, { metadata: { name: "none", uid: "other" } }),
    put(`${configMaps}/none`, { metadata: { name: "none", resourceVersion: "5" } }),
    patch(path, "merge", { body: { metadata: { name: null } } }),
    patch(path, "merge", { body: { metadata: { uid: null, resourceVersion: null } } }),
    create({ resourceVersion: "text" }),
    create({ generateName: "written-" }),
    post(configMaps, { metadata: { generateName: "g".repeat(70) } }, { silent: true }),
    post(inNamespace("configmaps").replace("differential", "none"), { metadata: { name: "write" } }),
    post("/api/v1/nodes", { metadata: { name: "written", namespace: "other" } }),
    put("/api/v1/nodes/written", { metadata: { name: "written", namespace: "other" } }),
    remove("/api/v1/nodes/written"),
    cleaned,
  ],
};

const options: Sequence = {
  name: "options of deletions",
  steps: [
    create(),
    ...[
      { propagationPolicy: "Orphan", orphanDependents: true },
      { propagationPolicy: "Other", orphanDependents: true, dryRun: ["All", "None"] },
      { propagationPolicy: "nil" },
      { gracePeriodSeconds: -5, dryRun: ["All"] },
      { gracePeriodSeconds: 30, dryRun: ["All"] },
      { other: 1, dryRun: ["All"] },
      { kind: "DeleteOptions", apiVersion: "example.com/v9", dryRun: ["All"] },
      { propagationPolicy: "Foreground", dryRun: ["All"] },
      { propagationPolicy: "Background", dryRun: ["All"] },
      { orphanDependents: true, dryRun: ["All"] },
      { orphanDependents: false, dryRun: ["All"] },
      { preconditions: { uid: "other" } },
      { preconditions: { resourceVersion: "1" } },
      { preconditions: { uid: "other", resourceVersion: "1" } },
      { preconditions: {}, dryRun: ["All"] },
    ].map((body) => remove(path, body)),
    ...[
      "gracePeriodSeconds=text",
      "gracePeriodSeconds=",
      "propagationPolicy=Other",
      "propagationPolicy=Foreground&dryRun=All",
      "orphanDependents=text&dryRun=All",
      "orphanDependents=false&dryRun=All",
      "dryRun=Other",
      "dryRun=All&dryRun=All",
    ].map((query) => remove(`${path}?${query}`)),
    ...["resourceVersion=1", "uid=other", "uid=other&resourceVersion=1", "uid=&dryRun=All"].flatMap(
      (query) => [
        remove(`${path}?${query}`),
        remove(`${configMaps}?fieldSelector=metadata.name%3Dwrite&${query}`),
      ],
    ),
    remove(`${path}?dryRun=Other&propagationPolicy=Other`, { dryRun: ["All"] }),
    remove(`${configMaps}/none`, { propagationPolicy: "Other" }),
    remove(`${configMaps}/none`, { preconditions: { uid: "other" } }),
    remove("/api/v1/namespaces/differential", { preconditions: { uid: "other" } }),
    cleaned,
  ],
};

/** What looks for the object before it looks at the body. */
const missing: Sequence = {
  name: "what is done to objects that are not there, or are others",
  steps: [
    create(),
    ...["", "{", "[]", "null", '[{"op":"none"}]'].flatMap((body) =>
      (["json", "merge", "strategic"] as const).flatMap((type) => [
        patch(`${configMaps}/none`, type, { body }),
        patch("/apis/apps/v1/namespaces/differential/deployments/none/scale", type, { body }),
      ]),
    ),
    ...["apps/v1/namespaces/differential/deployments", "apps/v1/namespaces/differential/statefulsets"].map(
      (at) => get(`/apis/${at}/none/scale`),
    ),
    get(inNamespace("replicationcontrollers/none/scale")),
    ...[String.raw`\ud83d`, String.raw`\ude00x`, String.raw`\ud83d\ude00`, String.raw`\\ud83d`].flatMap(
      (text) => [
        post(`${configMaps}?dryRun=All`, `{"metadata":{"name":"halves"},"data":{"a":"${text}"}}`),
        patch(`${path}?dryRun=All`, "merge", { body: `{"data":{"a":"${text}"}}` }),
        patch(`${path}?dryRun=All`, "strategic", { body: `{"data":{"a":"${text}"}}` }),
      ],
    ),
    ...["Other", "Secret"].flatMap((kind) => [
      patch(path, "merge", { body: { kind } }),
      patch(path, "json", { body: [{ op: "replace", path: "/kind", value: kind }] }),
    ]),
    post(inNamespace("pods"), {
      metadata: { name: "bound" },
      spec: { automountServiceAccountToken: false, containers: [{ name: "c", image: "i" }] },
    }),
    ...[{}, { name: "other" }].map((metadata) =>
      post(inNamespace("pods/bound/binding"), { metadata, target: { kind: "Node", name: "none" } }),
    ),
    remove(inNamespace("pods/bound?gracePeriodSeconds=0"), undefined, { silent: true }),
    cleaned,
  ],
};

const replicas = "/apis/apps/v1/namespaces/differential/replicasets";
const labels = { app: "wide" };

const wide: Sequence = {
  name: "integers that are too wide for their type",
  steps: [
    post(replicas, {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: { name: "wide" },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
      },
    }),
    ...["4294967297", "2147483648", "-4294967295", "9223372036854775808", "-1e30", "1e2"].flatMap((value) => [
      patch(`${replicas}/wide?dryRun=All`, "strategic", { body: `{"spec":{"replicas":${value}}}` }),
      patch(`${replicas}/wide/scale?dryRun=All`, "strategic", { body: `{"spec":{"replicas":${value}}}` }),
      patch(`${replicas}/wide?dryRun=All&fieldManager=wide&force=true`, "apply", {
        body: `{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"wide"},"spec":{"replicas":${value}}}`,
      }),
    ]),
    ...["0", "0.0", "0e1", "1"].map((value) =>
      patch(`${replicas}/wide?dryRun=All`, "json", {
        body: `[{"op":"test","path":"/spec/replicas","value":${value}}]`,
      }),
    ),
    remove(`${replicas}/wide`, undefined, { silent: true }),
  ],
};

const addressed = inNamespace("pods/addressed/status");

const addresses: Sequence = {
  name: "the address of a pod and the list of its addresses",
  steps: [
    post(inNamespace("pods"), {
      metadata: { name: "addressed" },
      spec: {
        nodeName: "none",
        automountServiceAccountToken: false,
        containers: [{ name: "c", image: "i" }],
      },
    }),
    ...[
      { podIP: "10.0.0.1" },
      { podIPs: [{ ip: "10.0.0.2" }] },
      { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.2" }] },
      { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] },
      { podIP: "none", podIPs: [{ ip: "10.0.0.1" }] },
      { podIP: "", podIPs: [] },
    ].flatMap((status) => [
      put(addressed, { metadata: { name: "addressed" }, status }),
      patch(addressed, "strategic", { body: { status } }),
      patch(addressed, "merge", { body: { status } }),
    ]),
    remove(inNamespace("pods/addressed?gracePeriodSeconds=0"), undefined, { silent: true }),
  ],
};

const finalizers = ["example.com/wait"];

const waiting: Sequence = {
  name: "deletions that wait",
  steps: [
    create({ finalizers }),
    remove(path, { gracePeriodSeconds: 5 }),
    get(path),
    remove(path),
    remove(path, { propagationPolicy: "Foreground" }),
    remove(path, { propagationPolicy: "Orphan", gracePeriodSeconds: 0 }),
    patch(path, "merge", { body: { metadata: { finalizers: [...finalizers, "example.com/more"] } } }),
    patch(path, "merge", { body: { metadata: { labels: { still: "here" } } } }),
    patch(path, "merge", { body: { metadata: { deletionTimestamp: null } } }),
    patch(path, "merge", { body: { metadata: { deletionGracePeriodSeconds: 9 } } }),
    create(),
    patch(path, "merge", { body: { metadata: { finalizers: null } } }),
    get(path),
    create({ finalizers: ["foregroundDeletion", "orphan"] }),
    create({ finalizers: ["orphan"] }),
    remove(path, { propagationPolicy: "Background" }),
    get(path),
  ],
};

const jsonPatches: Sequence = {
  name: "JSON patches of what is not there",
  steps: [
    post(configMaps, { metadata: { name: "write", finalizers: ["a/b", "c/d"] }, data: { key: "value" } }),
    ...[
      { op: "replace", path: "/data/new", value: "x" },
      { op: "replace", path: "/nothing/new", value: "x" },
      { op: "replace", path: "/metadata/finalizers/1", value: "e/f" },
      { op: "replace", path: "/metadata/finalizers/2", value: "e/f" },
      { op: "replace", path: "/metadata/finalizers/x", value: "e/f" },
      { op: "replace", path: "", value: 1 },
      { op: "add", path: "/metadata/finalizers/-1", value: "g/h" },
      { op: "add", path: "/metadata/finalizers/9", value: "g/h" },
      { op: "remove", path: "/data/none" },
      { op: "remove", path: "/metadata/finalizers/7" },
      { op: "move", from: "/data/key", path: "/data/moved" },
      { op: "move", from: "/data/none", path: "/data/other" },
      { op: "move", from: "/data/new", path: "/nothing/other" },
      { op: "copy", from: "/data/new", path: "/data/copied" },
      { op: "copy", from: "/nothing/new", path: "/data/copied" },
      { op: "test", path: "/data/none", value: null },
      { op: "test", path: "/nothing/none", value: null },
      { op: "test", path: "/data/new", value: "x" },
      { op: "test", path: "/data/new", value: "y" },
    ].map((operation) => patch(path, "json", { body: [operation] })),
    patch(path, "merge", { body: { metadata: { finalizers: null } } }),
    cleaned,
  ],
};

/** Writes whose metadata and options decide what becomes of them. */
export const writeSequences: readonly Sequence[] = [
  identities,
  jsonPatches,
  options,
  missing,
  wide,
  addresses,
  waiting,
];
