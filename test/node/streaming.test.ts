import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, createWebSocketStream } from "ws";
import { SpdyConnection } from "../../src/streaming/spdy/index.ts";
import { reasonToSkip } from "./harness.ts";
import { startStreamingCluster } from "./streaming-cluster.ts";
import type { StreamingCluster } from "./streaming-cluster.ts";

const webServer =
  "mkdir /www; echo hello > /www/index.html; httpd -p 8080 -h /www; " +
  "echo started; echo oops >&2; while read line; do echo got $line; done; sleep 1000";

/** A client's end over a connection whose handshake is done: `ws` itself refuses subprotocols with a slash. */
function clientOver(socket: Socket, head: Buffer): WebSocket {
  const Made = WebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => WebSocket;
  const webSocket = new Made(null, undefined, {});
  const inside = webSocket as unknown as {
    setSocket(socket: Socket, head: Buffer, options: object): void;
  };
  Object.assign(webSocket, { _isServer: false });
  inside.setSocket(socket, head, { maxPayload: 1 << 20, allowSynchronousEvents: true });
  return webSocket;
}

describe.skipIf(reasonToSkip() !== undefined)("streams of real containers", () => {
  let cluster: StreamingCluster;
  beforeAll(async () => {
    cluster = await startStreamingCluster();
    await cluster.run("web", {
      main: webServer,
      side: "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line $i; done; sleep 1000",
      over: "true",
    });
    await cluster.run("done", { main: "echo bye; exit 3" });
  }, 60_000);
  afterAll(async () => cluster?.stop(), 60_000);

  test.each([
    { args: ["logs", "web", "-c", "side", "--tail=2"], stdout: /^line 4999\nline 5000\n$/ },
    { args: ["logs", "web", "-c", "side", "--limit-bytes=7"], stdout: /^line 1\n$/ },
    { args: ["logs", "web", "-c", "side", "--since=1h", "--tail=1"], stdout: /^line 5000\n$/ },
    {
      args: ["logs", "web", "-c", "main", "--timestamps", "--tail=1"],
      stdout: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) (started|oops)\n$/,
    },
    { args: ["logs", "done"], stdout: /^bye\n$/ },
    { args: ["logs", "-f", "done"], stdout: /^bye\n$/ },
    {
      args: ["get", "--raw", "/api/v1/namespaces/default/pods/web/log"],
      stderr: /a container name must be specified for pod web, choose one of: \[main side over\]/,
    },
    { args: ["logs", "web", "-c", "none"], stderr: /container none is not valid for pod web/ },
    {
      args: ["logs", "done", "--previous"],
      stderr: /\(BadRequest\): previous terminated container "main" in pod "done" not found/,
    },
    { args: ["exec", "web", "-c", "main", "--", "echo", "a b"], stdout: /^a b\n$/ },
    {
      args: ["exec", "web", "-c", "main", "--", "sh", "-c", "echo no >&2; exit 7"],
      stderr: /no\n.*exit code 7/s,
    },
    {
      args: ["exec", "web", "-c", "side", "-i", "--", "wc", "-c"],
      input: "x".repeat(300_000),
      stdout: /^300000\n$/,
    },
    {
      args: ["exec", "web", "-c", "over", "--", "true"],
      stderr: /^error: unable to upgrade connection: container not found \("over"\)\n$/,
    },
    { args: ["get", "--raw", "/api/v1/namespaces/default/pods/web:8080/proxy/"], stdout: /^hello\n$/ },
    {
      args: ["get", "--raw", "/api/v1/namespaces/default/pods/web:8081/proxy/"],
      stderr: /connection refused/,
    },
    { args: ["get", "--raw", "/api/v1/nodes/node-1/proxy/healthz"], stdout: /^ok$/ },
    { args: ["get", "--raw", "/api/v1/namespaces/default/services/none/proxy/"], stderr: /"none" not found/ },
  ])("kubectl $args", async ({ args, input, stdout, stderr }) => {
    const answer = await cluster.kubectl(args, input);
    if (stdout) expect(answer.stdout).toMatch(stdout);
    if (stderr) expect(answer.stderr).toMatch(stderr);
    expect(answer.code === 0).toBe(stderr === undefined);
  });

  test("kubectl attach and logs -f see what the container does", async () => {
    const following = cluster.spawnKubectl(["logs", "-f", "web", "-c", "main", "--tail=1"]);
    await once(following.stdout, "data");
    const attached = cluster.spawnKubectl(["attach", "-i", "web", "-c", "main"]);
    let log = "";
    following.stdout.on("data", (text: Buffer) => (log += String(text)));
    attached.stdin.write("ping\n");
    const [output] = (await once(attached.stdout, "data")) as [Buffer];
    expect(String(output)).toContain("got ping");
    while (!log.includes("got ping")) await once(following.stdout, "data");
    for (const child of [following, attached]) {
      child.kill();
      await once(child, "exit");
    }
  });

  test("kubectl cp copies there and back", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kubets-cp-"));
    const bytes = Buffer.alloc(3_000_000, "0123456789abcdef\0");
    await writeFile(join(folder, "there"), bytes);
    const there = await cluster.kubectl(["cp", join(folder, "there"), "web:/tmp/file", "-c", "main"]);
    expect(there).toMatchObject({ code: 0 });
    const back = await cluster.kubectl(["cp", "web:/tmp/file", join(folder, "back"), "-c", "main"]);
    expect(back).toMatchObject({ code: 0 });
    expect((await readFile(join(folder, "back"))).equals(bytes)).toBe(true);
    await rm(folder, { recursive: true });
  });

  test("kubectl port-forward carries several requests", async () => {
    const forward = cluster.spawnKubectl(["port-forward", "pod/web", ":8080"]);
    const [line] = (await once(forward.stdout, "data")) as [Buffer];
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(String(line))?.[1]);
    for (let count = 0; count < 3; count++) {
      const answer = await (await fetch(`http://127.0.0.1:${port}/`)).text();
      expect(answer).toBe("hello\n");
    }
    forward.kill();
    await once(forward, "exit");
  });

  const open = (path: string, protocol: string) =>
    new WebSocket(
      `wss://127.0.0.1:${cluster.port}/api/v1/namespaces/default/pods/web/${path}`,
      protocol === "" ? [] : [protocol],
      { ...cluster.administrator },
    );

  test.each([
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
    "",
  ])("exec over '%s'", async (protocol) => {
    const script = protocol.startsWith("v5") ? "cat; exit 4" : "read line; echo $line; exit 4";
    const query = new URLSearchParams({ container: "main", stdin: "true", stdout: "true", stderr: "true" });
    for (const word of ["sh", "-c", script]) query.append("command", word);
    const socket = open(`exec?${query.toString()}`, protocol);
    const seen: Record<string, string> = {};
    const base64 = protocol.includes("base64");
    socket.on("message", (data: Buffer) => {
      const channel = base64 ? String.fromCharCode(data[0] ?? 0) : String(data[0]);
      const rest = data.subarray(1);
      seen[channel] =
        (seen[channel] ?? "") + (base64 ? String(Buffer.from(String(rest), "base64")) : String(rest));
    });
    await once(socket, "open");
    socket.send(base64 ? `0${Buffer.from("hi\n").toString("base64")}` : Buffer.from("\0hi\n"));
    if (protocol.startsWith("v5")) socket.send(Uint8Array.of(255, 0));
    await once(socket, "close");
    expect(seen["1"]).toBe("hi\n");
    if (!protocol.startsWith("v")) {
      // Before version 4 errors are text.
      expect(seen["3"]).toMatch(/exit code/);
      return;
    }
    expect(JSON.parse(seen["3"] ?? "{}")).toMatchObject({
      status: "Failure",
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "4" }] },
    });
  });

  test("port-forward by SPDY inside of a WebSocket", async () => {
    const path = `/api/v1/namespaces/default/pods/web/portforward`;
    const key = Buffer.from("0123456789abcdef").toString("base64");
    const asking = request({
      host: "127.0.0.1",
      port: cluster.port,
      path,
      ...cluster.administrator,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": key,
        "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io",
      },
    });
    asking.end();
    const [response, socket, head] = (await once(asking, "upgrade")) as [
      { headers: Record<string, string> },
      Socket,
      Buffer,
    ];
    expect(response.headers["sec-websocket-protocol"]).toBe("SPDY/3.1+portforward.k8s.io");
    const webSocket = clientOver(socket, head);
    const connection = new SpdyConnection(createWebSocketStream(webSocket), { role: "client" });
    const error = connection.createStream({ streamtype: "error", port: "8080", requestid: "0" });
    error.end();
    error.resume();
    const data = connection.createStream({ streamtype: "data", port: "8080", requestid: "0" });
    data.write("GET / HTTP/1.0\r\n\r\n");
    let text = "";
    for await (const part of data) text += String(part);
    expect(text).toContain("hello");
    connection.destroy();
    await connection.closed;
  });

  test("the kubelet turns strangers away", async () => {
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port: cluster.kubeletPort,
        path: "/pods",
        ca: cluster.administrator.ca,
      };
      request(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(answer).toBe(401);
  });
});
