import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeCbor, decodeCborValue, decodeProtobuf, decodeWatchEvent } from "../../apimachinery/index.ts";
import { encodeCbor, encodeProtobuf } from "../../apimachinery/index.ts";
import { schemas } from "../../api/index.ts";
import { openFront } from "./front-suite.ts";
import type { Front } from "./front-suite.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders & { readonly warning?: string | undefined };
  readonly body: Buffer;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Ends a stream when it has sent enough. */
  readonly enough?: (body: Buffer) => boolean;
}

let front: Front;
let session: ClientHttp2Session;

beforeAll(async () => {
  front = await openFront({ cbor: true });
  session = front.session();
});

afterAll(async () => {
  session.close();
  await front.close();
});

function ask(path: string, { method = "GET", headers = {}, body, enough }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const authorization = "Bearer admin";
    const stream = session.request({ ":path": path, ":method": method, authorization, ...headers });
    let received = Buffer.alloc(0);
    let answer: IncomingHttpHeaders = {};
    stream.on("response", (head) => (answer = head));
    stream.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (enough?.(received)) stream.close();
    });
    stream.on("close", () => resolve({ status: Number(answer[":status"]), headers: answer, body: received }));
    stream.on("error", reject);
    stream.end(body);
  });
}

const json = ({ body }: Answer) => JSON.parse(body.toString()) as Record<string, unknown>;
const configMaps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const make = (namespace: string, name: string) =>
  ask(configMaps(namespace), {
    method: "POST",
    body: JSON.stringify({ metadata: { name }, data: { a: "b" } }),
  });
const typeOf = (kind: string) => schemas.typeOf({ group: "", version: "v1", kind })!;
const protobuf = "application/vnd.kubernetes.protobuf";
const meta = (as: string, version = "v1") => `as=${as};v=${version};g=meta.k8s.io`;

describe("CBOR, where it is served", () => {
  const cbor = { accept: "application/cbor", "content-type": "application/cbor" };
  const object = { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "c" }, data: { a: "b" } };

  test("objects, lists, tables, errors", async () => {
    const body = encodeCbor(object, typeOf("ConfigMap"));
    const made = await ask(configMaps("cbor"), { method: "POST", headers: cbor, body });
    expect(made.status).toBe(201);
    expect(made.headers["content-type"]).toBe("application/cbor");
    expect(decodeCbor(made.body, typeOf("ConfigMap")).object).toMatchObject({ data: { a: "b" } });
    const list = await ask(configMaps("cbor"), { headers: cbor });
    expect(decodeCborValue(list.body)).toMatchObject({
      kind: "ConfigMapList",
      items: [{ data: { a: "b" } }],
    });
    const accept = `application/cbor;${meta("Table")}`;
    const table = await ask(configMaps("cbor"), { headers: { accept } });
    expect(decodeCborValue(table.body)).toMatchObject({ kind: "Table", rows: [{ cells: ["c", 1, "0s"] }] });
    const missing = await ask(`${configMaps("cbor")}/none`, { headers: cbor });
    expect(missing.headers["content-type"]).toBe("application/cbor");
    expect(decodeCborValue(missing.body)).toMatchObject({ kind: "Status", reason: "NotFound" });
    const pod = encodeCbor({ kind: "Pod", apiVersion: "v1" }, typeOf("Pod"));
    const foreign = await ask(configMaps("cbor"), { method: "POST", headers: cbor, body: pod });
    expect(decodeCborValue(foreign.body)).toMatchObject({
      message: expect.stringContaining("converting (v1.Pod) to (core.ConfigMap)") as string,
    });
  });

  test("apply and watch", async () => {
    const apply = { ...object, metadata: { name: "applied" } };
    const applied = await ask(`${configMaps("cbor2")}/applied?fieldManager=me`, {
      method: "PATCH",
      headers: { ...cbor, "content-type": "application/apply-patch+cbor" },
      body: encodeCbor(apply, typeOf("ConfigMap")),
    });
    expect(applied.status).toBe(201);
    const headers = { accept: "application/cbor-seq, application/cbor;q=0.9" };
    const watched = await ask(`${configMaps("cbor2")}?watch=1`, { headers, enough: () => true });
    expect(watched.headers["content-type"]).toBe("application/cbor-seq");
    expect(decodeCborValue(watched.body)).toMatchObject({
      type: "ADDED",
      object: { metadata: { name: "applied" } },
    });
  });

  test("discovery", async () => {
    const all = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const answer = await ask("/apis", { headers: { accept: `application/cbor;${all}` } });
    expect(answer.headers["content-type"]).toBe(`application/cbor;${all}`);
    expect(decodeCborValue(answer.body)).toMatchObject({ kind: "APIGroupDiscoveryList" });
    expect(decodeCborValue((await ask("/api", { headers: cbor })).body)).toMatchObject({
      kind: "APIVersions",
      versions: ["v1"],
    });
  });
});

