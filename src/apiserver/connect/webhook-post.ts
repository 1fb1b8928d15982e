import { Agent, request as requestHttps } from "node:https";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Clock, Milliseconds, Random } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { HookCallError } from "../admission/webhooks/index.ts";
import type { PostToHook } from "../admission/webhooks/index.ts";
import type { ObjectReader } from "../reader.ts";
import { resolveService, type Address, type ServicePort } from "../resolve-service.ts";
import { readAnswer } from "./webhook-answer.ts";
import type { HookAnswer } from "./webhook-answer.ts";
import { callProblem } from "./webhook-errors.ts";

/** The longest answer of a webhook that says nothing else: a patch, as base64, of the largest object there may be. */
const usualAnswer = 5 * 1024 * 1024;
/** What all answers together may take that are being read. */
const mostHeld = 64 * 1024 * 1024;
const longestHead = 256 * 1024;
/** How often a server may ask to be asked again. */
const mostRetries = 10;
const idleConnections = 16;
const defaultPort = 443;
const outOfTime = "context deadline exceeded";
const canceled = "context canceled";
const millisecondsPerSecond = 1_000;

type Call = Parameters<PostToHook>[0];

/** Where a webhook listens and what its certificate must say. */
interface Target {
  readonly servername: string;
  /** As requests name the server. */
  readonly authority: string;
  readonly path: string;
}

/** A webhook behind a service. */
type NamedTarget = Target & {
  readonly service: ServicePort;
};

/** Calls webhooks over HTTPS; connections are kept for the next call. */
export function webhookPost(parts: {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly random: Random;
}): PostToHook {
  const { clock } = parts;
  const agent = new Agent({ keepAlive: true, maxFreeSockets: idleConnections });
  const held = { bytes: 0 };
  return async (call) => {
    const target = targetOf(call);
    const deadline = clock.now() + call.timeoutSeconds * millisecondsPerSecond;
    const path = `${target.path}?timeout=${Math.max(Math.ceil(call.timeoutSeconds), 1)}s`;
    const failed = (why: string) =>
      new HookCallError(`Post ${JSON.stringify(`https://${target.authority}${path}`)}: ${why}`);
    const attempt = async () => {
      let address;
      try {
        address = "service" in target ? resolveService(parts, target.service) : target;
      } catch (error) {
        throw error instanceof ApiError ? failed(error.message) : error;
      }
      const destination = { ...target, ...address, path };
      return exchange(call, destination, { agent, clock, deadline, held }).catch((error: unknown) => {
        if (error instanceof StaleConnection || error instanceof BrokenBody) throw error;
        throw failed(callProblem(error, destination));
      });
    };
    for (let again = 0; ; again++) {
      const answer = await attempt()
        .catch((error: unknown) => {
          // A server may close a kept connection at the very moment when it is used again.
          if (error instanceof StaleConnection) return attempt();
          throw error;
        })
        .catch((error: unknown) => {
          if (error instanceof StaleConnection) throw failed("EOF");
          throw error instanceof BrokenBody ? new HookCallError(error.message) : error;
        });
      const { retryAfter } = answer;
      if (retryAfter === undefined || again === mostRetries) return readAnswer(answer);
      if (!(await slept(retryAfter, { clock, deadline, signal: call.signal }))) {
        throw failed(call.signal?.aborted ? canceled : outOfTime);
      }
    }
  };
}

/** Waits; answers whether there is still time, and somebody who waits, afterwards. */
function slept(
  wait: Milliseconds,
  {
    clock,
    deadline,
    signal,
  }: { readonly clock: Clock; readonly deadline: Milliseconds; readonly signal: AbortSignal | undefined },
): Promise<boolean> {
  const left = deadline - clock.now();
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      signal?.removeEventListener("abort", done);
      resolve(wait < left && !signal?.aborted);
    };
    const timer = clock.after(Math.max(Math.min(wait, left), 0), done);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}

function targetOf({ clientConfig }: Call): NamedTarget | (Target & Address) {
  const { service, url } = clientConfig;
  if (service) {
    const { namespace, name, port = defaultPort, path = "/" } = service;
    const servername = `${name}.${namespace}.svc`;
    return { servername, authority: `${servername}:${port}`, path, service: { namespace, name, port } };
  }
  const { hostname, host, port, pathname } = new URL(url ?? "");
  const bare = hostname.replace(/^\[|\]$/g, "");
  return {
    host: bare,
    port: port === "" ? defaultPort : Number(port),
    servername: isIP(bare) === 0 ? bare : "",
    authority: host,
    path: pathname,
  };
}

/** The server closed a kept connection before it answered. */
class StaleConnection extends Error {
  override readonly name = "StaleConnection";
}

/** An answer that began and did not come to its end. */
class BrokenBody extends Error {
  override readonly name = "BrokenBody";

  constructor(why: string) {
    super(`unexpected error when reading response body. Please retry. Original error: ${why}`);
  }
}

/** Bytes of answers that are being read. */
interface Held {
  bytes: number;
}

interface Means {
  readonly agent: Agent;
  readonly clock: Clock;
  readonly deadline: Milliseconds;
  readonly held: Held;
}

function exchange(
  { body, clientConfig: { caBundle }, longestAnswer = usualAnswer, signal }: Call,
  destination: Target & Address,
  { agent, clock, deadline, held }: Means,
): Promise<HookAnswer> {
  const { host, port, servername, authority, path } = destination;
  const left = deadline - clock.now();
  if (left <= 0) return Promise.reject(new Error(outOfTime));
  return new Promise((resolve, reject) => {
    const request = requestHttps({
      agent,
      host,
      port,
      servername,
      path,
      method: "POST",
      maxHeaderSize: longestHead,
      headers: {
        host: authority,
        accept: "application/json, */*",
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "kube-apiserver-admission",
      },
      ...(caBundle ? { ca: Buffer.from(caBundle, "base64").toString() } : {}),
      ...(signal ? { signal } : {}),
    });
    let response: IncomingMessage | undefined;
    const fail = (error: Error) => {
      timer.cancel();
      request.destroy();
      if (response) return reject(new BrokenBody(callProblem(error, destination)));
      const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET";
      reject(isStale ? new StaleConnection(error.message) : error);
    };
    const timer = clock.after(left, () => fail(new Error(outOfTime)));
    request.on("error", fail);
    request.once("response", (answer) => {
      response = answer;
      collect(answer, { longest: longestAnswer, held }).then((collected) => {
        timer.cancel();
        resolve(collected);
      }, fail);
    });
    request.end(body);
  });
}

async function collect(
  response: IncomingMessage,
  { longest, held }: { readonly longest: number; readonly held: Held },
): Promise<HookAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      held.bytes += chunk.length;
      if (size > longest) throw new Error(`the answer is longer than ${longest} bytes`);
      if (held.bytes > mostHeld) throw new Error(`answers of webhooks take more than ${mostHeld} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === "ECONNRESET" ? new Error("unexpected EOF") : error;
  } finally {
    held.bytes -= size;
  }
  const { statusCode: status = 0, headers } = response;
  return {
    status,
    type: headers["content-type"] ?? "",
    retryAfter: retryAfterOf(status, headers["retry-after"]),
    body: Buffer.concat(chunks).toString(),
  };
}

/** When a server wants to be asked again that is overloaded or has failed. */
function retryAfterOf(status: number, header: string | undefined): Milliseconds | undefined {
  if ((status !== 429 && status < 500) || header === undefined || !/^\d{1,9}$/.test(header)) return undefined;
  return Number(header) * millisecondsPerSecond;
}
