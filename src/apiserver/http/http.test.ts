import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { request } from "node:https";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { schemas } from "../../api/index.ts";
import { decodeProtobuf, decodeWatchEvent } from "../../apimachinery/codec/index.ts";
import { createCertificateAuthority, issueCertificate } from "../../pki/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import type { ApiServer } from "../server/server.ts";
import { serveApi } from "./serve.ts";
import type { ServedApi } from "./serve.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Fixture {
  readonly server: ApiServer;
  readonly api: ServedApi;
  readonly session: ClientHttp2Session;
  readonly clock: VirtualClock;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

let fixture: Fixture;

beforeAll(async () => {
  const now = Date.now();
  const clock = new VirtualClock(now);
  const ca = await createCertificateAuthority({ commonName: "test", now });
  const [identity, admin] = await Promise.all([
    issueCertificate({ ca, commonName: "server", ipAddresses: ["127.0.0.1"], usages: ["server"], now }),
    issueCertificate({
      ca,
      commonName: "admin",
      organizations: ["masters", "people"],
      usages: ["client"],
      now,
    }),
  ]);
  const server = await createApiServer({
    store: createMemoryStore({ clock }),
    clock,
    random: seededRandom(1),
    authorizer: {
      authorize: ({ user }) =>
        user.groups.includes("masters") ? { type: "allow", reason: "" } : { type: "noOpinion", reason: "" },
    },
    answers: { "authorization.k8s.io/selfsubjectaccessreviews": async ({ body }) => body },
  });
  const api = await serveApi(server, {
    host: "127.0.0.1",
    port: 0,
    tls: { ...identity, clientAuthority: ca.certificate },
    authenticator: {
      authenticate: async ({ certificate }) =>
        certificate && { name: certificate.commonName, groups: certificate.organizations },
    },
    connect: {
      "/pods/log": async ({ exchange, headers }) =>
        exchange.respond(200, { ...headers, "content-type": "text/plain" }, Buffer.from("a line\n")),
    },
  });
  const tls = { ca: ca.certificate, cert: admin.certificate, key: admin.key };
  const session = connect(`https://127.0.0.1:${api.address.port}`, tls);
  fixture = { server, api, session, tls, clock };
});

afterAll(async () => {
  fixture.session.close();
  await fixture.api.close();
  await fixture.server.close();
});

function overHttp2(path: string, ask: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = fixture.session.request({ ":path": path, ":method": ask.method ?? "GET", ...ask.headers });
    const chunks: Buffer[] = [];
    let headers: Record<string, unknown> = {};
    stream.on("response", (received) => {
      headers = received;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () =>
      resolve({ status: Number(headers[":status"]), headers, body: Buffer.concat(chunks) }),
    );
    stream.on("error", reject);
    stream.end(ask.body);
  });
}

function overHttp1(path: string, ask: Ask & { readonly anonymous?: boolean } = {}): Promise<Answer> {
  const { ca, cert, key } = fixture.tls;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: fixture.api.address.port,
        path,
        method: ask.method ?? "GET",
        headers: ask.headers ?? {},
        ca,
        agent: false,
        ...(ask.anonymous ? {} : { cert, key }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(ask.body);
  });
}

/** A watch's body from its start until `enough`, or until the server ends it. */
function watched(path: string, ask: Ask & { readonly enough?: (body: Buffer) => boolean }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = fixture.session.request({ ":path": path, ...ask.headers });
    let body = Buffer.alloc(0);
    stream.on("data", (chunk: Buffer) => {
      body = Buffer.concat([body, chunk]);
      if (ask.enough?.(body)) stream.close();
    });
    stream.on("close", () => resolve(body));
    stream.on("error", reject);
  });
}

const protobufSubtype = "vnd.kubernetes.protobuf";
const protobuf = `application/${protobufSubtype}`;
const json = (answer: Answer) => JSON.parse(answer.body.toString()) as Record<string, never>;
const configMaps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const created = (namespace: string, name: string, ask: Ask = {}) =>
  overHttp2(configMaps(namespace), {
    method: "POST",
    body: JSON.stringify({ metadata: { name }, data: { a: "b" } }),
    ...ask,
  });

