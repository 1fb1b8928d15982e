import { once } from "node:events";
import { connect } from "node:tls";
import { connect as connectTcp } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { schemas } from "../../api/index.ts";
import { decodeProtobuf, decodeWatchEvent } from "../../apimachinery/codec/index.ts";
import { openFront } from "./front-suite.ts";
import type { Front, FrontAsk } from "./front-suite.ts";

let front: Front;
afterEach(() => front.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const review: FrontAsk = {
  method: "POST",
  as: "admin",
  body: '{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","spec":{}}',
};
const message = (text: string) => (JSON.parse(text) as { message: string }).message;
const created = (name: string) =>
  front.ask(configMaps, { method: "POST", as: "admin", body: JSON.stringify({ metadata: { name } }) });

/** Makes an object of flow control; answers its UID. */
async function flowControl(resource: string, name: string, spec: object): Promise<string> {
  const path = `/apis/flowcontrol.apiserver.k8s.io/v1/${resource}`;
  const body = JSON.stringify({ metadata: { name }, spec });
  const { text } = await front.ask(path, { method: "POST", as: "admin", body });
  return (JSON.parse(text) as { metadata: { uid: string } }).metadata.uid;
}

/** Waits until the server works on this many requests. */
async function untilInFlight(count: number): Promise<void> {
  for (;;) {
    const counts = [...front.api.metrics.text().matchAll(/inflight_requests\{.*?\} (\d+)/g)];
    if (counts.reduce((sum, [, one]) => sum + Number(one), 0) >= count) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("requests in flight", () => {
  test("without priority and fairness too many are refused, but for the administrators'", async () => {
    const limits = { maxRequestsInflight: 1, maxMutatingRequestsInflight: 1 };
    front = await openFront({ ...limits, priorityAndFairness: false, allows: () => true });
    const first = front.ask("/slow", { as: "user" });
    await untilInFlight(1);
    const refused = await front.ask("/version", { as: "user" });
    expect(refused.status).toBe(429);
    expect(refused.text).toBe("Too many requests, please try again later.\n");
    expect(refused.headers).toMatchObject({
      "retry-after": "1",
      "content-type": "text/plain; charset=utf-8",
    });
    expect(refused.headers["x-kubernetes-pf-flowschema-uid"]).toBeUndefined();
    expect((await front.ask("/version", { as: "admin" })).status).toBe(200);
    // Writing is counted apart.
    expect((await front.ask(configMaps, { method: "POST", as: "user", body: "{}" })).status).toBe(422);
    expect(front.api.metrics.text()).toContain('apiserver_dropped_requests_total{request_kind="readOnly"} 1');
    front.release();
    expect((await first).text).toBe("slow");
    expect((await front.ask("/version", { as: "user" })).status).toBe(200);
  });
});

describe("deadlines", () => {
  test("a read that takes too long is answered for", async () => {
    front = await openFront();
    const slow = front.ask("/slow", { as: "admin" });
    await untilInFlight(1);
    await front.clock.advance(60_000);
    const late = await slow;
    expect(late.status).toBe(504);
    expect(late.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(JSON.parse(late.text)).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "Timeout: request did not complete within the allotted timeout",
      reason: "Timeout",
      details: {},
      code: 504,
    });
  });

  test("a write has 34 seconds, or what the client gives it", async () => {
    front = await openFront();
    for (const [target, patience] of [
      [reviews, 34_000],
      [`${reviews}?timeout=1m30s`, 34_000],
      [`${reviews}?timeout=5s`, 5_000],
    ] as const) {
      const slow = front.ask(target, review);
      await untilInFlight(1);
      await front.clock.advance(patience);
      const late = await slow;
      expect(late.status).toBe(504);
      expect(message(late.text)).toBe(
        "Timeout: request did not complete within requested timeout - context deadline exceeded",
      );
    }
  });

  test("a timeout that is none is refused", async () => {
    front = await openFront();
    const refused = await front.ask(`${configMaps}?timeout=abc`, { as: "admin" });
    expect(refused.status).toBe(400);
    expect(message(refused.text)).toBe(
      'invalid timeout specified in the request URL - time: invalid duration "abc"',
    );
    expect((await front.ask(`${configMaps}?timeout=1ns`, { as: "admin" })).status).toBe(504);
    expect((await front.ask(`${configMaps}?timeout=0s`, { as: "admin" })).status).toBe(200);
  });
});

describe("what is told of every answer", () => {
  test("an audit ID, the client's own when it gives one", async () => {
    front = await openFront();
    expect((await front.ask("/version", { as: "admin" })).headers["audit-id"]).toMatch(/^[\da-f-]{36}$/);
    const long = await front.ask("/version", { as: "admin", headers: { "audit-id": "x".repeat(100) } });
    expect(long.headers["audit-id"]).toBe("x".repeat(64));
  });

  test("the flow schema and the level, by their UIDs", async () => {
    front = await openFront();
    const level = await flowControl("prioritylevelconfigurations", "all", {
      type: "Limited",
      limited: { nominalConcurrencyShares: 1, limitResponse: { type: "Reject" } },
    });
    const schema = await flowControl("flowschemas", "reads", {
      priorityLevelConfiguration: { name: "all" },
      rules: [
        {
          subjects: [{ kind: "Group", group: { name: "system:authenticated" } }],
          resourceRules: [{ verbs: ["list"], apiGroups: [""], resources: ["*"], namespaces: ["*"] }],
        },
      ],
    });
    const refused = await front.ask(configMaps, { as: "user" });
    expect(refused.status).toBe(403);
    expect(refused.headers).toMatchObject({
      "x-kubernetes-pf-flowschema-uid": schema,
      "x-kubernetes-pf-prioritylevel-uid": level,
      "x-content-type-options": "nosniff",
    });
    const other = await front.ask(`${configMaps}/x`, { as: "user" });
    // Nobody has stored the schema for all others.
    expect(other.headers["x-kubernetes-pf-flowschema-uid"]).toBe("");
  });
});

describe("browsers", () => {
  test("pages of allowed origins may ask, after they have asked whether", async () => {
    front = await openFront({
      corsAllowedOrigins: [/^https:\/\/good\.example$/],
      strictTransportSecurityDirectives: ["max-age=31536000", "includeSubDomains"],
    });
    const origin = "https://good.example";
    const asked = await front.ask(configMaps, { method: "OPTIONS", headers: { origin } });
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "POST, GET, OPTIONS, PUT, DELETE, PATCH",
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "Date",
    });
    const bad = await front.ask(configMaps, { as: "admin", headers: { origin: "https://bad.example" } });
    expect(bad.headers["access-control-allow-origin"]).toBeUndefined();
    expect(bad.headers["strict-transport-security"]).toBe("max-age=31536000; includeSubDomains");
    const plain = await front.ask("/version", { as: "admin", headers: { origin } });
    expect(plain.headers["access-control-allow-origin"]).toBe(origin);
    expect(plain.headers["strict-transport-security"]).toBeUndefined();
  });
});

