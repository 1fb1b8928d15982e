import { accept, get, inNamespace, patch, post, put, remove, type Sequence, type Step } from "../step.ts";

const configMaps = inNamespace("configmaps");
const one = `${configMaps}/encoded`;

const form = (kind: string, version = "v1") => `as=${kind};v=${version};g=meta.k8s.io`;
const acceptable = [
  "",
  "*/*",
  "*",
  "application/*",
  "APPLICATION/JSON",
  "application/yaml",
  "application/json;q=0.1,application/yaml",
  "text/html, application/json;q=0.9",
  "text/html",
  "application/json;charset=utf-8",
  "application/json;pretty=1",
  "application/json;stream=watch",
  "application/yaml;stream=watch",
  "application/json;sv=v1",
  "application/json;sv=v2",
  ...["Table", "PartialObjectMetadata", "PartialObjectMetadataList", "Other"].flatMap((kind) => [
    `application/json;${form(kind)}`,
    `application/json;${form(kind, "v1beta1")}`,
    `application/yaml;${form(kind, "v2")}`,
    `application/vnd.kubernetes.protobuf;${form(kind, "v2")},application/json`,
  ]),
];

const accepted: Sequence = {
  name: "encodings that are accepted",
  steps: [
    post(configMaps, { metadata: { name: "encoded" }, data: { a: "1" } }),
    ...acceptable.flatMap((type): Step[] => [
      get(one, accept(type)),
      get(`${configMaps}?fieldSelector=metadata.name%3Dencoded`, accept(type)),
      get(`${configMaps}/missing`, accept(type)),
      post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec: {} }, accept(type)),
    ]),
    get(`${configMaps}?includeObject=None`, accept(`application/json;${form("Table")}`)),
    get(`${configMaps}?includeObject=All`, accept(`application/json;${form("Table")}`)),
    get(one, { headers: { "user-agent": "curl/8" } }),
    get(`${one}?pretty=false`, { headers: { "user-agent": "curl/8" } }),
    { method: "HEAD", path: one },
    patch(one, "merge", { body: {}, headers: { "content-type": "application/foo", accept: "text/html" } }),
    ...["text/plain", "application/json; charset=utf-8", "application/json; a", " application/json", "x"].map(
      (type) => post(configMaps, "{}", { headers: { "content-type": type } }),
    ),
    remove(one),
  ],
};

/** Bodies in which something is wrong before they are an object of the kind. */
const foreign = [
  "",
  "null",
  "[]",
  '"x"',
  "nul",
  "-",
  "1.",
  '{"kind":1}',
  '{"apiVersion":["v1"]}',
  '{"apiVersion":"a/b/c"}',
  '{"kind":"Pod"}',
  '{"kind":"Foo"}',
  '{"kind":"Foo","apiVersion":"foo/v1"}',
  '{"kind":"ConfigMap","apiVersion":"v2"}',
  '{"kind":"DeploymentList","apiVersion":"apps/v1"}',
  '{"kind":"Status"}',
];
const foreignYaml = ["", "a", "- a", "kind: 1", "kind: Pod", "a: b: c", '"', "a: *b", "a: 1\na: b: c"];

const bodies: Sequence = {
  name: "bodies that are no object of the kind",
  steps: [
    ...foreign.map((body) => post(configMaps, body)),
    ...foreign.map((body) => put(`${configMaps}/x`, body)),
    ...foreignYaml.map((body) => post(configMaps, body, { headers: { "content-type": "application/yaml" } })),
    // What is refused first: the type, the options, or the body.
    post(`${configMaps}?dryRun=x`, "{", { headers: { "content-type": "text/plain" } }),
    post(`${configMaps}?dryRun=x`, "{"),
    put(`${configMaps}/x?dryRun=x`, "{", { headers: { "content-type": "text/plain" } }),
    patch(`${configMaps}/x?dryRun=x`, "merge", { body: "{" }),
    patch(`${configMaps}/x?dryRun=x`, "json", { body: "{" }),
    patch(`${configMaps}/x`, "apply", { body: ": {" }),
    remove(`${configMaps}/x?dryRun=x`, "{", { headers: { "content-type": "text/plain" } }),
    post(inNamespace("pods/x/binding"), { kind: "Pod" }),
    put("/apis/apps/v1/namespaces/differential/deployments/x/scale", { kind: "Scale", apiVersion: "v1" }),
    post("/apis/apps/v1/namespaces/differential/deployments", { apiVersion: "extensions/v1beta1" }),
  ],
};

const documents: Sequence = {
  name: "documents that are no resources",
  steps: ["/api", "/apis/apps", "/apis/apps/v1", "/version"].flatMap((path): Step[] => [
    get(path, accept("text/html")),
    get(path, accept("application/foo;q=0.5, text/html")),
    { method: "POST", path, headers: { accept: "text/html" } },
  ]),
};

/** How requests and answers are written. */
export const encodingSequences: readonly Sequence[] = [accepted, bodies, documents];
