import type { ApiError, KubernetesObject, Status } from "../../../apimachinery/index.ts";
import type { UserInfo } from "../../../api/index.ts";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import type { Incoming } from "../filters/filter.ts";
import type { Impersonated } from "../impersonation.ts";
import type { RequestInfo } from "../request-info.ts";
import { auditedUser, microTimeOf } from "./event.ts";
import type { AuditedObject, AuditEvent } from "./event.ts";
import type { AuditDecision, AuditLevel, AuditStage } from "./policy.ts";
import { sourceIPsOf } from "./source-ips.ts";

const longestUserAgent = 1_024;
const truncated = "...TRUNCATED";

/** What is known of a request when it comes. */
export interface AuditedRequest {
  readonly auditID: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly userAgent: string;
  readonly sourceIPs: readonly string[];
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly received: Milliseconds;
  readonly longRunning: boolean;
  /** What those are warned of who ask for a version that is deprecated. */
  readonly deprecation: string | undefined;
}

/** A request over HTTP, as audit sees it. */
export const auditedRequest = (request: Incoming): AuditedRequest => ({
  auditID: String(request.headers["audit-id"]),
  target: request.exchange.target,
  userAgent: request.exchange.headers["user-agent"] ?? "",
  sourceIPs: sourceIPsOf(request.exchange),
  info: request.info,
  user: request.user,
  received: request.received,
  longRunning: request.longRunning,
  deprecation: request.served?.deprecationWarning,
});

/** What is recorded of one request while it goes on. */
export class AuditRecord {
  readonly level: AuditLevel;
  private readonly decision: AuditDecision;
  private readonly request: AuditedRequest;
  private readonly clock: Clock;
  private readonly emit: (event: AuditEvent) => boolean;
  private objectRef: AuditedObject | undefined;
  private impersonation: Impersonated | undefined;
  private readonly annotations: Record<string, string> = {};
  private requestObject: unknown;
  private responseObject: unknown;
  private status: Partial<Status> | undefined;
  private started = false;

  constructor(
    request: AuditedRequest,
    options: {
      readonly decision: AuditDecision;
      readonly clock: Clock;
      readonly emit: (event: AuditEvent) => boolean;
    },
  ) {
    this.request = request;
    this.decision = options.decision;
    this.level = options.decision.level;
    this.clock = options.clock;
    this.emit = options.emit;
    this.objectRef = referenceOf(request);
    const { deprecation } = request;
    if (deprecation === undefined) return;
    this.annotate("k8s.io/deprecated", "true");
    const removed = /unavailable in v(\d+\.\d+)\+/.exec(deprecation)?.[1];
    if (removed !== undefined) this.annotate("k8s.io/removed-release", removed);
  }

  get keepsRequest(): boolean {
    return this.level === "Request" || this.level === "RequestResponse";
  }

  get keepsResponse(): boolean {
    return this.level === "RequestResponse";
  }

  /** Whether something is known of the request's body. */
  get hasRequestObject(): boolean {
    return this.requestObject !== undefined;
  }

  impersonated(impersonation: Impersonated): void {
    this.impersonation = impersonation;
  }

  /** What was said first stays. With a level it counts only where that much is recorded. */
  annotate(key: string, value: string, level?: "Request"): void {
    if (level === "Request" && !this.keepsRequest) return;
    this.annotations[key] ??= value;
  }

  /** The object that a client wants written, with its defaults. */
  sawObject(object: KubernetesObject): void {
    this.noteIdentity(object);
    if (this.keepsRequest) this.requestObject = this.shown(object);
  }

  /** A body that is no object of the resource. */
  sawBody(value: unknown): void {
    if (this.keepsRequest) this.requestObject = value;
  }

  /** What was answered; a Status says more than its code. */
  sawAnswer(value: unknown): void {
    const answer = value as Partial<Status> | null;
    if (typeof answer !== "object" || answer === null) return;
    if (answer.kind === "Status") this.status = boundedStatus(answer);
    if (this.keepsResponse) this.responseObject = this.shown(value);
  }

  failed(error: ApiError): void {
    this.sawAnswer(error.status);
    this.status = { ...this.status, code: error.code };
  }

  /** Answers whether the request may go on. */
  received(): boolean {
    return this.record("RequestReceived");
  }

