import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Api, type Body } from "./api.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const text = { type: "string" };
const number = { type: "integer", format: "int32" };
const preserves = { "x-kubernetes-preserve-unknown-fields": true };
const structure = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });

const port = structure(
  { containerPort: number, hostIP: text, hostPort: number, name: text, protocol: text },
  { required: ["containerPort", "protocol"] },
);
const ports = {
  type: "array",
  "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
  "x-kubernetes-list-type": "map",
  items: port,
};
const fields = {
  knownField1: text,
  cronSpec: { ...text, pattern: "^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$" },
  ports,
  template: { type: "object", "x-kubernetes-embedded-resource": true, ...preserves },
};

interface Kind {
  readonly group: string;
  readonly path: string;
  readonly kind: string;
}

describe("custom resources", () => {
  let api: Api;
  beforeAll(async () => {
    api = await Api.start({ nodes: 0 });
  });
  afterAll(() => api.stop());

  /** Defines a kind and waits until it is served. */
  async function define(word: string, versions: readonly object[]): Promise<Kind> {
    const group = `${word}.example.com`;
    const kind = `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
    const plural = `${word}s`;
    const name = `${plural}.${group}`;
    const spec = { group, names: { kind, plural }, scope: "Namespaced", versions };
    await api.create(definitions, { metadata: { name }, spec });
    await api.until(`${definitions}?fieldSelector=metadata.name%3D${name}`, ({ items: [definition] }) => {
      const { conditions = [] } = (definition?.["status"] ?? {}) as {
        readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      };
      return conditions.some(({ type, status }) => type === "Established" && status === "True");
    });
    return { group, kind, path: `/apis/${group}/v1/namespaces/default/${plural}` };
  }

  const versionOf = (schema: object, more: object = {}) => ({
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
    ...more,
  });

  const yamlOf = ({ group, kind }: Kind, body: string) => `apiVersion: ${group}/v1
kind: ${kind}
${body}`;

  const sent = ({ path }: Kind, method: "POST" | "PATCH", body: string, validation = "Strict") => {
    const options = `fieldValidation=${validation}&fieldManager=field-validation-test`;
    const type = method === "POST" ? "application/yaml" : "application/apply-patch+yaml";
    const target = method === "POST" ? path : `${path}/mytest`;
    return api.send(`${target}?${options}`, { method, headers: { "content-type": type }, body });
  };

  test("[sig-api-machinery] FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema [Conformance]", async () => {
    const kind = await define("loose", [versionOf({ type: "object", ...preserves })]);
    const body = yamlOf(kind, "metadata: {name: mytest}\nfoo: bar\nspec: {a: {b: [1]}}\n");
    const applied = await sent(kind, "PATCH", body);
    expect([applied.status, applied.warnings, applied.body["foo"]]).toEqual([201, "", "bar"]);
    const created = await sent(kind, "POST", body.replace("mytest", "other"));
    expect([created.status, created.warnings, created.body["spec"]]).toEqual([201, "", { a: { b: [1] } }]);
  });

  const valid =
    'metadata: {name: mytest}\nspec:\n  cronSpec: "* * * * */5"\n  ports:\n  - {name: x, containerPort: 80, protocol: TCP}\n';

  test("[sig-api-machinery] FieldValidation should create/apply a valid CR for CRD with validation schema [Conformance]", async () => {
    const kind = await define("valid", [versionOf(structure({ spec: structure(fields) }))]);
    const applied = await sent(kind, "PATCH", yamlOf(kind, valid));
    expect([applied.status, applied.warnings]).toEqual([201, ""]);
    const created = await sent(kind, "POST", yamlOf(kind, valid.replace("mytest", "other")));
    expect([created.status, created.warnings]).toEqual([201, ""]);
  });

  test("[sig-api-machinery] FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema [Conformance]", async () => {
    const kind = await define("strict", [versionOf(structure({ spec: structure(fields) }))]);
    const extra = yamlOf(kind, `${valid}  extraProperty: arbitrary-value\n`);
    const applied = await sent(kind, "PATCH", extra);
    expect(applied.status).toBe(500);
    expect(applied.body["message"]).toContain(".spec.extraProperty: field not declared in schema");
    const created = await sent(kind, "POST", extra);
    expect([created.status, created.body["message"]]).toEqual([
      400,
      'Strict in version "v1" cannot be handled as a Strict: strict decoding error: unknown field "spec.extraProperty"',
    ]);
    const warned = await sent(kind, "POST", extra, "Warn");
    expect([warned.status, warned.warnings]).toEqual([201, '299 - "unknown field \\"spec.extraProperty\\""']);
    const wrong = await sent(kind, "POST", yamlOf(kind, valid.replace("* * * * */5", "x")));
    expect(wrong.status).toBe(422);
  });

  test("[sig-api-machinery] FieldValidation should detect duplicates in a CR when preserving unknown fields [Conformance]", async () => {
    const spec = structure(fields, preserves);
    const kind = await define("double", [versionOf(structure({ spec }))]);
    const twice = yamlOf(kind, `${valid}  unknown: uk1\n  unknownDupe: a\n  unknownDupe: b\n`);
    const applied = await sent(kind, "PATCH", twice);
    expect([applied.status, applied.body["message"]]).toEqual([
      400,
      expect.stringContaining('line 10: key "unknownDupe" already set in map'),
    ]);
    const json = `{"apiVersion":"${kind.group}/v1","kind":"${kind.kind}","metadata":{"name":"j"},"spec":{"unknown":1,"unknownDupe":1,"unknownDupe":2,"knownField1":"a","knownField1":"b"}}`;
    const created = await api.send(`${kind.path}?fieldValidation=Strict`, { method: "POST", body: json });
    expect([created.status, created.body["message"]]).toEqual([
      400,
      expect.stringContaining('duplicate field "spec.unknownDupe", duplicate field "spec.knownField1"'),
    ]);
    const warned = await api.send(`${kind.path}?fieldValidation=Warn`, { method: "POST", body: json });
    expect([warned.status, warned.warnings]).toEqual([
      201,
      expect.stringContaining('duplicate field \\"spec.unknownDupe\\"'),
    ]);
  });

  test("[sig-api-machinery] FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR [Conformance]", async () => {
    const kind = await define("meta", [versionOf(structure({ spec: structure(fields) }))]);
    const body = yamlOf(
      kind,
      `metadata: {name: mytest, unknownMeta: a}
spec:
  template:
    apiVersion: foo/v1
    kind: Sub
    metadata: {name: subobject, namespace: my-ns, unknownSubMeta: b}
`,
    );
    const strict = await sent(kind, "POST", body);
    expect([strict.status, strict.body["message"]]).toEqual([
      400,
      expect.stringContaining(
        'unknown field "metadata.unknownMeta", unknown field "spec.template.metadata.unknownSubMeta"',
      ),
    ]);
    const warned = await sent(kind, "POST", body, "Warn");
    expect(warned.status).toBe(201);
    expect(warned.warnings).toContain('unknown field \\"spec.template.metadata.unknownSubMeta\\"');
    const { template } = warned.body["spec"] as { readonly template: Body };
    expect(template.metadata).toEqual({ name: "subobject", namespace: "my-ns" });
  });

  test("[sig-api-machinery] CustomResourceFieldSelectors [Privileged:ClusterAdmin] CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector [Conformance]", async () => {
    const schema = structure({ host: text, port: text }, preserves);
    const other = structure({ hostPort: text }, preserves);
    const kind = await define("select", [
      versionOf(schema, { selectableFields: [{ jsonPath: ".host" }, { jsonPath: ".port" }] }),
      versionOf(other, { name: "v2", storage: false, selectableFields: [{ jsonPath: ".hostPort" }] }),
    ]);
    const second = kind.path.replace("/v1/", "/v2/");
    const objectOf = (name: string, body: object, version = "v1") => ({
      apiVersion: `${kind.group}/${version}`,
      kind: kind.kind,
      metadata: { name },
      ...body,
    });
    const { metadata } = await api.get(kind.path);
    const watching = (path: string, selector: string, count: number) =>
      api.watch(
        `${path}?watch=true&resourceVersion=${metadata.resourceVersion}&fieldSelector=${encodeURIComponent(selector)}`,
        (events) => events.length >= count,
      );
    const followed = [watching(kind.path, "host=host1", 3), watching(second, "hostPort=host2:80", 1)];
    await api.create(kind.path, objectOf("one", { host: "host1", port: "80" }));
    await api.create(kind.path, objectOf("two", { host: "host1", port: "8080" }));
    await api.create(kind.path, objectOf("three", { host: "host2", port: "80" }));
    await api.create(second, objectOf("four", { hostPort: "host2:80" }, "v2"));
    const named = async (path: string, selector: string) => {
      const list = await api.get(`${path}?fieldSelector=${encodeURIComponent(selector)}`);
      return list.items.map(({ metadata: { name } }) => name);
    };
    expect(await named(kind.path, "host=host1")).toEqual(["one", "two"]);
    expect(await named(kind.path, "host=host1,port=80")).toEqual(["one"]);
    expect(await named(kind.path, "host!=host1")).toEqual(["four", "three"]);
    expect(await named(second, "hostPort=host2:80")).toEqual(["four"]);
    const refused = await api.send(`${second}?fieldSelector=host%3Dhost1`);
    expect([refused.status, refused.body["message"]]).toEqual([400, "field label not supported: host"]);
    await api.delete(`${kind.path}?fieldSelector=host%3Dhost1%2Cport%3D80`);
    const seen = await Promise.all(followed);
    expect(seen.map((events) => events.map(({ type, object }) => `${type} ${object.metadata.name}`))).toEqual(
      [["ADDED one", "ADDED two", "DELETED one"], ["ADDED four"]],
    );
    expect(await named(kind.path, "host=host1")).toEqual(["two"]);
  });

  const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

  const discovered = async (group: string) => {
    const { body } = await api.send("/apis", { headers: { accept: aggregated } });
    return body.items.find(({ metadata }) => metadata.name === group)?.["versions"];
  };

  test("[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface for CRDs [Conformance]", async () => {
    const { group, kind } = await define("found", [
      versionOf({ type: "object" }),
      versionOf(
        { type: "object" },
        {
          name: "v2",
          storage: false,
          subresources: {
            status: {},
            scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
          },
        },
      ),
    ]);
    const responseKind = { group, kind };
    expect(await discovered(group)).toMatchObject([
      {
        version: "v2",
        freshness: "Current",
        resources: [
          {
            resource: "founds",
            singularResource: "found",
            scope: "Namespaced",
            responseKind: { ...responseKind, version: "v2" },
            subresources: [
              { subresource: "status", responseKind: { ...responseKind, version: "v2" } },
              { subresource: "scale", responseKind: { group: "autoscaling", version: "v1", kind: "Scale" } },
            ],
          },
        ],
      },
      {
        version: "v1",
        resources: [{ resource: "founds", responseKind: { ...responseKind, version: "v1" } }],
      },
    ]);
  });

  test("[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery request for CRDs [Conformance]", async () => {
    const { group } = await define("raw", [versionOf({ type: "object" })]);
    const versions = (await discovered(group)) as readonly { readonly resources: readonly Body[] }[];
    expect(versions[0]?.resources[0]?.["verbs"]).toEqual([
      "delete",
      "deletecollection",
      "get",
      "list",
      "patch",
      "create",
      "update",
      "watch",
    ]);
    await api.delete(`${definitions}/raws.${group}`);
    await api.until(definitions, ({ items }) =>
      items.every(({ metadata }) => metadata.name !== `raws.${group}`),
    );
    expect(await discovered(group)).toBeUndefined();
  });
});
