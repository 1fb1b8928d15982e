import { readFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http2";
import { systemClock } from "../../base/index.ts";
import type { Clock, Milliseconds } from "../../base/index.ts";
import { ApiError, apiVersionOf, keyOf } from "../../apimachinery/index.ts";
import type {
  KubernetesObject,
  New,
  ObjectKey,
  ObjectList,
  Resource,
  Status,
} from "../../apimachinery/index.ts";
import type {
  Client,
  DeleteOptions,
  ListOptions,
  Patch,
  Selection,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../../api/index.ts";
import { readBody, readLines } from "./body.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions, HttpAnswer, Transport } from "./connection.ts";
import { objectPath, pathOf, queryString } from "./paths.ts";
import type { Query } from "./paths.ts";

export interface HttpClientOptions extends Omit<ConnectionOptions, "clock"> {
  readonly token?: string | undefined;
  /** A file with a token, read again every minute since tokens are rotated. */
  readonly tokenFile?: string | undefined;
  /** Acts as another user. */
  readonly impersonate?: { readonly user: string; readonly groups?: readonly string[] } | undefined;
  readonly userAgent?: string | undefined;
  readonly clock?: Clock;
  /** Default 60 s, for all but watches. */
  readonly timeout?: Milliseconds;
}

export interface RawRequest {
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** A `Client` over HTTPS, with raw requests for what has no method. */
export interface HttpClient extends Client {
  /** Any request; answers of any status are returned, not thrown. */
  request(method: string, path: string, options?: RawRequest): Promise<RawAnswer>;
  /** As `request`, but with the body as it arrives. */
  stream(method: string, path: string, options?: RawRequest): Promise<HttpAnswer>;
  close(): void;
}

const tokenLifetime: Milliseconds = 60_000;
const defaultTimeout: Milliseconds = 60_000;

const patchTypes: Readonly<Record<Patch["type"], string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** A client of the API server at `options.server`, over one HTTP/2 session. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { clock = systemClock } = options;
  return new TransportClient(options, new Connection({ ...options, clock }));
}

/** A client whose requests travel as `transport` says; who asks is the transport's to tell. */
export function createTransportClient(transport: Transport): Client {
  return new TransportClient({}, transport);
}

type StandingOptions = Pick<
  HttpClientOptions,
  "token" | "tokenFile" | "impersonate" | "userAgent" | "clock" | "timeout"
>;

class TransportClient implements HttpClient {
  private readonly options: StandingOptions;
  private readonly clock: Clock;
  private readonly connection: Transport;
  private token: { readonly text: string; readonly readAt: Milliseconds } | undefined;

  constructor(options: StandingOptions, connection: Transport) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.connection = connection;
  }

  get<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    options: { resourceVersion?: string; signal?: AbortSignal } = {},
  ): Promise<T> {
    const { signal, ...query } = options;
    return this.call("GET", objectPath(resource, key), { query, signal });
  }

  list<T extends object>(resource: Resource<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { namespace, signal, ...query } = options;
    return this.call<ObjectList<T>>("GET", pathOf(resource, { namespace }), { query, signal });
  }

  async *watch<T extends object>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncGenerator<readonly WatchEvent<T>[]> {
    const { namespace, signal, allowBookmarks, ...rest } = options;
    const query = { ...rest, watch: true, allowWatchBookmarks: allowBookmarks };
    try {
      const answer = await this.stream("GET", pathOf(resource, { namespace }), { query, signal });
      if (answer.status !== 200) throw errorOf(answer.status, await readBody(answer.stream));
      for await (const lines of readLines(answer.stream)) {
        const { events, error } = eventsOf<T>(lines);
        if (events.length > 0) yield events;
        if (error) throw error;
      }
    } catch (error) {
      if (!signal.aborted) throw ApiError.from(error);
    }
  }

  create<T extends object>(resource: Resource<T>, object: New<T>, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = (object as unknown as KubernetesObject).metadata;
    const { subresource } = options;
    const path =
      subresource === undefined
        ? pathOf(resource, { namespace })
        : pathOf(resource, { namespace, name, subresource });
    return this.call("POST", path, writeRequest(options, identified(resource, object)));
  }

  update<T extends object>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const key = keyOf(object as unknown as KubernetesObject);
    const path = objectPath(resource, key, options.subresource);
    return this.call("PUT", path, writeRequest(options, identified(resource, object)));
  }

  patch<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const request = writeRequest(options, patch.body);
    const force = patch.type === "apply" ? patch.force : undefined;
    return this.call("PATCH", objectPath(resource, key, options.subresource), {
      ...request,
      query: { ...request.query, force },
      contentType: patchTypes[patch.type],
    });
  }

  async delete<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<void> {
    await this.call("DELETE", objectPath(resource, key), deleteRequest(options));
  }

  async deleteCollection<T extends object>(
    resource: Resource<T>,
    selection: Selection,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { namespace, ...query } = selection;
    await this.call("DELETE", pathOf(resource, { namespace }), { ...deleteRequest(options), query });
  }

  post<T extends object, B extends object, R extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    subresource: string,
    body: B,
  ): Promise<R> {
    return this.call("POST", objectPath(resource, key, subresource), { body: JSON.stringify(body) });
  }

  async request(method: string, path: string, options: RawRequest = {}): Promise<RawAnswer> {
    const answer = await this.send(method, path, {
      ...options,
      timeout: this.options.timeout ?? defaultTimeout,
    });
    return { status: answer.status, headers: answer.headers, body: await readBody(answer.stream) };
  }

  stream(method: string, path: string, options: RawRequest = {}): Promise<HttpAnswer> {
    return this.send(method, path, options);
  }

  close(): void {
    this.connection.close();
  }

  private async send(
    method: string,
    path: string,
    options: RawRequest & { timeout?: Milliseconds },
  ): Promise<HttpAnswer> {
    const { query = {}, headers = {}, body, signal, timeout } = options;
    const sent = { ...(await this.standingHeaders()), ...headers };
    const full = path + queryString(query);
    return this.connection.exchange({ method, path: full, headers: sent, body, signal, timeout });
  }

  private async call<R>(method: string, path: string, call: CallOptions): Promise<R> {
    const { query, body, contentType = "application/json", signal } = call;
    const answer = await this.request(method, path, {
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
      headers: body === undefined ? {} : { "content-type": contentType },
    });
    if (answer.status < 200 || answer.status > 299) throw errorOf(answer.status, answer.body);
    return JSON.parse(Buffer.from(answer.body).toString("utf8")) as R;
  }

  private async standingHeaders(): Promise<Record<string, string>> {
    const { impersonate, userAgent = "kubets" } = this.options;
    const token = await this.currentToken();
    return {
      accept: "application/json",
      "user-agent": userAgent,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(impersonate === undefined ? {} : { "impersonate-user": impersonate.user }),
      ...(impersonate?.groups?.length
        ? { "impersonate-group": impersonate.groups as unknown as string }
        : {}),
    };
  }

  private async currentToken(): Promise<string | undefined> {
    const { token, tokenFile } = this.options;
    if (tokenFile === undefined) return token;
    const now = this.clock.now();
    if (this.token === undefined || now - this.token.readAt > tokenLifetime) {
      this.token = { text: (await readFile(tokenFile, "utf8")).trim(), readAt: now };
    }
    return this.token.text;
  }
}

