import { connect } from "node:net";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Milliseconds } from "../../base/index.ts";
import { CriError, criCode } from "../../cri/index.ts";
import type { CriClient } from "../../cri/index.ts";
import type { Container, HTTPGetAction, LifecycleHandler, ProbeHandler } from "../../api/types/core-v1.ts";
import { grpcHealth } from "./grpc-health.ts";

/** How one attempt of a probe or hook went. */
export interface AttemptResult {
  readonly success: boolean;
  /** For events: the output of a command, or what was wrong. */
  readonly output: string;
}

/** Where an attempt is made. */
export interface AttemptTarget {
  readonly cri: CriClient;
  readonly container: Container;
  readonly containerId: string;
  readonly podIP: string;
  readonly timeout: Milliseconds;
  readonly userAgent: string;
}

const longestBody = 10 * 1024;

/** Tries a probe once. */
export async function attempt(handler: ProbeHandler, target: AttemptTarget): Promise<AttemptResult> {
  try {
    if (handler.exec) return await execAttempt(handler.exec.command ?? [], target);
    if (handler.httpGet) return await httpAttempt(handler.httpGet, target);
    if (handler.tcpSocket) {
      const { host, port } = handler.tcpSocket;
      return await tcpAttempt(host || target.podIP, {
        port: portOf(port, target.container),
        timeout: target.timeout,
      });
    }
    if (handler.grpc)
      return await grpcHealth(`${bracketed(target.podIP)}:${handler.grpc.port}`, {
        service: handler.grpc.service ?? "",
        timeout: target.timeout,
      });
    return { success: false, output: "missing probe handler" };
  } catch (error) {
    return { success: false, output: error instanceof Error ? error.message : String(error) };
  }
}

/** Runs a lifecycle hook; throws when it fails. */
export async function runHook(handler: LifecycleHandler, target: AttemptTarget): Promise<void> {
  const result = await attempt(handler, target);
  if (!result.success) throw new Error(result.output);
}

async function execAttempt(command: readonly string[], target: AttemptTarget): Promise<AttemptResult> {
  const seconds = target.timeout / 1000;
  try {
    const answer = await target.cri.execSync(
      { containerId: target.containerId, cmd: command, timeout: Math.ceil(seconds) },
      { timeout: target.timeout + 10_000 },
    );
    const output = Buffer.concat([answer.stdout, answer.stderr]).subarray(0, longestBody).toString();
    return {
      success: answer.exitCode === 0,
      output: answer.exitCode === 0 ? output : output || `command exited with ${answer.exitCode}`,
    };
  } catch (error) {
    if (error instanceof CriError && error.code === criCode.deadlineExceeded)
      return {
        success: false,
        output: `command timed out: "${command.join(" ")}" timed out after ${seconds}s`,
      };
    throw error;
  }
}

/** A port by number or by the name that the container gives it. */
function portOf(port: number | string, container: Container): number {
  if (typeof port === "number") return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new Error(`couldn't find port: ${JSON.stringify(port)} in container ${container.name}`);
  return number;
}

const bracketed = (host: string) => (host.includes(":") ? `[${host}]` : host);

function httpAttempt(action: HTTPGetAction, target: AttemptTarget): Promise<AttemptResult> {
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const host = action.host || target.podIP;
  const port = portOf(action.port, target.container);
  const path = (action.path ?? "/").startsWith("/") ? (action.path ?? "/") : `/${action.path}`;
  return httpGet(`${scheme}://${bracketed(host)}:${port}${path}`, { action, target, redirects: 0 });
}

const redirectLimit = 10;

function httpGet(
  url: string,
  { action, target, redirects }: { action: HTTPGetAction; target: AttemptTarget; redirects: number },
): Promise<AttemptResult> {
  const headers: Record<string, string> = {
    "user-agent": target.userAgent,
    accept: "*/*",
    connection: "close",
  };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const request = send(url, { headers, agent: false, rejectUnauthorized: false }, (response) => {
      const { statusCode = 0, headers: answer } = response;
      let body = "";
      response.on("data", (part: Buffer) => {
        if (body.length < longestBody) body += part.toString();
      });
      response.on("error", () => undefined);
      response.on("end", () => {
        clearTimeout(timer);
        const location = answer.location === undefined ? undefined : new URL(answer.location, url);
        const follow =
          statusCode >= 300 && location?.hostname === new URL(url).hostname && redirects < redirectLimit;
        if (follow) resolve(httpGet(location.href, { action, target, redirects: redirects + 1 }));
        else if (statusCode >= 200 && statusCode < 400) resolve({ success: true, output: body });
        else resolve({ success: false, output: `HTTP probe failed with statuscode: ${statusCode}` });
      });
    });
    const timer = setTimeout(
      () =>
        request.destroy(
          new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
        ),
      target.timeout,
    );
    request.on("error", (error) => {
      clearTimeout(timer);
      resolve({ success: false, output: `Get "${url}": ${dialError(error, url)}` });
    });
    request.end();
  });
}

/** Go's words for a connection that failed. */
function dialError(error: NodeJS.ErrnoException, url: string): string {
  if (error.code === "ECONNREFUSED") return `dial tcp ${new URL(url).host}: connect: connection refused`;
  return error.message;
}

function tcpAttempt(
  host: string,
  { port, timeout }: { port: number; timeout: Milliseconds },
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (result: AttemptResult) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const address = `${bracketed(host)}:${port}`;
    const timer = setTimeout(
      () => finish({ success: false, output: `dial tcp ${address}: i/o timeout` }),
      timeout,
    );
    socket.once("connect", () => finish({ success: true, output: "" }));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      finish({ success: false, output: dialError(error, `tcp://${address}`) }),
    );
  });
}
