import { ApiError } from "../../../apimachinery/index.ts";
import type { JsonValue, KubernetesObject } from "../../../apimachinery/index.ts";
import type { Clock, Logger, Random } from "../../../base/index.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedTable } from "../../registry/served.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import { objectsShown } from "../dynamic/shown.ts";
import type { AdmissionRequest, DynamicObserver, DynamicRejection } from "../plugin.ts";
import { applyVerdict, ask, HookCallError } from "./call.ts";
import type { PostToHook } from "./call.ts";
import type { Hook } from "./hooks.ts";
import { denial } from "./review.ts";

/** What webhooks are called with. */
export interface WebhookParts {
  readonly reader: ObjectReader;
  readonly served: ServedTable;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly post: PostToHook;
}

/** One webhook and how it is shown a request. */
export interface Invocation {
  readonly hook: Hook;
  readonly attributes: Attributes;
  readonly shown: Shown;
  readonly mutating: boolean;
  /** For the audit log, where the webhook was passed over as it failed. */
  readonly failedOpenKey: string;
}

/** What a webhook made of an object. */
export interface Outcome {
  readonly object: KubernetesObject | undefined;
  /** What it had done to the object; absent: nothing. */
  readonly operations?: readonly JsonValue[];
}

type Parts = WebhookParts & { readonly observer: DynamicObserver | undefined };

const millisecondsPerSecond = 1_000;
const passed = 200;
/** What metrics show of webhooks from which no status came. */
const noStatus = { admit: 503, validating: 400 };

/**
 * Calls a webhook and notes how it went; answers the object as the webhook has it. Throws the API's error when the
 * request is refused, or when the webhook fails and must not.
 */
export async function invoke(invocation: Invocation, parts: Parts): Promise<Outcome> {
  const { hook, attributes, shown, mutating } = invocation;
  const { name } = hook.webhook;
  const { clock, observer } = parts;
  const { operation } = attributes.request;
  const type = mutating ? "admit" : "validating";
  const objects = objectsShown(attributes, shown);
  const { object } = objects;
  const started = clock.now();
  const note = (rejected: DynamicRejection | undefined, code: number) => {
    const seconds = (clock.now() - started) / millisecondsPerSecond;
    if (rejected) observer?.rejected({ name, type, operation, errorType: rejected, code });
    observer?.called({ name, type, operation, rejected: rejected !== undefined, code, seconds });
  };
  let verdict;
  let outcome: Outcome;
  try {
    verdict = await ask(hook, { attributes, shown, objects, mutating }, parts);
    outcome = mutating && verdict.allowed ? applyVerdict(hook, verdict, { object, shown }) : { object };
  } catch (error) {
    if (!(error instanceof HookCallError)) {
      note("apiserver_internal_error", 0);
      throw error;
    }
    const code = error.code ?? noStatus[type];
    const ignored = hook.webhook.failurePolicy === "Ignore";
    note(ignored ? undefined : "calling_webhook_error", code);
    failOpen(invocation, error, parts);
    return { object };
  }
  if (!verdict.allowed) {
    const refusal = denial(name, verdict.result);
    note("no_error", refusal.code);
    throw refusal;
  }
  note(undefined, passed);
  return outcome;
}

/** Passes over a webhook that failed; throws where that must not be. */
function failOpen(invocation: Invocation, { message }: HookCallError, parts: Parts): void {
  const { hook, attributes, mutating, failedOpenKey } = invocation;
  const { name, failurePolicy } = hook.webhook;
  const { logger, observer, clock } = parts;
  const failure = `failed calling webhook ${JSON.stringify(name)}: ${message}`;
  const ignored = failurePolicy === "Ignore";
  logger.warn(`Failed calling a webhook, failing ${ignored ? "open" : "closed"}`, { webhook: name, failure });
  if (!ignored) throw ApiError.internal(failure);
  const { request } = attributes;
  observer?.failedOpen({ name, type: mutating ? "admit" : "validating" });
  request.annotate?.(failedOpenKey, name);
  requireTime(request, clock);
}

/** Throws where the request's own time is over, or where nobody waits for it any more. */
export function requireTime({ lifetime }: AdmissionRequest, clock: Clock): void {
  if (!lifetime || (clock.now() < lifetime.deadline && !lifetime.exchange.signal.aborted)) return;
  throw ApiError.timeout("request did not complete within requested timeout", 0);
}