describe("faults", () => {
  test("a panic stays in its request", async () => {
    front = await openFront();
    const broken = await front.ask("/broken", { as: "admin" });
    expect(broken.status).toBe(500);
    expect(broken.text).toBe("This request caused apiserver to panic. Look in the logs for details.\n");
    expect((await front.ask("/version", { as: "admin" })).status).toBe(200);
  });

  test("large tokens are read, and what is no HTTP is refused", async () => {
    front = await openFront();
    const large = await front.ask("/version", {
      headers: { authorization: `Bearer ${"x".repeat(100_000)}` },
    });
    expect(large.status).toBe(401);
    const { port } = front.api.address;
    const socket = connect({ host: "127.0.0.1", port, ca: front.ca.certificate });
    socket.write("nonsense\r\n\r\n");
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, "close");
    expect(text).toBe(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request",
    );
  });

  test("HTTP without TLS is told so", async () => {
    front = await openFront();
    const socket = connectTcp(front.api.address.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, "close");
    expect(text).toBe("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
  });
});

describe("the end of the server", () => {
  test("it says that it is not ready, then finishes what it has begun and ends watches", async () => {
    front = await openFront({ shutdownDelay: 5_000 });
    await created("a");
    const session = front.session();
    const headers = { authorization: "Bearer admin" };
    const watch = session.request({ ":path": `${configMaps}?watch=1`, ...headers });
    const [chunk] = (await once(watch, "data")) as [Buffer];
    expect(chunk.toString()).toContain('"ADDED"');
    const overHttp1 = front.ask(`${configMaps}?watch=1`, { as: "admin" });
    const slow = front.ask("/slow", { as: "admin" });
    await untilInFlight(1);
    const goaway = once(session, "goaway");
    const ended = once(watch, "end");
    const closed = front.api.close();
    const leaving = await front.ask("/readyz", { as: "admin" });
    expect(leaving.status).toBe(500);
    expect(leaving.text).toContain("[-]shutdown failed: reason withheld\n");
    expect((await front.ask("/version", { as: "admin" })).status).toBe(200);
    await front.clock.advance(5_000);
    await goaway;
    await ended;
    expect(watch.rstCode).toBe(0);
    expect((await overHttp1).text).toContain('"ADDED"');
    front.release();
    expect((await slow).text).toBe("slow");
    await closed;
    await expect(front.ask("/version")).rejects.toThrow("ECONNREFUSED");
  });

  test("requests that still come are sent elsewhere", async () => {
    front = await openFront();
    const { port } = front.api.address;
    const socket = connect({ host: "127.0.0.1", port, ca: front.ca.certificate });
    await once(socket, "secureConnect");
    const slow = front.ask("/slow", { as: "admin" });
    await untilInFlight(1);
    // What has begun to be sent is no idle connection.
    socket.write("GET /version HTTP/1.1\r\n");
    // Whoever comes later finds that the server has seen it.
    await front.ask("/version", { as: "admin" });
    const closed = front.api.close();
    socket.write("Host: x\r\nAuthorization: Bearer admin\r\nConnection: close\r\n\r\n");
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, "close");
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(text.toLowerCase()).toContain("\r\nretry-after: 1\r\n");
    expect(text).toContain('"message":"apiserver is shutting down"');
    front.release();
    await slow;
    await closed;
  });
});