describe("both protocols", () => {
  for (const [name, ask] of [
    ["HTTP/2", overHttp2],
    ["HTTP/1.1", overHttp1],
  ] as const) {
    test(`${name}: create, get, list, delete`, async () => {
      const path = configMaps(name === "HTTP/2" ? "two" : "one");
      const made = await ask(path, { method: "POST", body: JSON.stringify({ metadata: { name: "x" } }) });
      expect(made.status).toBe(201);
      const got = await ask(`${path}/x`);
      expect(json(got)).toEqual(json(made));
      expect(got.headers["content-type"]).toBe("application/json");
      expect(got.headers["cache-control"]).toBe("no-cache, private");
      expect(got.headers["audit-id"]).toBeDefined();
      const { metadata, kind } = json(got);
      const { items, ...list } = json(await ask(path));
      expect(items).toEqual([{ metadata }]);
      expect(list).toMatchObject({ kind: `${String(kind)}List`, apiVersion: "v1" });
      const gone = json(await ask(`${path}/x`, { method: "DELETE" }));
      expect(gone).toMatchObject({ kind: "Status", status: "Success", details: { name: "x" } });
      expect(json(await ask(`${path}/x`))).toMatchObject({
        kind: "Status",
        reason: "NotFound",
        message: 'configmaps "x" not found',
      });
    });
  }
});

describe("refusals", () => {
  test("a client without certificate is anonymous and forbidden", async () => {
    const answer = await overHttp1("/api/v1/namespaces/default/pods", { anonymous: true });
    expect(answer.status).toBe(403);
    expect(json(answer)).toMatchObject({
      message:
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    });
  });

  const cases: readonly (readonly [string, string, Ask, number, string])[] = [
    ["unknown paths", "/nothing", {}, 404, "404 page not found"],
    ["unknown resources", "/api/v1/nothings", {}, 404, "the server could not find the requested resource"],
    ["verbs that the resource has not", "/api/v1/componentstatuses/x", { method: "DELETE" }, 405, "405"],
    [
      "types nobody speaks",
      "/api/v1/pods",
      { headers: { accept: "text/html" } },
      406,
      "406: Not Acceptable\\n\\nAvailable representations: application/json, application/yaml",
    ],
    [
      "tables of what is answered and never stored",
      "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      {
        method: "POST",
        headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
        body: '{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","spec":{}}',
      },
      406,
      "only the following media types",
    ],
    [
      "bodies in unknown formats",
      configMaps("default"),
      { method: "POST", headers: { "content-type": "text/plain" }, body: "x" },
      415,
      "the body of the request was in an unknown format",
    ],
    [
      "bodies that are no JSON",
      configMaps("default"),
      { method: "POST", body: "{" },
      400,
      "the object provided is unrecognized (must be of type ConfigMap)",
    ],
    [
      "bodies that are too large",
      configMaps("default"),
      { method: "POST", body: "x".repeat(3 * 1024 * 1024 + 1) },
      413,
      "limit is 3145728",
    ],
    [
      "unknown labels of fields",
      "/api/v1/pods?fieldSelector=a.b%3Dc",
      {},
      400,
      "field label not supported: a.b",
    ],
  ];
  for (const [name, path, ask, status, text] of cases) {
    test(name, async () => {
      const answer = await overHttp2(path, ask);
      expect(answer.status).toBe(status);
      expect(answer.body.toString()).toContain(text);
    });
  }
});

