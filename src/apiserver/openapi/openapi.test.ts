import { describe, expect, test } from "vitest";
import { resourceFacts, schemas } from "../../api/index.ts";
import { ApiError, type JsonObject } from "../../apimachinery/index.ts";
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
const openApi = createOpenApi({
  resources: [...resourceFacts.filter(isServedByDefault), widget],
  schemas,
  custom: new Map([["stable.example.com/v1/Widget", widgetSchema]]),
  version: "v1.36.0",
});

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

function read<T>(path: string): T {
  return JSON.parse(new TextDecoder().decode(openApi.get(path, undefined)?.bytes)) as T;
}
const v2 = read<V2>("/openapi/v2");
const core = read<V3>("/openapi/v3/api/v1");
const podSpec = "io.k8s.api.core.v1.PodSpec";

/** All references of a document, each once. */
function references(document: object): ReadonlySet<string> {
  return new Set([...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!));
}

test("every reference leads to a definition", () => {
  for (const reference of references(v2)) expect(v2.definitions).toHaveProperty([reference.split("/")[2]!]);
  const { paths } = read<{ paths: Readonly<Record<string, object>> }>("/openapi/v3");
  expect(Object.keys(paths)).toContain("apis/apps/v1");
  for (const path of Object.keys(paths)) {
    const document = read<V3>(`/openapi/v3/${path}`);
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
  expect(core.components.schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]).toMatchObject({
    oneOf: [{ type: "integer" }, { type: "string" }],
  });
});

describe("paths", () => {
  test("say what kubectl looks for before it sends", () => {
    const path = v2.paths["/api/v1/namespaces/{namespace}/pods/{name}"]?.["patch"];
    const parameters = path?.["parameters"] as readonly { name: string; in: string }[];
    expect(parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name)).toEqual([
      "pretty",
      "dryRun",
      "fieldManager",
      "fieldValidation",
      "force",
    ]);
    expect(path).toMatchObject({
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
    ])
      expect(ids).toContain(id);
  });
});

test("custom resources are described in both versions", () => {
  const name = "com.example.stable.v1.Widget";
  const spec = v2.definitions[name]?.properties["spec"] as Schema | undefined;
  expect(spec?.properties).toEqual({ nullable: {}, port: { "x-kubernetes-int-or-string": true } });
  const v3 = read<V3>("/openapi/v3/apis/stable.example.com/v1").components.schemas[name];
  expect(v3?.properties["spec"]).toEqual(
    widgetSchema["properties"] && (widgetSchema as Schema).properties["spec"],
  );
  expect(v3).toMatchObject({
    "x-kubernetes-group-version-kind": [{ group: "stable.example.com", kind: "Widget", version: "v1" }],
  });
});

test("protobuf for old clients, made once; other forms refused", () => {
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const document = openApi.get("/openapi/v2", accept);
  expect([...document!.bytes.subarray(0, 5)]).toEqual([0x0a, 3, 0x32, 0x2e, 0x30]);
  expect(openApi.get("/openapi/v2", accept)).toBe(document);
  expect(openApi.get("/openapi/v2", "*/*")?.contentType).toBe("application/json");
  expect(() => openApi.get("/openapi/v2", "text/html")).toThrow(ApiError);
  expect(openApi.get("/openapi/v3/apis/none/v1", undefined)).toBeUndefined();
});
