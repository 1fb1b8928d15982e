import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { request } from "node:https";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../base/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import { Node } from "../../api/types/core-v1.ts";
import { generateServiceAccountKey } from "../authentication/index.ts";
import { createControlPlane } from "../../control-plane/index.ts";
import { createCertificateAuthority, issueCertificate } from "../../pki/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { serveApi } from "../http/index.ts";
import { connectHandlers } from "./index.ts";
import { containerOf } from "./pod-container.ts";
import { splitName } from "./proxy-target.ts";

const podWith = (containers: readonly string[], initContainers: readonly string[] = []) => {
  const named = (names: readonly string[]) => names.map((name) => ({ name, resources: {} }));
  return {
    metadata: { name: "p" },
    spec: { containers: named(containers), initContainers: named(initContainers) },
    status: {},
  } as unknown as Pod;
};

test.each([
  { pod: podWith(["a"]), name: "", container: "a" },
  { pod: podWith(["a"], ["i"]), name: "i", container: "i" },
  {
    pod: podWith(["a", "b"]),
    name: "",
    error: "a container name must be specified for pod p, choose one of: [a b]",
  },
  {
    pod: podWith(["a", "b"], ["i"]),
    name: "",
    error:
      "a container name must be specified for pod p, choose one of: [a b] or one of the init containers: [i]",
  },
  { pod: podWith(["a"]), name: "c", error: "container c is not valid for pod p" },
])("the container '$name' of $pod.spec.containers", ({ pod, name, container, error }) => {
  if (error === undefined) expect(containerOf(pod, name)).toBe(container);
  else expect(() => containerOf(pod, name)).toThrow(error);
});

test.each([
  { id: "a", split: { scheme: "", name: "a", port: "" } },
  { id: "a:80", split: { scheme: "", name: "a", port: "80" } },
  { id: "https:a:web", split: { scheme: "https", name: "a", port: "web" } },
  { id: "https:a:", split: { scheme: "https", name: "a", port: "" } },
  { id: "ftp:a:1", split: undefined },
  { id: "a:", split: undefined },
  { id: "a:b:c:d", split: undefined },
])("the name $id", ({ id, split }) => {
  expect(splitName(id)).toEqual(split);
});

interface Answer {
  readonly code: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly bytes: Buffer;
}

let ask: (path: string, options?: { method?: string; body?: string }) => Promise<Answer>;
let upgrade: (path: string) => Promise<Socket>;
let backendPort = 0;
let stop: () => Promise<void> = () => Promise.resolve();

