import type { UserInfo } from "../../../api/index.ts";
import type { Milliseconds } from "../../../base/index.ts";
import type { AuditRecord } from "../audit/record.ts";
import type { Exchange } from "../exchange.ts";
import type { ServedResource } from "../../registry/served.ts";
import type { Upgrade } from "../listener.ts";
import type { RequestInfo } from "../request-info.ts";

/** Headers of an answer that is being made. */
export type AnswerHeaders = Record<string, string | readonly string[]>;

/** A request on its way through the filters. */
export interface Incoming {
  readonly exchange: Exchange;
  /** Headers of whatever is answered. */
  readonly headers: AnswerHeaders;
  readonly info: RequestInfo;
  readonly upgrade: Upgrade | undefined;
  readonly received: Milliseconds;
  /** When it is given up; it is known behind the filter that sees to it. */
  deadline: Milliseconds;
  /** Whether it may take as long as it likes: watches and what leaves HTTP. */
  readonly longRunning: boolean;
  /** What is asked for, if it is served. */
  readonly served: ServedResource | undefined;
  /** Who asks; anonymous before it is found out. */
  readonly user: UserInfo;
  /** Hears what the client should be warned of. */
  readonly warn: (message: string) => void;
  /** What is recorded of it; absent: nothing is. */
  readonly audit?: AuditRecord;
  /** Hears that a watch has sent what there was: from then on it costs little. */
  readonly onWatching: () => void;
  /** Has something done when the request is over, however it ends. */
  readonly onEnd: (action: () => void) => void;
}

/** What a filter returns that has answered at once. */
export const answered: Promise<void> = Promise.resolve();

/** Answers a request; settles when the answer is out, or throws. */
export type Handle = (request: Incoming) => Promise<void>;

/**
 * What stands before a handler: lets requests through, changed or not, or answers them itself. Most need not wait for
 * what follows and are no async functions: there are many of them before each request.
 */
export type Filter = (next: Handle) => Handle;

/** The filters around a handler, the first outermost. */
export function chain(filters: readonly Filter[], handle: Handle): Handle {
  return filters.reduceRight((next, filter) => filter(next), handle);
}

const longVerbs = new Set(["watch", "proxy"]);
const longSubresources = new Set(["attach", "exec", "proxy", "log", "portforward"]);

/** Whether a request may take as long as it likes. */
export function isLongRunning(info: RequestInfo): boolean {
  if (info.type === "path") return info.path.startsWith("/debug/pprof/");
  return longVerbs.has(info.verb) || longSubresources.has(info.subresource);
}

const readingVerbs = new Set(["get", "list", "watch"]);

/** Whether a request changes nothing, by its verb. */
export const isReading = ({ verb }: RequestInfo): boolean => readingVerbs.has(verb);

/** Paths that are answered whatever else happens, so that the server can be looked at. */
const exemptPaths = ["/readyz", "/livez", "/healthz", "/metrics"];

/** Whether a request is answered even while the server closes. */
export const isExempt = ({ exchange }: Incoming): boolean =>
  exemptPaths.some((path) => exchange.path.startsWith(path));