interface CallOptions {
  readonly query?: Query | undefined;
  readonly body?: string | undefined;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

function writeRequest(options: WriteOptions, body: object): CallOptions {
  const { dryRun, fieldManager, fieldValidation, signal } = options;
  const query = { dryRun: dryRun ? "All" : undefined, fieldManager, fieldValidation };
  return { query, body: JSON.stringify(body), signal };
}

function deleteRequest(options: DeleteOptions): CallOptions {
  const { dryRun, signal, ...rest } = options;
  const body = { kind: "DeleteOptions", apiVersion: "v1", ...rest, ...(dryRun ? { dryRun: ["All"] } : {}) };
  return { body: JSON.stringify(body), signal };
}

/** The object with kind and version, which servers demand in bodies. */
function identified(resource: Resource<object>, object: object): object {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}

/** The events of some lines, up to the error that ends the watch, if one is among them. */
function eventsOf<T>(lines: readonly string[]): { events: readonly WatchEvent<T>[]; error?: ApiError } {
  const events: WatchEvent<T>[] = [];
  for (const line of lines) {
    const event = JSON.parse(line) as WatchEvent<T> | { type: "ERROR"; object: Status };
    if (event.type === "ERROR") return { events, error: new ApiError(event.object) };
    events.push(event);
  }
  return { events };
}

/** The error that a failed answer carries as a Status; or one made from its code and text. */
export function errorOf(code: number, body: Uint8Array): ApiError {
  const text = Buffer.from(body).toString("utf8");
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === "Status") return new ApiError({ code, ...status });
  } catch {
    // Not JSON: a proxy's or a handler's plain text, which becomes the message.
  }
  return new ApiError({
    code,
    reason: reasonOf(code),
    message: text.trim() || `the server answered ${code}`,
  });
}

function reasonOf(code: number): string {
  const reasons: Readonly<Record<number, string>> = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Gone",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
  };
  return reasons[code] ?? "";
}
