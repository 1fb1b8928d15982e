import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigMap } from "../../api/types/core-v1.ts";
import type { AuditEvent } from "./audit/event.ts";
import type { AuditSettings } from "./audit/open.ts";
import type { AuditRule } from "./audit/policy.ts";
import { openFront } from "./front-suite.ts";
import type { Front } from "./front-suite.ts";

let front: Front;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kubets-audit-"));
});
afterEach(async () => {
  await front.close();
  rmSync(directory, { recursive: true });
});

const configMaps = "/api/v1/namespaces/default/configmaps";
const path = () => join(directory, "audit.log");

async function open(
  rules: readonly AuditRule[],
  more: {
    readonly log?: Partial<NonNullable<AuditSettings["log"]>>;
    readonly webhook?: AuditSettings["webhook"];
  } = {},
): Promise<void> {
  const { log, webhook } = more;
  front = await openFront({
    audit: { policy: { rules }, log: { path: path(), ...log }, ...(webhook ? { webhook } : {}) },
    allows: ({ user, verb }) => user.name === "user" && verb !== "delete",
  });
}

/** What was recorded of the request with the ID. */
const recorded = (id: string): readonly AuditEvent[] =>
  readFileSync(path(), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ auditID }) => auditID === id);

const ask = (id: string, target: string, asked: Parameters<Front["ask"]>[1] = {}) =>
  front.ask(target, {
    as: "admin",
    ...asked,
    headers: { "audit-id": id, "user-agent": "test/1.0", ...asked.headers },
  });
const json = { "content-type": "application/json" };