/** An API server with HTTPS, a node, and a server on that node to proxy to. */
beforeAll(async () => {
  const backend = createServer((incoming, response) => {
    if (incoming.url === "/page") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-encoding": "gzip" });
      return response.end(gzipSync('<a href="/there">'));
    }
    if (incoming.url === "/moved") return response.writeHead(302, { location: "/there?x=1" }).end();
    response.setHeader("x-method", String(incoming.method));
    response.setHeader("x-seen", JSON.stringify({ url: incoming.url, headers: incoming.headers }));
    response.writeHead(incoming.method === "POST" ? 201 : 200);
    incoming.pipe(response);
  });
  backend.on("upgrade", (incoming, socket: Socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${incoming.headers.upgrade}\r\n\r\n`,
    );
    socket.write(`${incoming.method} ${incoming.url}\n`);
    socket.pipe(socket);
  });
  backend.listen(0, "127.0.0.1");
  await once(backend, "listening");
  backendPort = (backend.address() as AddressInfo).port;
  const now = Date.now();
  const ca = await createCertificateAuthority({ commonName: "kubernetes", now });
  const serving = await issueCertificate({
    ca,
    commonName: "kube-apiserver",
    usages: ["server"],
    ipAddresses: ["127.0.0.1"],
    now,
  });
  const admin = await issueCertificate({
    ca,
    commonName: "admin",
    organizations: ["system:masters"],
    usages: ["client"],
    now,
  });
  const store = createMemoryStore({ clock: systemClock });
  const plane = await createControlPlane({
    store,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    serviceAccountKey: await generateServiceAccountKey(),
    issuer: "https://kubernetes.default.svc",
    rootCertificateAuthority: ca.certificate,
    serviceCIDR: "10.96.0.0/16",
  });
  const { reader } = plane.server;
  const api = await serveApi(plane.server, {
    host: "127.0.0.1",
    port: 0,
    tls: { ...serving, clientAuthority: ca.certificate },
    authenticator: plane.authenticator,
    connect: connectHandlers({
      reader,
      random: systemRandom,
      kubeletClientTls: { ...admin, caCertificate: ca.certificate },
    }),
  });
  const client = plane.clientFor({ name: "admin", groups: ["system:masters", "system:authenticated"] });
  await client.create(Node, { metadata: { name: "n" }, spec: {}, status: {} });
  await client.patch(
    Node,
    { name: "n" },
    { type: "merge", body: { status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }] } } },
    { subresource: "status" },
  );
  ask = async (path, { method = "GET", body = "" } = {}) => {
    const asking = request({
      host: "127.0.0.1",
      port: api.address.port,
      path,
      method,
      agent: false,
      ca: ca.certificate,
      cert: admin.certificate,
      key: admin.key,
      headers: { "x-remote-user": "someone", "x-kept": "yes" },
    });
    asking.end(body);
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    return { code: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString() };
  };
  upgrade = async (path) => {
    const asking = request({
      host: "127.0.0.1",
      port: api.address.port,
      path,
      agent: false,
      ca: ca.certificate,
      cert: admin.certificate,
      key: admin.key,
      headers: { connection: "Upgrade", upgrade: "echo" },
    });
    asking.end();
    const [, socket, head] = (await once(asking, "upgrade")) as [IncomingMessage, Socket, Buffer];
    if (head.length > 0) socket.unshift(head);
    return socket;
  };
  stop = async () => {
    await api.close();
    await plane.close();
    await store.close();
    backend.close();
  };
});
afterAll(() => stop());

const proxied = (rest: string) => `/api/v1/nodes/n:${backendPort}/proxy${rest}`;

test("a proxy passes method, path, query, body and headers, but not who asks", async () => {
  const body = "x".repeat(4_000_000);
  const answer = await ask(proxied("/a%2Fb/?q=1&q=2"), { method: "POST", body });
  expect(answer.code).toBe(201);
  expect(answer.text === body).toBe(true);
  const seen = JSON.parse(String(answer.headers["x-seen"])) as {
    url: string;
    headers: Record<string, string>;
  };
  expect(seen.url).toBe("/a%2Fb/?q=1&q=2");
  expect(seen.headers).toMatchObject({
    "x-kept": "yes",
    host: `127.0.0.1:${backendPort}`,
    "x-forwarded-for": "127.0.0.1",
  });
  expect(seen.headers["x-remote-user"]).toBeUndefined();
});

test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])("a proxy passes %s", async (method) => {
  const answer = await ask(proxied("/a"), { method, body: ["PUT", "PATCH"].includes(method) ? "b" : "" });
  expect([answer.code, answer.headers["x-method"]]).toEqual([200, method]);
});

test("a proxy passes upgraded connections", async () => {
  const socket = await upgrade(proxied("/echo?a=b"));
  const wanted = "GET /echo?a=b\nhello";
  let text = "";
  socket.write("hello");
  while (text.length < wanted.length) {
    const [part] = (await once(socket, "data")) as [Buffer];
    text += String(part);
  }
  socket.destroy();
  expect(text).toBe(wanted);
});

test("links of a proxied page lead back through the proxy", async () => {
  const page = await ask(proxied("/page"));
  expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(gunzipSync(page.bytes).toString()).toBe(`<a href="${proxied("/there")}">`);
});

test("a proxy without a path leads to one, and redirections stay inside", async () => {
  const bare = await ask(proxied("?a=1"));
  expect([bare.code, bare.headers.location]).toEqual([301, proxied("/?a=1")]);
  const moved = await ask(proxied("/moved"));
  expect(moved.code).toBe(302);
  expect(moved.headers.location).toBe(proxied("/there?x=1"));
});

test.each([
  {
    path: "/api/v1/nodes/n:1/proxy/",
    code: 503,
    message: /^error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused$/,
  },
  { path: "/api/v1/nodes/none/proxy/", code: 404, message: /^nodes "none" not found$/ },
  { path: "/api/v1/namespaces/default/pods/p/log", code: 404, message: /^pods "p" not found$/ },
  { path: "/api/v1/namespaces/default/pods/p/exec?command=x", code: 404, message: /^pods "p" not found$/ },
  {
    path: "/api/v1/namespaces/default/pods/a:b:c/proxy/",
    code: 400,
    message: /^invalid pod request "a:b:c"$/,
  },
  { path: "/api/v1/namespaces/default/services/s/proxy/", code: 404, message: /^services "s" not found$/ },
])("$path answers $code", async ({ path, code, message }) => {
  const answer = await ask(path);
  expect(answer.code).toBe(code);
  expect((JSON.parse(answer.text) as { message: string }).message).toMatch(message);
});
