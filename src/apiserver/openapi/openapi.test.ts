import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { resourceFacts, schemas } from "../../api/index.ts";
import type { JsonObject } from "../../apimachinery/index.ts";
import { isServedByDefault } from "../discovery/index.ts";
import { createOpenApi } from "./index.ts";

const widget = {
  group: "stable.example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  singular: "widget",
  namespaced: true,
  verbs: ["create", "get", "list", "patch"],
  stability: "GA" as const,
};
const widgetSchema: JsonObject = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        nullable: { type: "string", nullable: true },
        port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
      },
    },
  },
};
const options = {
  resources: [...resourceFacts.filter(isServedByDefault), widget],
  schemas,
  custom: new Map([["stable.example.com/v1/Widget", widgetSchema]]),
  version: "v1.36.0",
  now: () => Date.UTC(2026, 0, 1),
  pause: async () => {},
  compress: async (bytes: Uint8Array) => gzipSync(bytes),
};
const openApi = createOpenApi(options);

interface Schema extends JsonObject {
  readonly properties: Readonly<Record<string, JsonObject>>;
}
interface V2 {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
}
interface V3 {
  readonly components: { readonly schemas: V2["definitions"] };
  readonly paths: V2["paths"];
}

function ask(path: string, accept?: string, query = "") {
  return openApi.get(path, { accept, query: new URLSearchParams(query) });
}

async function read<T>(path: string): Promise<T> {
  const answer = await ask(path);
  return JSON.parse(gunzipSync(answer?.bytes ?? "").toString()) as T;
}
const v2 = await read<V2>("/openapi/v2");
const core = await read<V3>("/openapi/v3/api/v1");
const podSpec = "io.k8s.api.core.v1.PodSpec";

/** All references of a document, each once. */
function references(document: object): ReadonlySet<string> {
  return new Set([...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!));
}

test("every reference leads to a definition", async () => {
  for (const reference of references(v2)) expect(v2.definitions).toHaveProperty([reference.split("/")[2]!]);
  const { paths } = await read<{ paths: Readonly<Record<string, object>> }>("/openapi/v3");
  expect(Object.keys(paths)).toContain("apis/apps/v1");
  for (const path of Object.keys(paths)) {
    const document = await read<V3>(`/openapi/v3/${path}`);
    for (const reference of references(document))
      expect(document.components.schemas, path).toHaveProperty([reference.split("/")[3]!]);
  }
});

test("fields carry what patches, apply and explain need", () => {
  expect(v2.definitions[podSpec]?.properties["containers"]).toEqual({
    description: expect.any(String) as string,
    type: "array",
    items: { $ref: "#/definitions/io.k8s.api.core.v1.Container" },
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-list-type": "map",
    "x-kubernetes-patch-merge-key": "name",
    "x-kubernetes-patch-strategy": "merge",
  });
  expect(v2.definitions[podSpec]).toMatchObject({ type: "object", required: ["containers"] });
  expect(v2.definitions["io.k8s.api.core.v1.Pod"]).toMatchObject({
    "x-kubernetes-group-version-kind": [{ group: "", kind: "Pod", version: "v1" }],
  });
  // Inlined structs are flat.
  expect(v2.definitions["io.k8s.api.core.v1.Volume"]?.properties).toHaveProperty("hostPath");
  expect(v2.definitions["io.k8s.api.core.v1.LocalObjectReference"]).toMatchObject({
    "x-kubernetes-map-type": "atomic",
  });
  expect(core.components.schemas["io.k8s.api.core.v1.Container"]?.properties["name"]).toMatchObject({
    type: "string",
    default: "",
  });
  expect(core.components.schemas["io.k8s.api.core.v1.Pod"]?.properties["spec"]).toEqual({
    description: "What is wanted.",
    allOf: [{ $ref: `#/components/schemas/${podSpec}` }],
    default: {},
  });
  const ofPod = core.components.schemas["io.k8s.api.core.v1.Pod"]?.properties["metadata"];
  expect(ofPod).toMatchObject({ allOf: [expect.anything()], default: {} });
  // What reads itself from JSON has no default.
  const port = core.components.schemas["io.k8s.api.core.v1.ServicePort"]?.properties["targetPort"];
  expect(port).not.toHaveProperty("default");
  expect(core.components.schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]).toMatchObject({
    oneOf: [{ type: "integer" }, { type: "string" }],
  });
});

describe("paths", () => {
  test("say what kubectl looks for before it sends", () => {
    const path = v2.paths["/api/v1/namespaces/{namespace}/pods/{name}"]!;
    const names = (part: JsonObject | undefined) =>
      (part as unknown as readonly { name: string }[]).map(({ name }) => name);
    // What all methods of a path have stands beside them.
    expect(names(path["parameters"])).toEqual(["name", "namespace", "pretty"]);
    expect(names(path["patch"]?.["parameters"] as JsonObject)).toEqual([
      "body",
      "dryRun",
      "fieldManager",
      "fieldValidation",
      "force",
    ]);
    expect(path["patch"]).toMatchObject({
      operationId: "patchCoreV1NamespacedPod",
      "x-kubernetes-group-version-kind": { group: "", kind: "Pod", version: "v1" },
    });
  });

  test("have the names that client generators know", () => {
    const ids = Object.values(v2.paths).flatMap((item) =>
      Object.values(item).flatMap((operation) => operation["operationId"] ?? []),
    ) as readonly string[];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of [
      "listCoreV1PodForAllNamespaces",
      "deleteCoreV1CollectionNamespacedPod",
      "connectCoreV1GetNamespacedPodExec",
      "readCoreV1NamespacedPodLog",
      "createCoreV1NamespacedPodEviction",
      "readAppsV1NamespacedDeploymentScale",
      "replaceRbacAuthorizationV1ClusterRole",
      "createStableExampleComV1NamespacedWidget",
      "watchCoreV1NamespacedPod",
      "watchCoreV1NodeList",
      "watchAppsV1DeploymentListForAllNamespaces",
      "connectCoreV1HeadNodeProxyWithPath",
      "getCoreAPIVersions",
      "getRbacAuthorizationAPIGroup",
      "getRbacAuthorizationV1APIResources",
      "getCodeVersion",
    ])
      expect(ids).toContain(id);
  });
});