describe("events", () => {
  test("all of a create: who, what, when, and what came of it", async () => {
    await open([{ level: "RequestResponse" }]);
    await ask("1", configMaps, {
      method: "POST",
      headers: json,
      body: '{"metadata":{"name":"a"},"data":{"k":"<&>"}}',
    });
    const [received, complete] = recorded("1");
    const common = {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "RequestResponse",
      auditID: "1",
      requestURI: configMaps,
      verb: "create",
      user: { username: "admin", groups: ["system:masters", "system:authenticated"] },
      sourceIPs: ["127.0.0.1"],
      userAgent: "test/1.0",
    };
    const requestReceivedTimestamp = expect.stringMatching(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
    ) as string;
    expect(received).toEqual({
      ...common,
      stage: "RequestReceived",
      objectRef: { resource: "configmaps", namespace: "default", apiVersion: "v1" },
      requestReceivedTimestamp,
      stageTimestamp: received?.requestReceivedTimestamp,
    });
    expect(complete).toEqual({
      ...common,
      stage: "ResponseComplete",
      objectRef: { resource: "configmaps", namespace: "default", name: "a", apiVersion: "v1" },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: {
        kind: "ConfigMap",
        apiVersion: "v1",
        metadata: { name: "a" },
        data: { k: "<&>" },
      },
      responseObject: expect.objectContaining({ kind: "ConfigMap", data: { k: "<&>" } }) as unknown,
      requestReceivedTimestamp,
      stageTimestamp: requestReceivedTimestamp,
      annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
    });
    // Lines are as Go writes them: what means something in HTML is escaped.
    expect(readFileSync(path(), "utf8")).toContain(String.raw`\u003c\u0026\u003e`);
  });

  test.each<[string, Parameters<Front["ask"]>[1], Partial<AuditEvent>]>([
    [
      `${configMaps}/none`,
      {},
      {
        responseStatus: {
          metadata: {},
          status: "Failure",
          reason: "NotFound",
          message: 'configmaps "none" not found',
          details: { name: "none", kind: "configmaps" },
          code: 404,
        },
      },
    ],
    [
      `${configMaps}/none`,
      { headers: { accept: "application/vnd.kubernetes.protobuf" } },
      { responseObject: expect.objectContaining({ kind: "Status", code: 404 }) },
    ],
    [
      `${configMaps}/a`,
      {
        method: "PATCH",
        headers: { "content-type": "application/merge-patch+json" },
        body: '{"data":{"k":"w"}}',
      },
      { verb: "patch", requestObject: { data: { k: "w" } } },
    ],
    [
      `${configMaps}/b?fieldManager=m`,
      {
        method: "PATCH",
        headers: { "content-type": "application/apply-patch+yaml" },
        body: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}",
      },
      { requestObject: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "b" } } },
    ],
    [
      `${configMaps}/a`,
      {
        method: "PUT",
        headers: { "content-type": "application/yaml" },
        body: "metadata: {name: a}\ndata: {k: x}",
      },
      { requestObject: { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "a" }, data: { k: "x" } } },
    ],
    [
      `${configMaps}/a`,
      {
        method: "DELETE",
        headers: { ...json, "content-length": "34" },
        body: '{"propagationPolicy":"Background"}',
      },
      {
        requestObject: { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background" },
        responseStatus: {
          metadata: {},
          status: "Success",
          details: expect.objectContaining({ name: "a" }) as never,
          code: 200,
        },
      },
    ],
    [
      configMaps,
      { headers: { "accept-encoding": "gzip" } },
      { verb: "list", responseObject: expect.objectContaining({ kind: "ConfigMapList" }) },
    ],
    ["/apis/apps/v1", {}, { responseObject: expect.objectContaining({ kind: "APIResourceList" }) }],
    ["/version", {}, { verb: "get", responseStatus: { metadata: {}, code: 200 } }],
    [`${configMaps}?x=<&y`, {}, { requestURI: `${configMaps}?x=<&y` }],
    [
      configMaps,
      { headers: { "x-forwarded-for": "1.2.3.4, x, 5.6.7.8", "x-real-ip": "9.9.9.9" } },
      { sourceIPs: ["1.2.3.4", "5.6.7.8", "9.9.9.9", "127.0.0.1"] },
    ],
    [
      configMaps,
      { headers: { "impersonate-user": "bob", "impersonate-group": "g" } },
      {
        user: { username: "admin", groups: ["system:masters", "system:authenticated"] },
        impersonatedUser: { username: "bob", groups: ["g", "system:authenticated"] },
        authenticationMetadata: { impersonationConstraint: "impersonate:user-info" },
        annotations: { "authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "" },
      },
    ],
  ])("%s with %j", async (target, asked, expected) => {
    await open([{ level: "RequestResponse" }]);
    await ask("0", configMaps, { method: "POST", headers: json, body: '{"metadata":{"name":"a"}}' });
    await ask("1", target, asked);
    const events = recorded("1");
    expect(events.map(({ stage }) => stage)).toEqual(["RequestReceived", "ResponseComplete"]);
    expect(events[1]).toMatchObject(expected);
  });

  test("long lists are read out of what is compressed", async () => {
    await open([{ level: "RequestResponse", omitManagedFields: true }]);
    const data = { k: "x".repeat(100_000) };
    for (const name of ["a", "b"]) {
      await ask("0", configMaps, {
        method: "POST",
        headers: json,
        body: JSON.stringify({ metadata: { name }, data }),
      });
    }
    await ask("1", configMaps, { headers: { "accept-encoding": "gzip" } });
    const list = recorded("1")[1]?.responseObject;
    const { items } = list as { items: { metadata: object; data: object }[] };
    expect(items.map((item) => item.data)).toEqual([data, data]);
    expect(items.some(({ metadata }) => "managedFields" in metadata)).toBe(false);
    expect(gzipSync(JSON.stringify(items)).length).toBeLessThan(10_000);
  });

  test("nobody knows who asks: one event", async () => {
    await open([{ level: "None", users: ["system:anonymous"] }, { level: "Metadata" }]);
    await ask("1", "/version", { as: "nobody" });
    expect(recorded("1")).toEqual([
      expect.objectContaining({
        stage: "ResponseStarted",
        user: {},
        responseStatus: {
          metadata: {},
          status: "Failure",
          message: "Unauthorized",
          reason: "Unauthorized",
          code: 401,
        },
      }),
    ]);
  });

  test("a watch: when it begins, and when it ends", async () => {
    await open([{ level: "RequestResponse" }]);
    const session = front.session();
    const watch = session.request({
      ":path": `${configMaps}?watch=1`,
      authorization: "Bearer admin",
      "audit-id": "1",
    });
    await once(watch, "response");
    expect(recorded("1").map(({ stage }) => stage)).toEqual(["RequestReceived", "ResponseStarted"]);
    watch.resume();
    const ended = once(watch, "end");
    await front.clock.advance(3_600_000);
    await ended;
    expect(recorded("1")[2]).toMatchObject({
      stage: "ResponseComplete",
      responseStatus: { metadata: {}, code: 200 },
    });
    session.destroy();
  });

  test("a panic", async () => {
    await open([{ level: "Metadata" }]);
    await ask("1", "/broken");
    expect(recorded("1")[1]).toMatchObject({
      stage: "Panic",
      responseStatus: {
        status: "Failure",
        message: "APIServer panic'd: the document is broken",
        reason: "InternalError",
        code: 500,
      },
    });
  });

  test("no more than the policy says: secrets by their names alone", async () => {
    await open([
      { level: "None", verbs: ["get"] },
      { level: "Metadata", resources: [{ resources: ["secrets"] }], omitStages: ["RequestReceived"] },
      { level: "Request" },
    ]);
    const secrets = "/api/v1/namespaces/default/secrets";
    await ask("1", secrets, {
      method: "POST",
      headers: json,
      body: '{"metadata":{"name":"s"},"stringData":{"k":"hush"}}',
    });
    await ask("2", `${secrets}/s`);
    await ask("3", configMaps, { method: "POST", headers: json, body: '{"metadata":{"name":"c"}}' });
    expect(recorded("1")).toHaveLength(1);
    expect(recorded("1")[0]).toMatchObject({ level: "Metadata", objectRef: { name: "s" } });
    expect(readFileSync(path(), "utf8")).not.toMatch(/hush|aHVzaA/);
    expect(recorded("2")).toEqual([]);
    const [, complete] = recorded("3");
    expect([complete?.requestObject, complete?.responseObject]).toEqual([
      expect.objectContaining({ kind: "ConfigMap" }),
      undefined,
    ]);
  });

  test("deprecated versions", async () => {
    await open([{ level: "Metadata" }]);
    await ask("1", "/api/v1/namespaces/default/endpoints");
    expect(recorded("1")[1]?.annotations).toMatchObject({ "k8s.io/deprecated": "true" });
  });
});