  /** A long answer has begun. */
  begun(code: number): void {
    if (this.started) return;
    this.started = true;
    this.status = { metadata: {}, ...this.status, code };
    this.record("ResponseStarted");
  }

  completed(code: number): void {
    if (code !== 0) this.status = { metadata: {}, ...this.status, code };
    if (!this.status) {
      this.status = { metadata: {}, status: "Success", message: "Connection closed early", code: 200 };
      if (this.request.longRunning) this.record("ResponseStarted");
    }
    this.record("ResponseComplete");
  }

  panicked(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const message = `APIServer panic'd: ${why}`;
    this.status = { metadata: {}, status: "Failure", message, reason: "InternalError", code: 500 };
    this.record("Panic");
  }

  /** Nobody knows who asked: one event is all there is. */
  refused(error: ApiError): void {
    this.failed(error);
    this.record("ResponseStarted", {});
  }

  private record(stage: AuditStage, user = auditedUser(this.request.user)): boolean {
    if (this.decision.omitStages.includes(stage)) return true;
    const { auditID, target, userAgent, sourceIPs, info, received } = this.request;
    const annotations = Object.entries(this.annotations).sort(([one], [other]) => (one < other ? -1 : 1));
    return this.emit({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: this.level,
      auditID,
      stage,
      requestURI: target,
      verb: info.verb,
      user,
      ...(this.impersonation ? impersonationOf(this.impersonation) : {}),
      ...(sourceIPs.length > 0 ? { sourceIPs } : {}),
      ...(userAgent === "" ? {} : { userAgent: cut(userAgent) }),
      ...(this.objectRef ? { objectRef: this.objectRef } : {}),
      ...(this.status ? { responseStatus: this.status } : {}),
      ...(this.requestObject === undefined ? {} : { requestObject: this.requestObject }),
      ...(this.responseObject === undefined ? {} : { responseObject: this.responseObject }),
      requestReceivedTimestamp: microTimeOf(received),
      stageTimestamp: microTimeOf(stage === "RequestReceived" ? received : this.clock.now()),
      ...(annotations.length > 0 ? { annotations: Object.fromEntries(annotations) } : {}),
    });
  }

  /** The body says of an object what the path may not. */
  private noteIdentity({ metadata }: KubernetesObject): void {
    if (!this.objectRef) return;
    const { resource, namespace, name, uid, ...rest } = this.objectRef;
    const { resourceVersion } = metadata;
    const known = {
      resource,
      namespace: namespace ?? metadata.namespace,
      name: name ?? metadata.name,
      uid: uid ?? metadata.uid,
    };
    const { apiGroup, apiVersion, subresource } = rest;
    this.objectRef = withoutEmpty({ ...known, apiGroup, apiVersion, resourceVersion, subresource });
  }

  private shown(value: unknown): unknown {
    return this.decision.omitManagedFields ? withoutManagedFields(value) : value;
  }
}

const impersonationOf = ({ user, constraint }: Impersonated) => ({
  impersonatedUser: auditedUser(user),
  ...(constraint === undefined ? {} : { authenticationMetadata: { impersonationConstraint: constraint } }),
});

function referenceOf({ info }: AuditedRequest): AuditedObject | undefined {
  if (info.type === "path") return undefined;
  const { resource, namespace, name, group, version, subresource } = info;
  return withoutEmpty({ resource, namespace, name, apiGroup: group, apiVersion: version, subresource });
}

const withoutEmpty = (reference: Readonly<Record<string, string | undefined>>): AuditedObject =>
  Object.fromEntries(Object.entries(reference).filter(([, value]) => value !== undefined && value !== ""));

const cut = (agent: string): string =>
  agent.length > longestUserAgent ? `${agent.slice(0, longestUserAgent)}${truncated}` : agent;

/** Of a Status that which cannot grow without bounds. */
function boundedStatus({ status, message, reason, details, code }: Partial<Status>): Partial<Status> {
  return {
    metadata: {},
    ...(status === undefined ? {} : { status }),
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    ...(code === undefined ? {} : { code }),
  };
}

function withoutManagedFields(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { metadata, items } = value as { readonly metadata?: object; readonly items?: readonly unknown[] };
  if (Array.isArray(items)) return { ...value, items: items.map(withoutManagedFields) };
  if (!metadata || !("managedFields" in metadata)) return value;
  const { managedFields: _, ...rest } = metadata;
  return { ...value, metadata: rest };
}
