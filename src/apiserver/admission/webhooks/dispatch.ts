import { ApiError } from "../../../apimachinery/index.ts";
import type { KubernetesObject } from "../../../apimachinery/index.ts";
import type { Clock, Logger, Random } from "../../../base/index.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedTable } from "../../registry/served.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import { objectsShown } from "../dynamic/shown.ts";
import type { DynamicObserver } from "../plugin.ts";
import { ask, HookCallError, patchedObject } from "./call.ts";
import type { PostToHook } from "./call.ts";
import type { Hook } from "./hooks.ts";

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

const millisecondsPerSecond = 1_000;
const passed = 200;

/**
 * Calls a webhook and notes how it went; answers the object as the webhook has it. Throws the API's error when the
 * request is refused, or when the webhook fails and must not.
 */
export async function invoke(
  invocation: Invocation,
  parts: WebhookParts & { readonly observer: DynamicObserver | undefined },
): Promise<KubernetesObject | undefined> {
  const { hook, attributes, shown, mutating, failedOpenKey } = invocation;
  const { name, failurePolicy } = hook.webhook;
  const { clock, observer, logger } = parts;
  const { operation } = attributes.request;
  const type = mutating ? "admit" : "validating";
  const objects = objectsShown(attributes, shown);
  const started = clock.now();
  const note = ({ rejected, code }: { readonly rejected: boolean; readonly code: number }) => {
    const seconds = (clock.now() - started) / millisecondsPerSecond;
    observer?.called({ name, type, operation, rejected, code, seconds });
  };
  try {
    const verdict = await ask(hook, { attributes, shown, objects, mutating }, parts);
    const { object } = objects;
    const result = mutating ? patchedObject(hook, verdict, { object, shown }) : object;
    note({ rejected: false, code: passed });
    return result;
  } catch (error) {
    if (error instanceof HookCallError) {
      const { code } = error;
      const failure = `failed calling webhook ${JSON.stringify(name)}: ${error.message}`;
      const ignored = failurePolicy === "Ignore";
      logger.warn(`Failed calling a webhook, failing ${ignored ? "open" : "closed"}`, {
        webhook: name,
        failure,
      });
      if (!ignored) {
        observer?.rejected({ name, type, operation, errorType: "calling_webhook_error", code });
      }
      note({ rejected: !ignored, code });
      if (!ignored) throw ApiError.internal(failure);
      observer?.failedOpen({ name, type });
      attributes.request.annotate?.(failedOpenKey, name);
      return objects.object;
    }
    const code = error instanceof ApiError && error.reason !== "InternalError" ? error.code : 0;
    const errorType = code === 0 ? "apiserver_internal_error" : "no_error";
    observer?.rejected({ name, type, operation, errorType, code });
    note({ rejected: true, code });
    throw error;
  }
}