describe("clients in the process of the server", () => {
  /** What was recorded, but for times and IDs. */
  const all = () =>
    readFileSync(path(), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as AuditEvent);

  test("are recorded as if they had come over HTTP", async () => {
    await open([{ level: "RequestResponse", omitStages: ["RequestReceived"], omitManagedFields: true }]);
    const client = front.server.client({ name: "system:kube-scheduler", groups: ["system:masters"] });
    const metadata = { name: "a", namespace: "default" };
    await client.create(ConfigMap, { metadata, data: { k: "v" } }, { fieldManager: "m" });
    await client.patch(ConfigMap, metadata, { type: "merge", body: { data: { k: "w" } } });
    await expect(client.get(ConfigMap, { ...metadata, name: "none" })).rejects.toThrow("not found");
    await client.list(ConfigMap, { namespace: "default", labelSelector: "a=b" });
    await client.delete(ConfigMap, metadata, { propagationPolicy: "Background" });
    const events = all();
    expect(events.map(({ verb, requestURI }) => [verb, requestURI])).toEqual([
      ["create", `${configMaps}?fieldManager=m`],
      ["patch", `${configMaps}/a`],
      ["get", `${configMaps}/none`],
      ["list", `${configMaps}?labelSelector=a%3Db`],
      ["delete", `${configMaps}/a`],
    ]);
    const [create, patch, get, , remove] = events;
    expect(create).toMatchObject({
      user: { username: "system:kube-scheduler" },
      userAgent: "kubets",
      objectRef: { resource: "configmaps", namespace: "default", name: "a", apiVersion: "v1" },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: { kind: "ConfigMap", apiVersion: "v1", data: { k: "v" } },
      responseObject: { kind: "ConfigMap", data: { k: "v" } },
      annotations: { "authorization.k8s.io/decision": "allow" },
    });
    expect(patch?.requestObject).toEqual({ data: { k: "w" } });
    expect(get?.responseStatus).toMatchObject({ reason: "NotFound", code: 404 });
    expect(remove).toMatchObject({
      requestObject: { kind: "DeleteOptions", propagationPolicy: "Background" },
      responseStatus: { status: "Success", code: 200 },
    });
  });

  test("their watches too", async () => {
    await open([{ level: "Metadata" }]);
    const client = front.server.client({ name: "x", groups: ["system:masters"] });
    const stop = new AbortController();
    await client.create(ConfigMap, { metadata: { name: "a", namespace: "default" } });
    for await (const events of client.watch(ConfigMap, { signal: stop.signal })) {
      if (events.length > 0) stop.abort();
    }
    const stages = all().flatMap(({ verb, stage }) => (verb === "watch" ? [stage] : []));
    expect(stages).toEqual(["RequestReceived", "ResponseStarted", "ResponseComplete"]);
  });
});