describe("forms", () => {
  test("a scale has a table of its own", async () => {
    const metadata = { name: "web" };
    const labels = { app: "web" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
    const spec = { replicas: 3, selector: { matchLabels: labels }, template };
    const path = "/apis/apps/v1/namespaces/default/deployments";
    await overHttp2(path, { method: "POST", body: JSON.stringify({ metadata, spec }) });
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const table = json(await overHttp2(`${path}/web/scale`, { headers }));
    expect(table["columnDefinitions"]).toMatchObject([
      { name: "Name" },
      { name: "Desired" },
      { name: "Available" },
      { name: "Age" },
    ]);
    expect(table["rows"]).toMatchObject([{ cells: ["web", 3, 0, "0s"] }]);
  });

  test("tables, metadata alone, YAML and protobuf", async () => {
    await created("forms", "x");
    const path = `${configMaps("forms")}/x`;
    const as = (accept: string) => overHttp2(path, { headers: { accept } });
    const table = json(await as("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"));
    expect(table).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
    expect(table["rows"]).toMatchObject([{ object: { kind: "PartialObjectMetadata" } }]);
    const partial = json(await as("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"));
    expect(partial).not.toHaveProperty("data");
    expect((await as("application/yaml")).body.toString()).toContain("data:\n  a: b\n");
    const binary = await as("application/vnd.kubernetes.protobuf");
    expect(binary.headers["content-type"]).toBe("application/vnd.kubernetes.protobuf");
    expect(decodeProtobuf(binary.body, schemas)).toMatchObject({ kind: "ConfigMap", data: { a: "b" } });
  });

  test("large bodies are compressed for those who accept it", async () => {
    const data = { a: "b".repeat(200_000) };
    await created("large", "x", { body: JSON.stringify({ metadata: { name: "x" }, data }) });
    const path = `${configMaps("large")}/x`;
    const answer = await overHttp2(path, { headers: { "accept-encoding": "gzip" } });
    expect(answer.headers["content-encoding"]).toBe("gzip");
    expect(answer.body.length).toBeLessThan(10_000);
  });

  test("a list of several pieces comes whole, over either protocol and compressed", async () => {
    const data = { a: "b".repeat(100_000) };
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    for (const name of names) {
      await created("pieces", name, { body: JSON.stringify({ metadata: { name }, data }) });
    }
    const path = configMaps("pieces");
    const plain = await overHttp2(path);
    const items = (json(plain) as Record<string, unknown>)["items"] as readonly {
      metadata: { name: string };
      data: object;
    }[];
    expect(items.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(items.map((item) => item.data)).toEqual(names.map(() => data));
    expect((await overHttp1(path)).body.equals(plain.body)).toBe(true);
    const zipped = await overHttp2(path, { headers: { "accept-encoding": "gzip" } });
    expect(zipped.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
  });

  test("who deletes jobs without a word on their pods is warned", async () => {
    const ask = (query: string) =>
      overHttp2(`/apis/batch/v1/namespaces/warned/jobs${query}`, { method: "DELETE" });
    const warnings = await Promise.all(["/none", "", "/none?propagationPolicy=Orphan"].map(ask));
    const kept = "child pods are preserved by default when jobs are deleted";
    expect(warnings.map(({ headers }) => String(headers["warning"]).includes(kept))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("unknown fields are warned of, or refused when asked", async () => {
    const body = JSON.stringify({ metadata: { name: "warned" }, dat: {} });
    const warned = await created("fields", "warned", { body });
    expect(warned.headers["warning"]).toBe('299 - "unknown field \\"dat\\""');
    const strict = await overHttp2(`${configMaps("fields")}?fieldValidation=Strict`, {
      method: "POST",
      body,
    });
    expect(strict.status).toBe(400);
    expect(json(strict)["message"]).toContain('strict decoding error: unknown field "dat"');
  });
});

describe("watches", () => {
  test("JSON: what is there, then what changes", async () => {
    await created("watch", "x");
    const path = `${configMaps("watch")}?watch=true`;
    let more: Promise<Answer> | undefined;
    const body = await watched(path, {
      enough: (part) => {
        more ??= created("watch", "y");
        return part.toString().split("\n").length > 2;
      },
    });
    await more;
    const events = body.toString().trim().split("\n");
    const seen = events.map(
      (line) => JSON.parse(line) as { type: string; object: { metadata: { name: string } } },
    );
    expect(seen.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(["ADDED x", "ADDED y"]);
  });

  test("end after the time asked for", async () => {
    await created("timeout", "x");
    const path = `${configMaps("timeout")}?watch=true&timeoutSeconds=30`;
    let advanced: Promise<void> | undefined;
    const body = await watched(path, {
      enough() {
        advanced ??= fixture.clock.advance(30_000);
        return false;
      },
    });
    await advanced;
    expect(body.toString()).toContain('"ADDED"');
  });

  test("protobuf: frames with their length", async () => {
    await created("frames", "x");
    const headers = { accept: "application/vnd.kubernetes.protobuf" };
    const body = await watched(`${configMaps("frames")}?watch=true`, { headers, enough: () => true });
    expect(body.readUInt32BE(0)).toBe(body.length - 4);
    const { type, object } = decodeWatchEvent(body.subarray(4));
    expect(type).toBe("ADDED");
    expect(decodeProtobuf(object, schemas)).toMatchObject({ metadata: { name: "x" } });
  });
});

describe("documents", () => {
  test("version, health, discovery, metrics", async () => {
    expect(json(await overHttp2("/version"))).toMatchObject({ major: "1", minor: "36" });
    expect((await overHttp2("/readyz")).body.toString()).toBe("ok");
    expect((await overHttp2("/readyz?verbose")).body.toString()).toMatch(
      /^\[\+\]ping ok\n[^]*readyz check passed\n$/,
    );
    expect((await overHttp2("/livez/ping")).body.toString()).toBe("ok");
    expect(json(await overHttp2("/api/v1"))).toMatchObject({ kind: "APIResourceList", groupVersion: "v1" });
    expect((await overHttp2("/metrics")).body.toString()).toContain('apiserver_request_total{code="201"');
  });

  const groups = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const unrouted = "406: Not Acceptable\\n\\nAvailable representations: ";
  const forms: readonly (readonly [string, Ask, number, string, string])[] = [
    ["/api", {}, 200, "application/json", '{"kind":"APIVersions","versions":["v1"],'],
    ["/api/", { headers: { accept: "application/yaml" } }, 200, "application/yaml", "kind: APIVersions\n"],
    ["/api", { headers: { accept: "text/html" } }, 406, "application/json", `${unrouted}application/json, `],
    ["/api", { method: "POST" }, 405, "application/json", "does not allow this method"],
    ["/api", { headers: { "user-agent": "curl/8" } }, 200, "application/json", '{\n  "kind": "APIVersions"'],
    ["/apis", { method: "POST" }, 200, "application/json", '{"kind":"APIGroupList","apiVersion":"v1"'],
    [
      "/apis",
      { headers: { accept: "text/html" } },
      406,
      "application/json",
      "only the following media types",
    ],
    ["/apis", { headers: { accept: protobuf } }, 200, protobuf, "k8s\0\n\x12\n\x02v1\x12\fAPIGroupList"],
    ["/api/v1", { headers: { accept: protobuf } }, 200, protobuf, "k8s\0\n\x13\n\0\x12\x0fAPIResourceList"],
    ["/apis/apps", { headers: { accept: "application/yaml" } }, 200, "application/yaml", "name: apps\n"],
    [
      "/apis",
      { headers: { accept: `application/json, ${protobuf};${groups};q=0.1` } },
      200,
      `${protobuf};${groups}`,
      "k8s\0\n/\n\x16apidiscovery.k8s.io/v2\x12\x15APIGroupDiscoveryList",
    ],
    // The beta version is gone.
    [
      "/api",
      { headers: { accept: `application/json;${groups.replace("v2", "v2beta1")},application/json` } },
      200,
      "application/json",
      '{"kind":"APIVersions"',
    ],
    ["/version", { headers: { accept: "application/yaml" } }, 406, "application/yaml", "406: Not Acceptable"],
    ["/version", { method: "DELETE" }, 405, "application/json", "does not allow this method"],
    ["/", { method: "POST" }, 200, "application/json", '"/apis/apps/v1",'],
    ["/openapi/v2", { headers: { accept: "application/yaml" } }, 406, "undefined", ""],
  ];
  for (const [path, ask, status, contentType, text] of forms) {
    test(`${ask.method ?? "GET"} ${path} ${JSON.stringify(ask.headers ?? {})}`, async () => {
      const answer = await overHttp2(path, ask);
      expect(answer.status).toBe(status);
      expect(String(answer.headers["content-type"])).toBe(contentType);
      expect(answer.body.toString("latin1")).toContain(text);
    });
  }

  test("all groups in one document, which need not be sent twice", async () => {
    const accept = `application/json;${groups}`;
    const first = await overHttp2("/apis", { headers: { accept } });
    const { etag } = first.headers;
    expect(first.headers).toMatchObject({
      "content-type": accept,
      vary: "Accept",
      "cache-control": "public",
    });
    const headers = { accept, "if-none-match": String(etag) };
    const second = await overHttp2("/apis", { headers });
    expect(second.status).toBe(304);
    expect(second.body.length).toBe(0);
    const binary = await overHttp2("/apis", { headers: { accept: accept.replace("json", protobufSubtype) } });
    expect(binary.headers["etag"]).toBe(etag);
    expect(decodeProtobuf(binary.body, schemas)).toEqual(json(first));
    expect((await overHttp2("/apis")).headers).not.toHaveProperty("etag");
  });

  test("OpenAPI is sent compressed or not, and once", async () => {
    const plain = await overHttp2("/openapi/v3/apis/apps/v1");
    expect(plain.headers["vary"]).toBe("Accept");
    const zipped = await overHttp2("/openapi/v3/apis/apps/v1", { headers: { "accept-encoding": "gzip" } });
    expect(zipped.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept, Accept-Encoding" });
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
    const headers = { "if-none-match": `"other", ${String(plain.headers["etag"])}` };
    expect((await overHttp2("/openapi/v3/apis/apps/v1", { headers })).status).toBe(304);
  });

  test("connect handlers have the request", async () => {
    const answer = await overHttp1("/api/v1/namespaces/default/pods/x/log?follow=true");
    expect(answer.body.toString()).toBe("a line\n");
  });
});
