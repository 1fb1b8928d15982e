import { connect, createServer, type IncomingHttpHeaders } from "node:http2";
import { createServer as createNetServer, type Socket } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { AuthorityMender } from "./authority.ts";

/** What a client of Node.js sends for requests with these authorities, which it does not check. */
async function sentFor(authorities: readonly string[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const server = createNetServer((socket: Socket) => {
    // An empty frame of settings: the client goes on.
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  session.on("error", () => {});
  for (const authority of authorities) {
    const stream = session.request({ ":authority": authority, ":path": "/a/b", "x-other": "a/b/c" });
    stream.on("error", () => {});
  }
  const marks = () => Buffer.concat(chunks).length;
  let before = -1;
  await expect
    .poll(() => [before, (before = marks())].every((length) => length > 60 && length === before))
    .toBe(true);
  session.destroy();
  server.close();
  return Buffer.concat(chunks);
}

/** The authorities and paths that a server of Node.js takes from the bytes. */
async function takenFrom(chunks: readonly Buffer[], count: number): Promise<string[]> {
  const taken: IncomingHttpHeaders[] = [];
  const server = createServer().listen(0, "127.0.0.1");
  server.on("stream", (stream, headers) => {
    taken.push(headers);
    stream.on("error", () => {});
  });
  server.on("session", (session) => session.on("error", () => {}));
  await once(server, "listening");
  const socket = new (await import("node:net")).Socket();
  socket.on("error", () => {}).resume();
  socket.connect((server.address() as { port: number }).port, "127.0.0.1");
  for (const chunk of chunks) socket.write(chunk);
  await expect.poll(() => taken.length).toBe(count);
  socket.destroy();
  server.close();
  return taken.map((headers) => `${headers[":authority"]} ${headers[":path"]} ${String(headers["x-other"])}`);
}

test("slashes of authorities become dots, wherever the bytes are cut; all else stays", async () => {
  const authorities = ["http://127.0.0.1:2379", "/var/run/x.sock", "plain:1", "http://127.0.0.1:2379", "/"];
  const sent = await sentFor(authorities);
  const expected = authorities.map((authority) => `${authority.replaceAll("/", ".")} /a/b a/b/c`);
  for (const size of [1, 7, 100, 10_000]) {
    const mender = new AuthorityMender();
    const mended: Buffer[] = [];
    for (let at = 0; at < sent.length; at += size) {
      mended.push(Buffer.from(mender.mend(Buffer.from(sent.subarray(at, at + size)))));
    }
    expect(Buffer.concat(mended).length).toBe(sent.length);
    expect(await takenFrom([Buffer.concat(mended)], authorities.length)).toEqual(expected);
  }
});
