import { once } from "node:events";
import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { proxyUpgrade, refuseUpgrade, wantsUpgrade } from "./upgrade-proxy.ts";

async function listening(onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void) {
  const server = createHttpServer();
  server.on("upgrade", onUpgrade);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

async function upgrade(port: number): Promise<{ response: IncomingMessage; socket?: Socket; head?: Buffer }> {
  const request = httpRequest({
    port,
    host: "127.0.0.1",
    path: "/outer?a=1",
    headers: {
      Connection: "Upgrade",
      Upgrade: "echo",
      Authorization: "Bearer secret",
      "X-Stream-Protocol-Version": "v4",
    },
  });
  request.end();
  return new Promise((resolve, reject) => {
    request.on("upgrade", (response, socket: Socket, head: Buffer) => resolve({ response, socket, head }));
    request.on("response", (response) => resolve({ response }));
    request.on("error", reject);
  });
}

test("passes the head, without credentials, and all bytes both ways", async () => {
  let seen: IncomingMessage | undefined;
  const backend = await listening((request, socket) => {
    seen = request;
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ");
    socket.pipe(socket);
  });
  const proxy = await listening((request, socket, head) => {
    const target = connect(backend.port, "127.0.0.1");
    void proxyUpgrade(
      { method: request.method ?? "GET", headers: request.headers, socket, head },
      { backend: target, host: "inner", path: "/inner?b=2" },
    );
  });
  const { socket, head } = await upgrade(proxy.port);
  socket?.end("world");
  let text = String(head);
  for await (const chunk of socket ?? []) text += String(chunk);
  expect(text).toBe("hello world");
  expect(seen?.url).toBe("/inner?b=2");
  expect(seen?.headers).toMatchObject({ host: "inner", upgrade: "echo", "x-stream-protocol-version": "v4" });
  expect(seen?.headers.authorization).toBeUndefined();
  proxy.server.close();
  backend.server.close();
});

test("a refusal reaches the client as an HTTP answer", async () => {
  const { server, port } = await listening((_request, socket) =>
    refuseUpgrade(socket, { code: 404, reason: "Not Found", body: "no such pod", contentType: "text/plain" }),
  );
  const { response } = await upgrade(port);
  let body = "";
  for await (const chunk of response) body += String(chunk);
  expect([response.statusCode, body]).toEqual([404, "no such pod"]);
  server.close();
});

test.each([
  { headers: { connection: "keep-alive, Upgrade", upgrade: "SPDY/3.1" }, wants: true },
  { headers: { connection: "keep-alive" }, wants: false },
  { headers: { upgrade: "h2c" }, wants: false },
])("$headers asks for an upgrade: $wants", ({ headers, wants }) => {
  expect(wantsUpgrade(headers)).toBe(wants);
});