test("encodings are named as far as they are served", async () => {
  const withCbor = createOpenApi({ ...options, cbor: true });
  const answer = await withCbor.get("/openapi/v2", { accept: undefined, query: new URLSearchParams() });
  const { paths } = JSON.parse(gunzipSync(answer!.bytes).toString()) as V2;
  const path = "/api/v1/namespaces/{namespace}/pods";
  const stream = "application/vnd.kubernetes.protobuf;stream=watch";
  expect(v2.paths[path]?.["get"]?.["produces"]).not.toContain("application/cbor");
  expect(paths[path]?.["get"]?.["produces"]).toEqual([
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
    "application/json;stream=watch",
    stream,
    "application/cbor-seq",
  ]);
  expect(paths[`${path}/{name}`]?.["patch"]?.["consumes"]).toContain("application/apply-patch+cbor");
  expect(paths[`${path}/{name}/log`]?.["get"]?.["produces"]).toContain("text/plain");
  expect(paths["/version/"]?.["get"]?.["produces"]).toEqual(["application/json"]);
});

test("custom resources are described in both versions", async () => {
  const name = "com.example.stable.v1.Widget";
  const spec = v2.definitions[name]?.properties["spec"] as Schema | undefined;
  expect(spec?.properties).toEqual({ nullable: {}, port: { "x-kubernetes-int-or-string": true } });
  const document = await read<V3>("/openapi/v3/apis/stable.example.com/v1");
  const v3 = document.components.schemas[name];
  expect(v3?.properties["spec"]).toEqual(
    widgetSchema["properties"] && (widgetSchema as Schema).properties["spec"],
  );
  expect(v3).toMatchObject({
    "x-kubernetes-group-version-kind": [{ group: "stable.example.com", kind: "Widget", version: "v1" }],
  });
});

test("both versions have a protobuf form, made once; other forms are refused", async () => {
  async function check(path: string, version: string, start: readonly number[]) {
    const old = `application/com.github.proto-openapi.spec.${version}@v1.0+protobuf`;
    const answer = await ask(path, old);
    expect(answer?.contentType).toBe(old.replace("@", "."));
    expect([...gunzipSync(answer!.bytes).subarray(0, start.length)]).toEqual(start);
    const again = await ask(path, `text/html, ${old.replace("@", ".")};q=0.5`);
    expect(again?.bytes).toBe(answer?.bytes);
    expect((await ask(path, "*/*"))?.contentType).toBe("application/json");
    expect(await ask(path, "text/html")).toMatchObject({ status: 406, headers: { vary: "Accept" } });
  }
  await check("/openapi/v2", "v2", [0x0a, 3, 0x32, 0x2e, 0x30]);
  await check("/openapi/v3/apis/apps/v1", "v3", [0x0a, 5, 0x33, 0x2e, 0x30, 0x2e, 0x30]);
  expect(await ask("/openapi/v3/apis/none/v1")).toBeUndefined();
});

/** Numbers and contents of the messages and texts within a message. */
function partsOf(bytes: Uint8Array): readonly (readonly [number, Uint8Array])[] {
  const parts: [number, Uint8Array][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) varint();
    else if ((tag & 7) === 1) at += 8;
    else {
      const length = varint();
      parts.push([tag >>> 3, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return parts;
}

test("the protobuf form of version 3 holds the paths, operations and schemas of the JSON form", async () => {
  const path = "/openapi/v3/apis/apps/v1";
  const binary = await ask(path, "application/com.github.proto-openapi.spec.v3.v1.0+protobuf");
  const { paths, components } = await read<V3>(path);
  const within = (bytes: Uint8Array, ...numbers: readonly number[]): Uint8Array[] =>
    numbers.reduce<Uint8Array[]>(
      (found, number) =>
        found.flatMap((part) =>
          partsOf(part)
            .filter(([n]) => n === number)
            .map(([, b]) => b),
        ),
      [bytes],
    );
  const texts = (found: readonly Uint8Array[]) => found.map((bytes) => new TextDecoder().decode(bytes));
  const document = gunzipSync(binary!.bytes);
  expect(texts(within(document, 4, 1, 1))).toEqual(Object.keys(paths));
  expect(texts(within(document, 5, 1, 1, 1))).toEqual(Object.keys(components.schemas));
  const gets = Object.values(paths).flatMap(({ get }) => (get ? [get["operationId"]] : []));
  expect(texts(within(document, 4, 1, 2, 4, 5))).toEqual(gets);
});

test("a document under its hash never changes; an old hash leads to the new one", async () => {
  const { paths } = await read<{ paths: Record<string, { serverRelativeURL: string }> }>("/openapi/v3");
  const { serverRelativeURL } = paths["apis/apps/v1"]!;
  const [path = "", query] = serverRelativeURL.split("?");
  const answer = await ask(path, undefined, query);
  expect(answer).toMatchObject({
    status: 200,
    etag: `"${query?.split("=")[1]}"`,
    headers: { "cache-control": "public, immutable", expires: "Fri, 01 Jan 2027 00:00:00 GMT" },
  });
  expect((await ask(path))?.headers).not.toHaveProperty("cache-control");
  expect(await ask(path, undefined, "hash=OLD")).toMatchObject({
    status: 301,
    headers: { location: serverRelativeURL },
  });
});
