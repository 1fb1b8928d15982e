import { once } from "node:events";
import { json } from "node:stream/consumers";
import { connect } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { APIService } from "../../api/types/apiregistration-v1.ts";
import { openAggregated, type Aggregated } from "./aggregation-suite.ts";

let at: Aggregated;
beforeEach(async () => {
  at = await openAggregated();
});
afterEach(() => at.close());

const flunders = "/apis/wardle.example.com/v1alpha1/namespaces/default/flunders";

async function ready(): Promise<void> {
  await at.publish();
  await at.register();
  await at.conditionOf("Passed");
}

test("a request reaches the extension server in the name of whoever asked, with the proxy's certificate", async () => {
  await ready();
  const answer = await at.front.ask(`${flunders}?pretty=true`, {
    as: "admin",
    method: "POST",
    body: '{"kind":"Flunder"}',
    headers: { "content-type": "application/json", "x-remote-group": "forged", te: "trailers" },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers["audit-id"]).toBeDefined();
  const echo = JSON.parse(answer.text) as { headers: Record<string, string>; groups: string[] };
  expect(echo).toMatchObject({
    method: "POST",
    url: `${flunders}?pretty=true`,
    body: '{"kind":"Flunder"}',
    authorized: true,
    groups: ["system:masters", "system:authenticated"],
    headers: { "x-remote-user": "admin", "audit-id": answer.headers["audit-id"] },
  });
  expect(echo.headers["authorization"]).toBeUndefined();
  expect(echo.headers["te"]).toBeUndefined();
});

test("over HTTP/2 a watch comes as it is written, and its end reaches the extension server", async () => {
  await ready();
  let gone: () => void = () => {};
  const left = new Promise<void>((resolve) => (gone = resolve));
  at.answer = (request, response) => {
    if (!request.url?.includes("watch")) return false;
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"type":"ADDED"}\n');
    response.on("close", gone);
    return true;
  };
  const session = at.front.session();
  const watch = session.request({ ":path": `${flunders}?watch=true`, authorization: "Bearer admin" });
  const [event] = (await once(watch, "data")) as [Buffer];
  expect(event.toString()).toBe('{"type":"ADDED"}\n');
  watch.close();
  await left;
  session.close();
});

test("a connection that leaves HTTP is joined with the extension server's", async () => {
  await ready();
  const { port } = at.front.api.address;
  const socket = connect({ port, host: "127.0.0.1", ca: at.front.ca.certificate });
  socket.write(
    `GET ${flunders}/a/proxy HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n`,
  );
  let text = "";
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.endsWith("user admin\n")) socket.write("hello\n");
    if (text.endsWith("hello\n")) break;
  }
  expect(text).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
});

test("users without rights are refused here", async () => {
  await ready();
  expect((await at.front.ask(flunders, { as: "user" })).status).toBe(403);
  expect(at.seen).not.toContain(`GET ${flunders}`);
});

test("without its service an API is unavailable, and says why", async () => {
  await at.register();
  expect(await at.conditionOf("ServiceNotFound")).toMatchObject({
    status: "False",
    message: 'service/api in "wardle" is not present',
  });
  const answer = await at.front.ask(flunders, { as: "admin" });
  expect([answer.status, answer.text]).toEqual([503, "service unavailable\n"]);
  expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
  await at.publish();
  expect(await at.conditionOf("Passed")).toMatchObject({ status: "True", message: "all checks passed" });
});

test("a server that stops answering is noticed within half a minute, and so is one that answers again", async () => {
  await ready();
  at.answer = (_, response) => {
    response.writeHead(500).end();
    return true;
  };
  await at.front.clock.advance(30_000);
  const url = `https://localhost:${at.extensionPort}/apis/wardle.example.com/v1alpha1`;
  expect(await at.conditionOf("FailedDiscoveryCheck")).toMatchObject({
    status: "False",
    message: `failing or missing response from ${url}: bad status from ${url}: 500`,
  });
  const metrics = await at.front.ask("/metrics", { as: "admin" });
  const name = 'name="v1alpha1.wardle.example.com"';
  expect(metrics.text).toContain(`aggregator_unavailable_apiservice{${name}} 1\n`);
  expect(metrics.text).toContain(
    `aggregator_unavailable_apiservice_total{${name},reason="FailedDiscoveryCheck"} 1\n`,
  );
  at.answer = () => false;
  await at.front.clock.advance(30_000);
  expect(await at.conditionOf("Passed")).toMatchObject({ status: "True" });
});

test("a certificate that nobody vouches for is no answer", async () => {
  await at.publish();
  await at.register({ caBundle: Buffer.from(at.front.ca.certificate).toString("base64") });
  // Whether it answers is asked without a look at its certificate.
  await at.conditionOf("Passed");
  const answer = await at.front.ask(flunders, { as: "admin" });
  expect(answer.status).toBe(503);
  expect(answer.text).toBe(
    "error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority\n",
  );
});

