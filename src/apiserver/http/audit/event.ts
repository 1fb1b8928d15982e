import type { Status } from "../../../apimachinery/index.ts";
import type { UserInfo } from "../../../api/index.ts";
import type { Milliseconds } from "../../../base/index.ts";
import type { AuditLevel, AuditStage } from "./policy.ts";

/** What a request is about. */
export interface AuditedObject {
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly apiGroup?: string;
  readonly apiVersion?: string;
  readonly resourceVersion?: string;
  readonly subresource?: string;
}

interface AuditedUser {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** `audit.k8s.io/v1` Event: one stage of one request, its fields in upstream's order. */
export interface AuditEvent {
  readonly kind: "Event";
  readonly apiVersion: "audit.k8s.io/v1";
  readonly level: AuditLevel;
  readonly auditID: string;
  readonly stage: AuditStage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: AuditedUser;
  readonly impersonatedUser?: AuditedUser;
  readonly authenticationMetadata?: { readonly impersonationConstraint: string };
  readonly sourceIPs?: readonly string[];
  readonly userAgent?: string;
  readonly objectRef?: AuditedObject;
  readonly responseStatus?: Partial<Status>;
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A user as events have it; what is empty is left out. */
export function auditedUser({ name, uid, groups, extra }: UserInfo): AuditedUser {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

/** A point of time with microseconds. */
export const microTimeOf = (time: Milliseconds): string => {
  const millisecond = Math.floor(time);
  const micros = String(Math.floor((time - millisecond) * 1_000)).padStart(3, "0");
  return new Date(millisecond).toISOString().replace("Z", `${micros}Z`);
};

/** One line of a log: JSON as Go writes it, which is safe within HTML. */
export function jsonLine(event: AuditEvent): string {
  const text = JSON.stringify(event);
  const safe = /[<>&\u2028\u2029]/.test(text)
    ? text.replaceAll(
        /[<>&\u2028\u2029]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
      )
    : text;
  return `${safe}\n`;
}

/** One line of a log in the form that came before JSON. */
export function legacyLine(event: AuditEvent): string {
  const list = (values: readonly string[]) => values.map((value) => `"${value}"`).join(",");
  const { user, impersonatedUser: other, objectRef, responseStatus, sourceIPs = [] } = event;
  const named = (user.username ?? "") !== "";
  const fields = {
    id: event.auditID,
    stage: event.stage,
    ip: sourceIPs[0] ?? "<unknown>",
    method: event.verb,
    user: named ? user.username : "<none>",
    groups: named && user.groups ? list(user.groups) : "<none>",
    as: other ? (other.username ?? "") : "<self>",
    asgroups: other?.groups ? list(other.groups) : "<lookup>",
    "user-agent": event.userAgent ?? "",
    namespace: objectRef?.namespace ?? "<none>",
    uri: event.requestURI,
    response: responseStatus ? String(responseStatus.code ?? 0) : "<deferred>",
  };
  const texts = Object.entries(fields).map(([name, value]) => `${name}="${value}"`);
  return `${event.requestReceivedTimestamp} AUDIT: ${texts.join(" ")}\n`;
}
