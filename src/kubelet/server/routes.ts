import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../base/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import { CriError, containerState } from "../../cri/index.ts";
import type { CriClient } from "../../cri/index.ts";
import { hasContainer, logRequestOf, loggedContainer } from "./container-logs.ts";
import { HttpError } from "./http-error.ts";
import { readLogs } from "./logs/read-logs.ts";

/** What the server must know of the node's pods. */
export interface KubeletPods {
  pods(): readonly Pod[];
  pod(key: { readonly namespace: string; readonly name: string; readonly uid?: string }): Pod | undefined;
  /** The runtime's id of the container's newest instance. */
  containerId(uid: string, container: string): string | undefined;
  sandboxId(uid: string): string | undefined;
}

/** What answers are made from. */
export interface RouteContext {
  readonly cri: CriClient;
  readonly pods: KubeletPods;
  readonly clock: Clock;
}

/** A request in progress. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Decoded parts of the path. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly signal: AbortSignal;
}

type Route = (context: RouteContext, call: Call) => Promise<void> | void;

/** Answers that are no streams, by the first part of their path and method. */
export const routes: Readonly<Record<string, Route>> = {
  "GET healthz": (_context, { response }) => sendText(response, 200, "ok"),
  "GET pods": servePods,
  "GET containerLogs": serveContainerLogs,
  "POST run": serveRun,
  "GET metrics": serveMetrics,
};

export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

function servePods({ pods }: RouteContext, { response }: Call): void {
  const items = pods.pods();
  const body = Buffer.from(JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items }));
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

function serveMetrics({ pods }: RouteContext, { response }: Call): void {
  const { rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const running = pods.pods().filter(({ status }) => status.phase === "Running").length;
  const lines = [
    "# TYPE kubelet_running_pods gauge",
    `kubelet_running_pods ${running}`,
    "# TYPE process_cpu_seconds_total counter",
    `process_cpu_seconds_total ${(user + system) / 1e6}`,
    "# TYPE process_resident_memory_bytes gauge",
    `process_resident_memory_bytes ${rss}`,
    "",
  ];
  sendText(response, 200, lines.join("\n"));
}

async function serveContainerLogs(context: RouteContext, call: Call): Promise<void> {
  const { cri, pods, clock } = context;
  const { response, query } = call;
  const [, namespace, name, container, ...more] = call.path;
  if (namespace === undefined || name === undefined || container === undefined || more.length > 0) {
    throw new HttpError(404, "404 page not found");
  }
  const pod = pods.pod({ namespace, name });
  if (!pod) throw new HttpError(404, `pod "${name}" does not exist\n`);
  if (!hasContainer(pod, container)) {
    throw new HttpError(404, `container "${container}" not found in pod "${name}"\n`);
  }
  const wanted = logRequestOf(query, clock.now());
  const containerId = loggedContainer(pod, { container, previous: wanted.previous });
  const path = await logPath(cri, containerId);
  const { previous: _, ...selection } = wanted;
  response.setHeader("content-type", "text/plain");
  const reading = readLogs(path, {
    ...selection,
    clock,
    signal: call.signal,
    isRunning: () => isRunning(cri, containerId),
    write: (bytes) => written(response, bytes, call.signal),
  });
  // Followers get the head now, even when no line comes for long.
  if (wanted.follow) response.flushHeaders();
  await reading.catch((error: unknown) => {
    if (response.headersSent) throw error;
    throw new HttpError(400, `unable to retrieve container logs for containerd://${containerId}`);
  });
  response.end();
}

async function logPath(cri: CriClient, containerId: string): Promise<string> {
  try {
    const { status } = await cri.containerStatus({ containerId });
    if (status && status.logPath !== "") return status.logPath;
  } catch (error) {
    if (!CriError.isNotFound(error)) throw error;
  }
  throw new HttpError(400, `unable to retrieve container logs for containerd://${containerId}`);
}

/** Whether the container has not ended. */
export async function isRunning(cri: CriClient, containerId: string): Promise<boolean> {
  try {
    const { status } = await cri.containerStatus({ containerId });
    return status?.state === containerState.running || status?.state === containerState.created;
  } catch (error) {
    // While the runtime restarts nothing is known of its containers.
    return !CriError.isNotFound(error);
  }
}

async function written(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  // A copy: the reader's buffer is used again before these bytes are out.
  if (response.destroyed || response.write(Buffer.from(bytes))) return;
  await once(response, "drain", { signal }).catch(() => undefined);
}

async function serveRun(context: RouteContext, { path, query, response }: Call): Promise<void> {
  const { pod, container } = targetOf(context, path);
  const containerId = context.pods.containerId(pod.metadata.uid ?? "", container);
  if (containerId === undefined) throw new HttpError(500, `container not found ("${container}")`);
  const command = (query.get("cmd") ?? "").split(" ").filter((word) => word !== "");
  const { stdout, stderr, exitCode } = await context.cri.execSync({
    containerId,
    cmd: command,
    timeout: 0,
  });
  const output = Buffer.concat([stdout, stderr]);
  if (exitCode !== 0) {
    throw new HttpError(500, `command '${command.join(" ")}' exited with ${exitCode}: ${output.toString()}`);
  }
  response.writeHead(200, { "content-type": "text/plain", "content-length": output.length });
  response.end(output);
}

/** The pod and container of `/WORD/namespace/pod[/uid]/container`; throws `HttpError`. */
export function targetOf(
  { pods }: RouteContext,
  path: readonly string[],
): { readonly pod: Pod; readonly container: string } {
  const [, namespace = "", name = "", ...rest] = path;
  const container = rest.at(-1);
  if (container === undefined || rest.length > 2) throw new HttpError(404, "404 page not found");
  const uid = rest.length === 2 ? rest[0] : undefined;
  const pod = pods.pod({ namespace, name, ...(uid === undefined ? {} : { uid }) });
  if (!pod) throw new HttpError(404, "pod does not exist");
  return { pod, container };
}