describe("where events go", () => {
  test("a full file is put aside, old ones go", async () => {
    await open([{ level: "RequestResponse" }], { log: { maxSize: 1, maxBackups: 2 } });
    const data = { k: "x".repeat(700_000) };
    for (const name of ["a", "b", "c", "d", "e"]) {
      await front.clock.advance(1_000);
      await ask(name, configMaps, {
        method: "POST",
        headers: json,
        body: JSON.stringify({ metadata: { name }, data }),
      });
    }
    const names = readdirSync(directory).sort();
    expect(names).toHaveLength(3);
    expect(names.every((name) => /^audit(?:-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3})?\.log$/.test(name))).toBe(
      true,
    );
  });

  test("full files are compressed", async () => {
    await open([{ level: "RequestResponse" }], { log: { maxSize: 1, compress: true } });
    const data = { k: "x".repeat(700_000) };
    for (const name of ["a", "b"]) {
      await front.clock.advance(1_000);
      const body = JSON.stringify({ metadata: { name }, data });
      await ask(name, configMaps, { method: "POST", headers: json, body });
    }
    await front.api.close();
    const aside = readdirSync(directory).filter((name) => name !== "audit.log");
    expect(aside.length).toBeGreaterThan(0);
    expect(aside.every((name) => name.endsWith(".log.gz"))).toBe(true);
    const text = gunzipSync(readFileSync(join(directory, aside[0]!))).toString();
    expect(JSON.parse(text.split("\n")[0]!)).toMatchObject({ kind: "Event", auditID: "a" });
  });

  test("lines of the old form", async () => {
    await open([{ level: "Metadata" }], { log: { format: "legacy" } });
    await ask("1", "/version");
    const [, line] = readFileSync(path(), "utf8").split("\n");
    expect(line).toMatch(
      /^\S+Z AUDIT: id="1" stage="ResponseComplete" ip="127\.0\.0\.1" method="get" user="admin" groups=""system:masters","system:authenticated"" as="<self>" asgroups="<lookup>" user-agent="test\/1\.0" namespace="<none>" uri="\/version" response="200"$/,
    );
  });

  test("in batches, written a little later", async () => {
    await open([{ level: "Metadata" }], { log: { mode: "batch" } });
    await ask("1", "/version");
    expect(recorded("1")).toEqual([]);
    await front.clock.advance(100);
    expect(recorded("1")).toHaveLength(2);
  });

  test("where the file must be written, requests fail that cannot be recorded", async () => {
    await open([{ level: "Metadata" }], { log: { path: "/dev/full", mode: "blocking-strict" } });
    const refused = await ask("1", "/version");
    expect(refused.status).toBe(500);
    expect(refused.text).toBe('Internal Server Error: "/version": failed to store audit event\n');
    expect(front.api.metrics.text()).toContain("apiserver_audit_requests_rejected_total 1\n");
    expect(front.api.metrics.text()).toContain('apiserver_audit_error_total{plugin="log"} 1\n');
  });

  test("a webhook gets lists, again when it fails", async () => {
    const bodies: string[] = [];
    const statuses = [503, 200];
    await open([{ level: "Metadata" }], {
      webhook: {
        batchSize: 2,
        post: async (body) => {
          bodies.push(body);
          return statuses.shift() ?? 200;
        },
      },
    });
    await ask("1", "/version");
    expect(bodies).toHaveLength(1);
    await front.clock.advance(15_000);
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).toBe(bodies[0]);
    const list = JSON.parse(bodies[1] ?? "") as { kind: string; items: AuditEvent[] };
    expect([list.kind, ...list.items.map(({ stage }) => stage)]).toEqual([
      "EventList",
      "RequestReceived",
      "ResponseComplete",
    ]);
    await ask("2", "/version", { as: "nobody" });
    await front.clock.advance(30_000);
    expect(bodies).toHaveLength(3);
    expect(front.api.metrics.text()).toContain('apiserver_audit_level_total{level="Metadata"} 2\n');
  });
});
