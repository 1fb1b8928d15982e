import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { ServerHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { afterEach, expect, it } from "vitest";
import { ApiError } from "../../apimachinery/index.ts";
import { ConfigMap } from "../../api/types/core-v1.ts";
import { Deployment } from "../../api/types/apps-v1.ts";
import { readLines } from "./body.ts";
import { createHttpClient } from "./http-client.ts";
import type { HttpClient } from "./http-client.ts";
import { loadKubeconfig } from "./kubeconfig.ts";

type Handler = (
  stream: ServerHttp2Stream,
  request: { path: string; headers: IncomingHttpHeaders; body: string },
) => void;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(handle: Handler): Promise<{ client: HttpClient; dropSessions: () => void }> {
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => void sessions.add(session));
  server.on("stream", (stream, headers) => {
    let body = "";
    stream.on("error", () => undefined);
    stream.on("data", (chunk: Buffer) => (body += chunk.toString()));
    stream.on("end", () => handle(stream, { path: headers[":path"] ?? "", headers, body }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = createHttpClient({
    server: `http://127.0.0.1:${port}`,
    token: "secret",
    userAgent: "test/1",
  });
  const dropSessions = () => sessions.forEach((session) => session.destroy());
  cleanups.push(async () => {
    client.close();
    dropSessions();
    await new Promise((resolve) => server.close(resolve));
  });
  return { client, dropSessions };
}

function answer(stream: ServerHttp2Stream, body: object, status = 200): void {
  stream.respond({ ":status": status, "content-type": "application/json" });
  stream.end(JSON.stringify(body));
}

it("writes with upstream's paths, queries, bodies and headers", async () => {
  const seen: string[] = [];
  const { client } = await serve((stream, { path, headers, body }) => {
    seen.push(`${headers[":method"]} ${path} ${headers["content-type"] ?? ""} ${body}`);
    if (seen.length === 1) seen.push(`${headers.authorization} ${headers["user-agent"]} ${headers.accept}`);
    answer(stream, { metadata: { name: "web", namespace: "ns" } });
  });
  const key = { namespace: "ns", name: "web" };
  await client.get(Deployment, key);
  await client.list(Deployment, { labelSelector: "a in (b,c)", limit: 5 });
  await client.patch(Deployment, key, { type: "apply", body: {}, force: true }, { fieldManager: "me" });
  await client.update(ConfigMap, { metadata: key } as unknown as ConfigMap, { dryRun: true });
  await client.delete(ConfigMap, key, { propagationPolicy: "Orphan" });
  expect(seen).toEqual([
    "GET /apis/apps/v1/namespaces/ns/deployments/web  ",
    "Bearer secret test/1 application/json",
    "GET /apis/apps/v1/deployments?labelSelector=a+in+%28b%2Cc%29&limit=5  ",
    "PATCH /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=me&force=true application/apply-patch+yaml {}",
    'PUT /api/v1/namespaces/ns/configmaps/web?dryRun=All application/json {"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"ns","name":"web"}}',
    'DELETE /api/v1/namespaces/ns/configmaps/web application/json {"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Orphan"}',
  ]);
});

it("turns a Status into an ApiError, and reconnects after a lost session", async () => {
  const missing = ApiError.notFound({ group: "", resource: "configmaps" }, "x");
  const { client, dropSessions } = await serve((stream) => answer(stream, missing.status, 404));
  const attempt = () => client.get(ConfigMap, { namespace: "ns", name: "x" });
  await expect(attempt()).rejects.toMatchObject({ reason: "NotFound", message: 'configmaps "x" not found' });
  dropSessions();
  await new Promise((resolve) => setImmediate(resolve));
  await attempt().catch(() => undefined);
  await expect(attempt()).rejects.toMatchObject({ reason: "NotFound" });
});

it("follows a watch until it ends, and throws the error that it brings", async () => {
  const { client } = await serve((stream) => {
    stream.respond({ ":status": 200 });
    const object = { metadata: { name: "a", resourceVersion: "3" } };
    stream.write(`${JSON.stringify({ type: "ADDED", object })}\n{"type":"BOOK`);
    stream.write(`MARK","object":{"metadata":{"resourceVersion":"9"}}}\n`);
    stream.end(`${JSON.stringify({ type: "ERROR", object: ApiError.expired("too old").status })}\n`);
  });
  const seen: string[] = [];
  const follow = async () => {
    const { signal } = new AbortController();
    for await (const batch of client.watch(ConfigMap, { resourceVersion: "1", signal })) {
      for (const event of batch) seen.push(`${event.type} ${event.object.metadata.resourceVersion}`);
    }
  };
  await expect(follow()).rejects.toMatchObject({ reason: "Expired" });
  expect(seen).toEqual(["ADDED 3", "BOOKMARK 9"]);
});

it("refuses a watch line without end", async () => {
  async function* endless() {
    for (;;) yield new Uint8Array(1000);
  }
  const read = async () => {
    for await (const lines of readLines(endless(), 5000)) expect(lines).toEqual([]);
  };
  await expect(read()).rejects.toMatchObject({ reason: "RequestEntityTooLarge" });
});

it("reads a kubeconfig", async () => {
  const data = Buffer.from("PEM").toString("base64");
  const text = `
clusters: [{name: c, cluster: {server: "https://h:6443", certificate-authority-data: ${data}}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: n}}]
current-context: x`;
  const loaded = await loadKubeconfig({ text });
  expect(loaded).toMatchObject({
    namespace: "n",
    options: { server: "https://h:6443", ca: "PEM", token: "t" },
  });
  await expect(loadKubeconfig({ text, context: "y" })).rejects.toThrow('context "y" does not exist');
});