describe("watches over WebSocket", () => {
  const open = (target: string, options: { protocols?: string[]; headers?: Record<string, string> } = {}) =>
    new WebSocket(`wss://127.0.0.1:${front.api.address.port}${target}`, options.protocols ?? [], {
      ca: front.ca.certificate,
      origin: "http://x",
      headers: { authorization: "Bearer admin", ...options.headers },
    });

  test("each event is a message of text", async () => {
    front = await openFront();
    await created("a");
    const socket = open(`${configMaps}?watch=1`);
    const [first, isBinary] = (await once(socket, "message")) as [Buffer, boolean];
    expect(isBinary).toBe(false);
    expect(first.toString()).toMatch(/^\{"type":"ADDED","object":\{.*"name":"a".*\}\}\n$/);
    const next = once(socket, "message");
    await created("b");
    expect(String((await next)[0])).toContain('"name":"b"');
    const closed = once(socket, "close");
    const metrics = () => front.api.metrics.text();
    expect(metrics()).toMatch(
      /apiserver_longrunning_requests\{.*resource="configmaps".*verb="WATCH".*\} 1\n/,
    );
    await front.clock.advance(3_600_000);
    expect((await closed)[0]).toBe(1000);
    expect(metrics()).toContain(
      'apiserver_watch_events_total{group="",resource="configmaps",version="v1"} 2\n',
    );
  });

  test("protobuf comes as bytes, without a length; one subprotocol is taken as it is", async () => {
    front = await openFront();
    await created("a");
    const protocols = ["base64.binary.k8s.io"];
    const headers = { accept: "application/vnd.kubernetes.protobuf" };
    const socket = open(`${configMaps}?watch=1`, { protocols, headers });
    const [event, isBinary] = (await once(socket, "message")) as [Buffer, boolean];
    expect(isBinary).toBe(true);
    expect(socket.protocol).toBe("base64.binary.k8s.io");
    const { type, object } = decodeWatchEvent(event);
    expect(type).toBe("ADDED");
    expect(decodeProtobuf(object, schemas)).toMatchObject({ metadata: { name: "a" } });
    socket.terminate();
  });

  test.each([
    [{ origin: "null" }, 403, ""],
    [{ "sec-websocket-version": "8" }, 400, "missing or bad WebSocket Version"],
  ])("a handshake with %o is refused", async (changed, status, text) => {
    front = await openFront();
    const { port } = front.api.address;
    const socket = connect({ host: "127.0.0.1", port, ca: front.ca.certificate });
    const headers = {
      host: "x",
      authorization: "Bearer admin",
      connection: "keep-alive, Upgrade",
      upgrade: "websocket",
      origin: "http://x",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...changed,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    await once(socket, "close");
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.split("\r\n\r\n")[1]).toBe(text);
  });
});