test("redirections are not passed on, and any certificate does where it is said so", async () => {
  await at.publish();
  await at.register({ insecureSkipTLSVerify: true });
  await at.conditionOf("Passed");
  at.answer = (_, response) => {
    response.writeHead(302, { location: "https://elsewhere" }).end();
    return true;
  };
  const answer = await at.front.ask(flunders, { as: "admin" });
  expect([answer.status, answer.text]).toEqual([
    502,
    "the backend attempted to redirect this request, which is not permitted\n",
  ]);
});

test("an API that is served here again is available at once", async () => {
  await at.register();
  await at.conditionOf("ServiceNotFound");
  const client = at.front.server.client({ name: "admin", groups: ["system:masters"] });
  const key = { name: "v1alpha1.wardle.example.com" };
  const body = { spec: { service: null, caBundle: null } };
  await client.patch(APIService, key, { type: "merge", body });
  expect(await at.conditionOf("Local")).toMatchObject({
    status: "True",
    message: "Local APIServices are always available",
  });
});

test("what others say of availability is set right at once, what they say else stays in its place", async () => {
  await ready();
  const client = at.front.server.client({ name: "admin", groups: ["system:masters"] });
  const key = { name: "v1alpha1.wardle.example.com" };
  const other = { type: "Other", status: "True", reason: "R", message: "m" };
  const conditions = [{ type: "Available", status: "False", reason: "Wrong", message: "w" }, other];
  const body = { status: { conditions } };
  await client.patch(APIService, key, { type: "merge", body }, { subresource: "status" });
  await at.conditionOf("Passed");
  const { status } = await client.get(APIService, key);
  expect(status.conditions).toMatchObject([{ type: "Available", status: "True" }, other]);
});

test("a kept connection that the server closes as it is used is no failure for whoever asks", async () => {
  await ready();
  const used = new Set<unknown>();
  at.answer = ({ socket, url }, response) => {
    if (url !== flunders) return false;
    if (used.has(socket)) socket.destroy();
    else response.writeHead(200).end("{}");
    used.add(socket);
    return true;
  };
  for (let turn = 0; turn < 4; turn += 1) {
    expect((await at.front.ask(flunders, { as: "admin" })).status).toBe(200);
  }
  expect(used.size).toBeGreaterThan(1);
});

test("within the process requests reach the extension server as those of users do", async () => {
  await ready();
  const ask = (name: string, request: { path: string; method?: string; body?: string }) => {
    const groups = name === "admin" ? ["system:masters"] : [];
    return at.aggregation.transportFor({ name, groups }).exchange({ method: "GET", headers: {}, ...request });
  };
  const { status, stream } = await ask("admin", { path: `${flunders}/a`, method: "PUT", body: "{}" });
  expect(status).toBe(200);
  expect(await json(stream)).toMatchObject({
    method: "PUT",
    url: `${flunders}/a`,
    body: "{}",
    headers: { "x-remote-user": "admin", "content-length": "2" },
  });
  await expect(ask("user", { path: flunders })).rejects.toMatchObject({ reason: "Forbidden" });
  await expect(ask("admin", { path: "/apis/others/v1/things" })).rejects.toMatchObject({ code: 404 });
  at.answer = (_, response) => {
    response.writeHead(500).end();
    return true;
  };
  await at.front.clock.advance(30_000);
  await at.conditionOf("FailedDiscoveryCheck");
  await expect(ask("admin", { path: `${flunders}/a` })).rejects.toThrow(
    "the server is currently unable to handle the request (get flunders.wardle.example.com a)",
  );
});

test.each([
  { ca: "garbage", why: "unable to parse bytes as PEM block" },
  {
    ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    why: "failed to parse certificate: x509: malformed certificate",
  },
  {
    ca: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    why: "no valid certificate authority data seen",
  },
])("an authority that cannot be read is told of: $why", async ({ ca, why }) => {
  await at.publish();
  await at.register({ caBundle: Buffer.from(ca).toString("base64") });
  await at.conditionOf("Passed");
  const answer = await at.front.ask(flunders, { as: "admin" });
  expect([answer.status, answer.text]).toEqual([500, `unable to load root certificates: ${why}\n`]);
});

test("warnings and answers to HEAD come as the extension server gives them", async () => {
  await ready();
  at.answer = (_, response) => {
    response.writeHead(200, { warning: '299 - "old"', "x-of-theirs": "1", "content-length": "7" });
    response.end();
    return true;
  };
  const answer = await at.front.ask(flunders, { as: "admin", method: "HEAD" });
  expect(answer.headers).toMatchObject({ warning: '299 - "old"', "x-of-theirs": "1" });
});
