import { ValidatingWebhookConfiguration } from "../../../api/types/admissionregistration-v1.ts";
import { attributesOf } from "../dynamic/attributes.ts";
import type { Attributes } from "../dynamic/attributes.ts";
import { isExempt } from "../dynamic/rules.ts";
import { untilObjectsShown } from "../dynamic/shown.ts";
import type { AdmissionPlugin, DynamicObserver } from "../plugin.ts";
import { invoke, requireTime } from "./dispatch.ts";
import type { WebhookParts } from "./dispatch.ts";
import { HookSource } from "./hooks.ts";
import type { Concerned, ConditionCompiler } from "./hooks.ts";
import { isWanted } from "./match.ts";

const failedOpenPrefix = "failed-open.validating.webhook.admission.k8s.io/";

/** Webhooks that are asked about one request at a time; each holds the whole object. */
const askedAtOnce = 64;

type Parts = WebhookParts & { readonly observer: DynamicObserver | undefined };

/** Webhooks that may only refuse: all at once. */
export function validatingWebhooks(
  options: WebhookParts & { readonly compiler: ConditionCompiler },
): AdmissionPlugin {
  const source = new HookSource(ValidatingWebhookConfiguration, options);
  let observer: DynamicObserver | undefined;
  return {
    name: "ValidatingAdmissionWebhook",
    operations: ["CREATE", "UPDATE", "DELETE", "CONNECT"],
    observe: (given) => void (observer = given),
    validate(request) {
      if (source.isEmpty || isExempt(request.resource)) return undefined;
      const attributes = attributesOf(request, options.served);
      if (!attributes) return undefined;
      const hooks = source.for(attributes);
      return hooks.length === 0 ? undefined : callAll(hooks, attributes, { ...options, observer });
    },
  };
}

async function callAll(hooks: readonly Concerned[], attributes: Attributes, parts: Parts): Promise<void> {
  const shown = new Set(hooks.map((concerned) => concerned.shown));
  const converting = Array.from(shown, (each) => untilObjectsShown(attributes, each) ?? []).flat();
  if (converting.length > 0) await Promise.all(converting);
  const wanted = hooks.filter((concerned) => isWanted(concerned, attributes, { ...parts, type: "validate" }));
  if (wanted.length === 0) return;
  requireTime(attributes.request, parts.clock);
  const refusals: unknown[] = [];
  const waiting = wanted.entries();
  const askSome = async () => {
    for (const [index, { hook, shown }] of waiting) {
      const failedOpenKey = `${failedOpenPrefix}round_0_index_${index}`;
      await invoke({ hook, attributes, shown, mutating: false, failedOpenKey }, parts).catch(
        (error: unknown) => void refusals.push(error),
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(askedAtOnce, wanted.length) }, askSome));
  if (refusals.length > 0) throw refusals[0];
}
