import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Pod } from "../../api/types/core-v1.ts";
import { CriError } from "../../cri/index.ts";
import { proxyUpgrade, requestSpdy } from "../../streaming/index.ts";
import { bridgePortForward, bridgeRemoteCommand, wantsWebSocket } from "../../streaming/websocket/index.ts";
import type { CommandStreams, UpgradedRequest } from "../../streaming/websocket/index.ts";
import { HttpError } from "./http-error.ts";
import { isRunning, targetOf } from "./routes.ts";
import type { RouteContext } from "./routes.ts";

/** A request to leave HTTP, understood. */
export interface StreamCall {
  readonly upgrade: UpgradedRequest;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** The words with which paths of streams begin. */
export const streamPaths: ReadonlySet<string> = new Set(["exec", "attach", "portForward"]);

/** Serves exec, attach and port-forward from the runtime's own streaming server; throws before it has answered. */
export async function serveStream(context: RouteContext, call: StreamCall): Promise<void> {
  switch (call.path[0]) {
    case "exec":
    case "attach":
      return serveCommand(context, call);
    default:
      return servePortForward(context, call);
  }
}

async function serveCommand(context: RouteContext, call: StreamCall): Promise<void> {
  const { pod, container } = targetOf(context, call.path);
  const streams = commandStreams(call.query);
  const containerId = context.pods.containerId(pod.metadata.uid ?? "", container);
  if (containerId === undefined) throw new HttpError(500, `container not found ("${container}")`);
  const url = await streamingUrl(
    call.path[0] === "exec"
      ? context.cri.exec({ containerId, cmd: call.query.getAll("command"), ...streams })
      : context.cri.attach({ containerId, ...streams }),
  ).catch(async (error: unknown) => {
    // Upstream looks among running containers only.
    const running = await isRunning(context.cri, containerId);
    throw running ? error : new HttpError(500, `container not found ("${container}")`);
  });
  if (!wantsWebSocket(call.upgrade.request.headers)) return passThrough(call, url);
  await bridgeRemoteCommand(call.upgrade, { streams, open: (protocols) => openSpdy(url, protocols) });
}

/** Throws `HttpError` when there is nothing to stream. */
export function commandStreams(query: URLSearchParams): CommandStreams {
  const asked = (name: string) => query.get(name) === "1" || query.get(name) === "true";
  const tty = asked("tty");
  // With a terminal everything comes by way of stdout.
  const streams = { stdin: asked("input"), stdout: asked("output"), stderr: asked("error") && !tty, tty };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new HttpError(400, "you must specify at least 1 of stdin, stdout, stderr");
  }
  return streams;
}

async function servePortForward(context: RouteContext, call: StreamCall): Promise<void> {
  const pod = podOf(context, call.path);
  const podSandboxId = context.pods.sandboxId(pod.metadata.uid ?? "");
  if (podSandboxId === undefined) throw new HttpError(500, "pod sandbox not found");
  const ports = call.query
    .getAll("port")
    .flatMap((list) => list.split(","))
    .map(Number);
  if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65535)) {
    throw new HttpError(400, `invalid ports "${call.query.getAll("port").join(",")}"`);
  }
  const url = await streamingUrl(context.cri.portForward({ podSandboxId, port: ports }));
  if (!wantsWebSocket(call.upgrade.request.headers)) return passThrough(call, url);
  await bridgePortForward(call.upgrade, { ports, open: (protocols) => openSpdy(url, protocols) });
}

function podOf({ pods }: RouteContext, path: readonly string[]): Pod {
  const [, namespace = "", name = "", uid] = path;
  const pod = pods.pod({ namespace, name, ...(uid === undefined ? {} : { uid }) });
  if (!pod) throw new HttpError(404, "pod does not exist");
  return pod;
}

async function streamingUrl(answer: Promise<{ readonly url: string }>): Promise<URL> {
  try {
    const { url } = await answer;
    // A runtime that listens on all addresses may name none.
    return new URL(url.startsWith("//") ? `http:${url}` : url);
  } catch (error) {
    if (error instanceof CriError) throw new HttpError(500, error.rpcText);
    throw error;
  }
}

/** Connected, or rejected with what went wrong. */
function dial(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 80),
      noDelay: true,
      allowHalfOpen: true,
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

async function openSpdy(url: URL, protocols: readonly string[]) {
  const connection = await dial(url);
  return requestSpdy({ connection, host: url.host, path: `${url.pathname}${url.search}`, protocols });
}

async function passThrough({ upgrade }: StreamCall, url: URL): Promise<void> {
  const { request, socket, head } = upgrade;
  const backend = await dial(url);
  await proxyUpgrade(
    { method: request.method ?? "POST", headers: request.headers, socket, head },
    { backend, host: url.host, path: `${url.pathname}${url.search}` },
  );
}
