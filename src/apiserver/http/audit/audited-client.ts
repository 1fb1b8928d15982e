import { ApiError } from "../../../apimachinery/index.ts";
import type { KubernetesObject, New, ObjectKey, ObjectList, Resource } from "../../../apimachinery/index.ts";
import type {
  Client,
  DeleteOptions,
  ListOptions,
  Patch,
  Selection,
  UserInfo,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../../../api/index.ts";
import type { Clock, Random } from "../../../base/index.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { attributesOf } from "../filters/authorization.ts";
import { requestInfoOf } from "../request-info.ts";
import type { ResourceInfo } from "../request-info.ts";
import type { Auditor } from "./auditor.ts";
import { decide } from "./policy.ts";
import { AuditRecord } from "./record.ts";

export interface AuditedClientOptions {
  readonly user: UserInfo;
  readonly auditor: Auditor;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a client asks for, as it would over HTTP. */
interface Asked {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly resource: Resource<object>;
  readonly namespace: string | undefined;
  readonly name?: string;
  readonly subresource?: string | undefined;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
}

const userAgent = "kubets";
const loopback = "127.0.0.1";

/** A client in the process of the server whose requests are recorded as if they had come over HTTP. */
export class AuditedClient implements Client {
  private readonly behind: Client;
  private readonly options: AuditedClientOptions;

  constructor(behind: Client, options: AuditedClientOptions) {
    this.behind = behind;
    this.options = options;
  }

  get<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    options?: { resourceVersion?: string; signal?: AbortSignal },
  ): Promise<T> {
    const asked = { method: "GET", resource, ...key, namespace: key.namespace } as const;
    return this.recorded(asked, () => this.behind.get(resource, key, options));
  }

  list<T extends object>(resource: Resource<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { namespace, signal: _, ...query } = options;
    return this.recorded({ method: "GET", resource, namespace, query }, () =>
      this.behind.list(resource, options),
    );
  }

  async *watch<T extends object>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncIterable<readonly WatchEvent<T>[]> {
    const { namespace, signal: _, ...query } = options;
    const asked = { method: "GET", resource, namespace, query: { ...query, watch: true } } as const;
    const record = this.begin(asked);
    try {
      const events = this.behind.watch(resource, options);
      record?.begun(200);
      yield* events;
    } catch (error) {
      if (record) fail(record, error);
      throw error;
    }
    record?.completed(200);
  }

  create<T extends object>(resource: Resource<T>, object: New<T>, options?: WriteOptions): Promise<T> {
    const { metadata } = object as { readonly metadata?: { readonly namespace?: string } };
    const asked = {
      method: "POST",
      resource,
      namespace: metadata?.namespace,
      query: queryOf(options),
    } as const;
    return this.recorded(asked, () => this.behind.create(resource, object, options), { object, code: 201 });
  }

  update<T extends object>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T> {
    const { name, namespace } = (object as KubernetesObject).metadata;
    const { subresource } = options ?? {};
    const asked = { method: "PUT", resource, namespace, name, subresource, query: queryOf(options) } as const;
    return this.recorded(asked, () => this.behind.update(resource, object, options), { object });
  }

  patch<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<T> {
    const { subresource } = options ?? {};
    const query = { ...queryOf(options), ...(patch.type === "apply" ? { force: patch.force } : {}) };
    const asked = {
      method: "PATCH",
      resource,
      ...key,
      namespace: key.namespace,
      subresource,
      query,
    } as const;
    return this.recorded(asked, () => this.behind.patch(resource, key, patch, options), { body: patch.body });
  }

  delete<T extends object>(resource: Resource<T>, key: ObjectKey, options?: DeleteOptions): Promise<void> {
    const asked = { method: "DELETE", resource, ...key, namespace: key.namespace } as const;
    return this.recorded(asked, () => this.behind.delete(resource, key, options), deletion(options));
  }

  deleteCollection<T extends object>(
    resource: Resource<T>,
    selection: Selection,
    options?: DeleteOptions,
  ): Promise<void> {
    const { namespace, ...query } = selection;
    const asked = { method: "DELETE", resource, namespace, query } as const;
    const run = () => this.behind.deleteCollection(resource, selection, options);
    return this.recorded(asked, run, deletion(options));
  }

  post<T extends object, R extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    subresource: string,
    body: object,
  ): Promise<R> {
    const asked = { method: "POST", resource, ...key, namespace: key.namespace, subresource } as const;
    const run = () => this.behind.post<T, R>(resource, key, subresource, body);
    return this.recorded(asked, run, { body, code: 201 });
  }

  private async recorded<R>(
    asked: Asked,
    run: () => Promise<R>,
    { object, body, code = 200 }: { object?: object; body?: object | undefined; code?: number } = {},
  ): Promise<R> {
    const record = this.begin(asked);
    if (!record) return run();
    if (object) {
      const { apiVersion, kind } = namesOf(asked.resource);
      record.sawObject({ kind, apiVersion, ...object } as KubernetesObject);
    }
    if (body) record.sawBody(body);
    try {
      const answer = await run();
      record.sawAnswer(answer ?? { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" });
      record.completed(code);
      return answer;
    } catch (error) {
      fail(record, error);
      throw error;
    }
  }

  /** The record of a request that has come; undefined when nothing is recorded of it. */
  private begin(asked: Asked): AuditRecord | undefined {
    const { user, auditor, authorizer, clock, random } = this.options;
    const { info, target } = placeOf(asked);
    const attributes = attributesOf({ info, user });
    const decision = decide(auditor.policy, attributes);
    auditor.decided(decision.level);
    if (decision.level === "None") return undefined;
    const request = {
      auditID: random.uuid(),
      target,
      userAgent,
      sourceIPs: [loopback],
      info,
      user,
      received: clock.now(),
      longRunning: info.verb === "watch",
      deprecation: undefined,
    };
    const record = new AuditRecord(request, { decision, clock, emit: (event) => auditor.record(event) });
    if (!record.received()) {
      auditor.rejected();
      throw ApiError.internal("failed to store audit event");
    }
    const { type, reason } = authorizer.authorize(attributes);
    record.annotate("authorization.k8s.io/decision", type === "allow" ? "allow" : "forbid");
    record.annotate("authorization.k8s.io/reason", reason);
    return record;
  }
}

function fail(record: AuditRecord, error: unknown): void {
  if (!(error instanceof ApiError)) return record.panicked(error);
  record.failed(error);
  record.completed(error.code);
}

const namesOf = ({ group, version, kind }: Resource<object>) => ({
  apiVersion: group === "" ? version : `${group}/${version}`,
  kind,
});

const queryOf = ({ dryRun, fieldManager, fieldValidation }: WriteOptions = {}) => ({
  dryRun: dryRun === true ? "All" : undefined,
  fieldManager,
  fieldValidation,
});

function deletion(options: DeleteOptions | undefined): { readonly body?: object } {
  if (!options) return {};
  const { dryRun, signal: _, ...rest } = options;
  const asked = { ...rest, ...(dryRun === true ? { dryRun: ["All"] } : {}) };
  return Object.keys(asked).length === 0
    ? {}
    : { body: { kind: "DeleteOptions", apiVersion: "v1", ...asked } };
}

/** Where the request would go over HTTP. */
function placeOf(asked: Asked): { readonly info: ResourceInfo; readonly target: string } {
  const { method, resource, namespace, name, subresource, query: said = {} } = asked;
  const { group, version, plural, namespaced } = resource;
  const parts = [
    group === "" ? "/api" : `/apis/${group}`,
    version,
    ...(namespaced && namespace ? ["namespaces", namespace] : []),
    plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource ? [subresource] : []),
  ];
  const path = parts.join("/");
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(said))
    if (value !== undefined && value !== "") query.set(key, String(value));
  const info = requestInfoOf({ method, path, query }) as ResourceInfo;
  return { info, target: query.size === 0 ? path : `${path}?${query.toString()}` };
}