describe("protobuf", () => {
  const headers = { accept: protobuf, "content-type": protobuf };

  test("objects that do not say what they are, lists, metadata alone in both versions", async () => {
    const object = { metadata: { name: "p" }, data: { a: "b" } };
    const body = encodeProtobuf(object, typeOf("ConfigMap"));
    const made = await ask(configMaps("protobuf"), { method: "POST", headers, body });
    expect(decodeProtobuf(made.body, schemas)).toMatchObject({ kind: "ConfigMap", ...object });
    const list = await ask(configMaps("protobuf"), { headers });
    expect(decodeProtobuf(list.body, schemas)).toMatchObject({ kind: "ConfigMapList", items: [object] });
    for (const version of ["v1", "v1beta1"]) {
      const accept = `${protobuf};${meta("PartialObjectMetadataList", version)}`;
      const partial = await ask(configMaps("protobuf"), { headers: { accept } });
      expect(decodeProtobuf(partial.body, schemas)).toMatchObject({
        kind: "PartialObjectMetadataList",
        apiVersion: `meta.k8s.io/${version}`,
        items: [{ metadata: { name: "p" } }],
      });
    }
    const missing = await ask(`${configMaps("protobuf")}/none`, { headers });
    expect(decodeProtobuf(missing.body, schemas)).toMatchObject({ kind: "Status", code: 404 });
  });

  test("watches of metadata alone, with bookmarks and errors", async () => {
    await make("partial", "x");
    const accept = `${protobuf};${meta("PartialObjectMetadata")}`;
    const query = "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1";
    const frames = (body: Buffer) => {
      const found: Buffer[] = [];
      for (let at = 0; at + 4 <= body.length; at += 4 + body.readUInt32BE(at))
        found.push(body.subarray(at + 4, at + 4 + body.readUInt32BE(at)));
      return found.map((frame) => decodeWatchEvent(frame));
    };
    const { body, headers: answered } = await ask(`${configMaps("partial")}${query}`, {
      headers: { accept },
      enough: (part) => frames(part).length > 1,
    });
    expect(answered["content-type"]).toBe(`${protobuf};stream=watch`);
    const events = frames(body);
    expect(events.map(({ type }) => type)).toEqual(["ADDED", "BOOKMARK"]);
    for (const { object } of events)
      expect(decodeProtobuf(object, schemas)).toMatchObject({ kind: "PartialObjectMetadata" });
  });
});

describe("tables", () => {
  const accept = `application/json;${meta("Table")}`;

  test("watches name the columns once", async () => {
    await make("tables", "a");
    await make("tables", "b");
    const { body } = await ask(`${configMaps("tables")}?watch=1`, {
      headers: { accept },
      enough: (part) => part.toString().split("\n").length > 2,
    });
    const [first, second] = body
      .toString()
      .split("\n", 2)
      .map((line) => (JSON.parse(line) as { object: Record<string, unknown> }).object);
    expect(first?.["columnDefinitions"]).toMatchObject([{ name: "Name" }, { name: "Data" }, { name: "Age" }]);
    expect(second).toMatchObject({
      kind: "Table",
      columnDefinitions: null,
      rows: [{ cells: ["b", 1, "0s"] }],
    });
  });

  test("rows hold what is asked for of their objects", async () => {
    await make("rows", "a");
    const rows = async (query: string) =>
      json(await ask(`${configMaps("rows")}${query}`, { headers: { accept } }))["rows"];
    const partial = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
    expect(await rows("")).toMatchObject([{ object: partial }]);
    expect(await rows("?includeObject=Metadata")).toMatchObject([{ object: partial }]);
    expect(await rows("?includeObject=Object")).toMatchObject([{ object: { data: { a: "b" } } }]);
    expect(await rows("?includeObject=None")).toEqual([{ cells: ["a", 1, "0s"], object: null }]);
    const wrong = await ask(`${configMaps("rows")}?includeObject=All`, { headers: { accept } });
    expect(json(wrong)["message"]).toBe(
      `Unable to convert to Table as requested: includeObject: Invalid value: "All": must be 'Metadata', 'Object', 'None', or empty`,
    );
  });
});