test("metrics say what was asked for, and how it went", async () => {
  front = await openFront({ storageSize: () => 42 });
  await created("a");
  await front.ask(configMaps, { as: "admin" });
  await front.ask(`${configMaps}/none`, { as: "admin" });
  await front.ask("/readyz", { as: "admin" });
  const patch = { method: "PATCH", as: "admin", headers: { "content-type": "application/apply-patch+yaml" } };
  await front.ask(`${configMaps}/b?fieldManager=m`, {
    ...patch,
    body: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}",
  });
  const { text, headers } = await front.ask("/metrics", { as: "admin" });
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
  const place = (scope: string, verb: string) =>
    `group="",resource="configmaps",scope="${scope}",subresource="",verb="${verb}",version="v1"`;
  const requests = (code: number, at: string) =>
    `apiserver_request_total{code="${code}",component="apiserver",dry_run="",${at}} 1\n`;
  for (const line of [
    requests(201, place("resource", "POST")),
    requests(200, place("namespace", "LIST")),
    requests(404, place("resource", "GET")),
    requests(201, place("resource", "APPLY")),
    `apiserver_response_sizes_count{component="apiserver",${place("namespace", "LIST")}} 1\n`,
    'apiserver_resource_objects{group="",resource="configmaps"} 2\n',
    'authentication_attempts{result="success"} 6\n',
    'authorization_attempts_total{result="allowed"} 6\n',
    'authenticated_user_requests{username="admin"} 6\n',
    'kubernetes_feature_enabled{name="ConstrainedImpersonation",stage="BETA"} 1\n',
    'etcd_requests_total{group="",operation="create",resource="configmaps"} 2\n',
    'apiserver_cache_list_total{group="",index="",resource="configmaps"} 1\n',
    'apiserver_cache_list_returned_objects_total{group="",resource="configmaps"} 1\n',
    'apiserver_watch_cache_events_received_total{group="",resource="configmaps"} 2\n',
    'apiserver_storage_events_received_total{group="",resource="configmaps"} 2\n',
    'apiserver_watch_cache_initializations_total{group="",resource="configmaps"} 1\n',
    'apiserver_terminated_watchers_total{group="",resource="configmaps"} 0\n',
    'watch_cache_capacity{group="",resource="configmaps"} 8192\n',
    'apiserver_request_filter_duration_seconds_count{filter="authorization"} 6\n',
    'apiserver_storage_size_bytes{storage_cluster_id="etcd-0"} 42\n',
    "apiserver_audit_event_total 0\n",
    "hidden_metrics_total 0\n",
  ]) {
    expect(text).toContain(line);
  }
  const slis = await front.ask("/metrics/slis", { as: "admin" });
  expect(slis.text).toContain(
    'kubernetes_healthchecks_total{name="etcd",status="success",type="readyz"} 1\n',
  );
  expect((await front.ask("/metrics", { method: "DELETE", as: "admin" })).text).toBe("metrics reset\n");
});

test("HTTP/2 connections are now and then sent elsewhere, and lose no request", async () => {
  front = await openFront({ goawayChance: 1 });
  const session = front.session();
  const goaway = once(session, "goaway");
  const streams = Array.from({ length: 20 }, () =>
    session.request({ ":path": "/version", authorization: "Bearer admin" }),
  );
  const statuses = await Promise.all(
    streams.map(async (stream) => {
      const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
      stream.resume();
      return headers[":status"];
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  await goaway;
  session.close();
});
