import { Readable } from "node:stream";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock, Milliseconds, Random } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { UserInfo } from "../../api/index.ts";
import { authorize } from "../registry/context.ts";
import type { Core } from "../registry/context.ts";
import { attributesOf } from "../http/filters/authorization.ts";
import { requestInfoOf, type ResourceInfo } from "../http/request-info.ts";
import type { ObjectReader } from "../reader.ts";
import { resolveService } from "../resolve-service.ts";
import { askBackend, UnreachableError } from "./backend.ts";
import { identityHeaders } from "./identity-headers.ts";
import type { RegisteredApis, RemoteApi } from "./registered-apis.ts";

/** A request for an object of an extension server, from within this process. */
interface RemoteRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
  /** No answer's head within this time fails the request; absent: no limit. */
  readonly timeout?: Milliseconds | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Brings requests of one user to extension servers, as if they came by way of this server. */
export interface RemoteTransport {
  exchange(
    request: RemoteRequest,
  ): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly stream: Readable }>;
  close(): void;
}

interface TransportParts {
  readonly apis: RegisteredApis;
  readonly reader: ObjectReader;
  readonly random: Random;
  readonly clock: Clock;
  readonly core: Pick<Core, "authorizer">;
}

/** Makes one; requests are authorized here, and again by the extension server. */
export function remoteTransport(parts: TransportParts, user: UserInfo): RemoteTransport {
  return {
    async exchange(request) {
      const { method, path } = request;
      const { pathname, searchParams: query } = new URL(path, "https://extension");
      const info = requestInfoOf({ method, path: pathname, query });
      if (info.type !== "resource") throw ApiError.noSuchPath();
      authorize(parts.core, attributesOf({ info, user }));
      const api = parts.apis.find(info.group, info.version);
      if (!api) throw ApiError.noSuchPath();
      if (!api.available) throw unavailable(info);
      if (api.problem !== undefined) throw ApiError.internal(api.problem);
      return send(parts, { request, api, info, user });
    },
    // Connections are the APIs' own.
    close: () => undefined,
  };
}

/** As clients put an answer of 503 without more words. */
function unavailable({ verb, resource, group, name }: ResourceInfo): ApiError {
  const what = `${verb} ${resource}.${group}${name === "" ? "" : ` ${name}`}`;
  return ApiError.serviceUnavailable(`the server is currently unable to handle the request (${what})`);
}

async function send(
  { clock, ...parts }: TransportParts,
  {
    request,
    api,
    info,
    user,
  }: {
    readonly request: RemoteRequest;
    readonly api: RemoteApi;
    readonly info: ResourceInfo;
    readonly user: UserInfo;
  },
) {
  const { method, path, headers, body, timeout, signal } = request;
  const ending = new AbortController();
  const stop = () => ending.abort();
  const limit = timeout === undefined ? undefined : clock.after(timeout, stop);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  const forget = () => signal?.removeEventListener("abort", stop);
  try {
    const stream = await askBackend(resolveService(parts, api.service), {
      agent: api.agent,
      method,
      path,
      headers: {
        ...headers,
        ...identityHeaders(user),
        ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
      },
      ...(body === undefined ? {} : { body: Readable.from([body]) }),
      signal: ending.signal,
    });
    stream.once("close", forget);
    return { status: stream.statusCode ?? 0, headers: stream.headers, stream };
  } catch (error) {
    forget();
    if (signal?.aborted) throw signal.reason;
    if (!(error instanceof UnreachableError)) throw unavailable(info);
    throw ApiError.serviceUnavailable(`error trying to reach service: ${error.message}`);
  } finally {
    limit?.cancel();
  }
}