describe("field validation", () => {
  const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yes-no}\ndata:\n  a: b\n  a: c\nfoo: 1\n";
  const duplicate = 'line 6: key "a" already set in map';
  const post = (validation: string) =>
    ask(`${configMaps("validated")}?dryRun=All&fieldValidation=${validation}`, {
      method: "POST",
      headers: { "content-type": "application/yaml" },
      body: yaml,
    });
  const apply = (validation: string) =>
    ask(`${configMaps("validated")}/yes-no?fieldManager=me&fieldValidation=${validation}`, {
      method: "PATCH",
      headers: { "content-type": "application/apply-patch+yaml" },
      body: yaml.replace("foo: 1\n", ""),
    });

  test("YAML: keys that come twice and unknown ones", async () => {
    expect((await post("Ignore")).headers).not.toHaveProperty("warning");
    const warned = await post("");
    expect(warned.status).toBe(201);
    expect(warned.headers.warning).toBe(
      String.raw`299 - "line 6: key \"a\" already set in map", 299 - "unknown field \"foo\""`,
    );
    const strict = await post("Strict");
    expect(strict.status).toBe(400);
    expect(json(strict)["message"]).toBe(
      `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  ${duplicate}, unknown field "foo"`,
    );
  });

  test("apply: keys that come twice", async () => {
    const strict = await apply("Strict");
    expect(strict.status).toBe(400);
    expect(json(strict)["message"]).toBe(
      `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicate}`,
    );
    const warned = await apply("Warn");
    expect(warned.status).toBe(201);
    expect(warned.headers.warning).toBe(String.raw`299 - "line 6: key \"a\" already set in map"`);
    expect((await apply("Ignore")).headers).not.toHaveProperty("warning");
  });

  test("other values are refused", async () => {
    const answer = await post("Loose");
    expect(answer.status).toBe(422);
    expect(json(answer)["message"]).toBe(
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loose": supported values: "", "Ignore", "Strict", "Warn"',
    );
  });
});

test("what is answered and never stored gives its metadata, but no table", async () => {
  front.release();
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const post = (form: string) =>
    ask(path, {
      method: "POST",
      headers: { accept: `application/json;${form}`, "content-type": "application/json" },
      body: '{"spec":{}}',
    });
  expect(json(await post(meta("PartialObjectMetadata")))).toMatchObject({ kind: "PartialObjectMetadata" });
  expect(json(await post(meta("Table")))["message"]).toBe(
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/cbor",
  );
  expect(json(await post(meta("PartialObjectMetadataList")))["message"]).toBe(
    "you requested PartialObjectMetadataList, but the requested object is not a list (*authorization.SelfSubjectAccessReview)",
  );
});

test("a watch of lists of metadata breaks off; objects end with a line", async () => {
  await make("odd", "x");
  const accept = `application/json;${meta("PartialObjectMetadataList")}`;
  const watched = await ask(`${configMaps("odd")}?watch=1`, { headers: { accept } });
  expect(watched.status).toBe(200);
  expect(watched.body.length).toBe(0);
  expect((await ask(`${configMaps("odd")}/x`)).body.toString()).toMatch(/[^\n]\n$/);
});

test("items of a list do not say what they are, in no encoding and version", async () => {
  await make("items", "x");
  const names = (item: unknown) => Object.keys(item as object);
  const list = json(await ask(`${configMaps("items")}?pretty=1`));
  expect(names((list["items"] as object[])[0])).toEqual(["metadata", "data"]);
  const yaml = await ask(configMaps("items"), { headers: { accept: "application/yaml" } });
  expect(yaml.body.toString()).toContain("items:\n- data:\n    a: b\n  metadata:\n");
  const autoscalers = "/apis/autoscaling/v1/namespaces/items/horizontalpodautoscalers";
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "x" };
  const made = await ask(autoscalers, {
    method: "POST",
    body: JSON.stringify({ metadata: { name: "x" }, spec: { maxReplicas: 1, scaleTargetRef } }),
  });
  expect(json(made)).toMatchObject({ kind: "HorizontalPodAutoscaler" });
  const others = json(await ask(autoscalers))["items"] as object[];
  expect(names(others[0])).toEqual(["metadata", "spec", "status"]);
});

test("a resource is not asked for with HEAD", async () => {
  expect((await ask(configMaps("head"), { method: "HEAD" })).status).toBe(405);
});
