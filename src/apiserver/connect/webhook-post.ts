import { Agent, request as requestHttps } from "node:https";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Clock, Random } from "../../base/index.ts";
import { HookCallError } from "../admission/webhooks/index.ts";
import type { PostToHook } from "../admission/webhooks/index.ts";
import type { ObjectReader } from "../reader.ts";
import { resolveService, type Address, type ServicePort } from "../resolve-service.ts";
import { dialMessage, hostAndPort } from "./kubelets.ts";

/** The longest answer of a webhook that says nothing else: a patch is hardly longer than the largest object. */
const usualAnswer = 8 * 1024 * 1024;
const idleConnections = 16;
const defaultPort = 443;
const deadline = "context deadline exceeded";
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
  const agent = new Agent({ keepAlive: true, maxFreeSockets: idleConnections });
  return async (call) => {
    const target = targetOf(call);
    const url = `https://${target.authority}${target.path}?timeout=${call.timeoutSeconds}s`;
    const attempt = async () => {
      const address = "service" in target ? resolveService(parts, target.service) : target;
      try {
        return await exchange(call, { ...target, ...address }, { agent, clock: parts.clock });
      } catch (error) {
        throw error instanceof StaleConnection
          ? error
          : new Error(reasonOf(error, { ...target, ...address }));
      }
    };
    const answer = await attempt()
      // A server may close a kept connection at the very moment when it is used again.
      .catch((error: unknown) => {
        if (error instanceof StaleConnection) return attempt();
        throw error;
      })
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new HookCallError(`Post ${JSON.stringify(url)}: ${why}`);
      });
    return readAnswer(answer);
  };
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

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** The server closed a kept connection before it answered. */
class StaleConnection extends Error {
  override readonly name = "StaleConnection";
}

function exchange(
  { body, timeoutSeconds, clientConfig: { caBundle }, longestAnswer = usualAnswer, signal }: Call,
  { host, port, servername, authority, path }: Target & Address,
  { agent, clock }: { readonly agent: Agent; readonly clock: Clock },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = requestHttps({
      agent,
      host,
      port,
      servername,
      path: `${path}?timeout=${timeoutSeconds}s`,
      method: "POST",
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
    const timer = clock.after(timeoutSeconds * millisecondsPerSecond, () =>
      request.destroy(new Error(deadline)),
    );
    const settle = (outcome: () => void) => {
      timer.cancel();
      outcome();
    };
    request.once("error", (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && error.code === "ECONNRESET";
      settle(() => reject(isStale ? new StaleConnection(error.message) : error));
    });
    request.once("response", (response) => {
      collect(response, longestAnswer).then(
        (answer) => settle(() => resolve(answer)),
        (error: unknown) => {
          request.destroy();
          settle(() => reject(error instanceof Error ? error : new Error(String(error))));
        },
      );
    });
    request.end(body);
  });
}

async function collect(response: IncomingMessage, longest: number): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longest) throw new Error(`the answer is longer than ${longest} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    type: response.headers["content-type"] ?? "",
    body: Buffer.concat(chunks).toString(),
  };
}

const unknownAuthority = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
const tlsMessages: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  CERT_HAS_EXPIRED: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
};

/** What Go would say of a call that failed. */
function reasonOf(error: unknown, { host, port, servername }: Target & Address): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "") return error.message;
  if (code === "ECONNRESET") return "EOF";
  if (code === "ABORT_ERR") return "context canceled";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `tls: failed to verify certificate: x509: certificate is not valid for ${servername || hostAndPort({ host, port })}`;
  }
  return tlsMessages[code] ?? dialMessage(error, { host, port });
}

const successes = { from: 200, below: 300 };

/** The answer as JSON; anything else is an error in the words of upstream's client. */
function readAnswer({ status, type, body }: Answer): unknown {
  if (status < successes.from || status >= successes.below) {
    throw new HookCallError(statusMessage({ status, type, body }), { code: status });
  }
  if (body === "") {
    throw new HookCallError(`0-length response with status code: ${status} and content type: ${type}`);
  }
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HookCallError(`couldn't get version/kind; json parse error: ${why.slice(0, 200)}`);
  }
}

const statusMessages: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  403: "forbidden",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  409: "the server reported a conflict",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};
const serverError = 500;
const longestShown = 2_048;

function statusMessage({ status, type, body }: Answer): string {
  const known = statusMessages[status];
  if (known !== undefined) return known;
  if (status < serverError) {
    return `the server responded with the status code ${status} but did not return more information`;
  }
  const shown = type.startsWith("text/") ? body.slice(0, longestShown).trim() : "unknown";
  return `an error on the server (${JSON.stringify(shown)}) has prevented the request from succeeding`;
}
