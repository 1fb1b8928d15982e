import { ApiError } from "../../../apimachinery/index.ts";
import type { Clock } from "../../../base/index.ts";
import { AuditedExchange } from "../audit/audited-exchange.ts";
import type { Auditor } from "../audit/auditor.ts";
import { longestRecordedBody, valueOfBody } from "../audit/bodies.ts";
import { decide } from "../audit/policy.ts";
import { auditedRequest, AuditRecord } from "../audit/record.ts";
import type { ResponseHeaders } from "../exchange.ts";
import { sendText } from "../respond.ts";
import { attributesOf } from "./authorization.ts";
import { answered } from "./filter.ts";
import type { Filter, Handle, Incoming } from "./filter.ts";

/** Records requests as the policy says. The first goes outside of what finds out who asks, the second right behind it. */
export function auditFilters({ auditor, clock }: { readonly auditor: Auditor; readonly clock: Clock }): {
  readonly unknown: Filter;
  readonly known: Filter;
} {
  /** Requests whose user was found out, by the headers of their answers, which stay the same. */
  const known = new WeakSet<object>();
  const recordOf = (request: Incoming, isKnown: boolean): AuditRecord | undefined => {
    const decision = decide(auditor.policy, attributesOf(request), isKnown);
    auditor.decided(decision.level);
    if (decision.level === "None") return undefined;
    return new AuditRecord(auditedRequest(request), {
      decision,
      clock,
      emit: (event) => auditor.record(event),
    });
  };
  return {
    unknown: (next) => async (request) => {
      try {
        await next(request);
      } catch (error) {
        if (error instanceof ApiError && !known.has(request.headers))
          recordOf(request, false)?.refused(error);
        throw error;
      }
    },
    known: (next) => (request) => {
      known.add(request.headers);
      const record = recordOf(request, true);
      if (!record) return next(request);
      if (record.received()) return recorded(record, request, next);
      auditor.rejected();
      return refuseUnrecorded(request);
    },
  };
}

function refuseUnrecorded({ exchange, headers }: Incoming): Promise<void> {
  const text = `Internal Server Error: ${JSON.stringify(exchange.target)}: failed to store audit event\n`;
  sendText(exchange, { status: 500, text, headers });
  return answered;
}

async function recorded(record: AuditRecord, request: Incoming, next: Handle): Promise<void> {
  const answer = new RecordedAnswer(record, request);
  const exchange = new AuditedExchange(request.exchange, answer);
  try {
    await next({ ...request, exchange, audit: record });
  } catch (error) {
    await keepRequest(record, exchange);
    if (error instanceof ApiError) {
      record.failed(error);
      record.completed(error.code);
    } else record.panicked(error);
    throw error;
  }
  await keepRequest(record, exchange);
  await answer.keep();
  record.completed(exchange.status);
}

/** A body that nobody took for an object of the resource. */
async function keepRequest(record: AuditRecord, exchange: AuditedExchange): Promise<void> {
  const { read } = exchange;
  if (!record.keepsRequest || record.hasRequestObject || !read || read.length === 0) return;
  // Patches are objects of JSON, whatever they are called.
  const contentType = (exchange.headers["content-type"] ?? "").replace(/\+json$/, "");
  const isPatch = exchange.method === "PATCH" && !contentType.includes("cbor");
  const value = await valueOfBody(read, { contentType: isPatch ? "application/yaml" : contentType });
  const names = exchange.method === "DELETE" ? { kind: "DeleteOptions", apiVersion: "v1" } : undefined;
  record.sawBody(names && typeof value === "object" ? { ...names, ...value } : value);
}

/** What is answered, as far as it is recorded. */
class RecordedAnswer {
  readonly onBody: ((bytes: Uint8Array, headers: ResponseHeaders) => void) | undefined;
  private readonly record: AuditRecord;
  private readonly request: Incoming;
  private parts: Uint8Array[] = [];
  private length = 0;
  private headers: ResponseHeaders = {};

  constructor(record: AuditRecord, request: Incoming) {
    this.record = record;
    this.request = request;
    this.onBody = this.isObject() ? (bytes, headers) => this.add(bytes, headers) : undefined;
  }

  onHead(status: number): void {
    if (this.request.longRunning) this.record.begun(status);
  }

  /** Hands what was answered to the record: the object, or at least a Status. */
  async keep(): Promise<void> {
    if (this.parts.length === 0) return;
    const contentType = String(this.headers["content-type"] ?? "");
    const compressed = this.headers["content-encoding"] === "gzip";
    this.record.sawAnswer(await valueOfBody(Buffer.concat(this.parts), { contentType, compressed }));
  }

  /** Whether objects are answered: not where it goes on for long, nor at plain paths but for discovery. */
  private isObject(): boolean {
    const { info, longRunning } = this.request;
    if (longRunning) return false;
    if (info.type === "path") return this.record.keepsResponse && /^\/apis?(?:\/|$)/.test(info.path);
    // Of the rest only deletions and refusals are answered with a Status.
    return true;
  }

  private add(bytes: Uint8Array, headers: ResponseHeaders): void {
    if (!this.record.keepsResponse && bytes.length > longestStatus) return;
    this.length += bytes.length;
    if (this.length > longestRecordedBody) this.parts = [];
    else this.parts.push(Buffer.from(bytes));
    this.headers = headers;
  }
}

/** An answer that is longer is no Status. */
const longestStatus = 64 * 1024;
