import { ValidatingWebhookConfiguration } from "../../../api/types/admissionregistration-v1.ts";
import { attributesOf } from "../dynamic/attributes.ts";
import { isExempt } from "../dynamic/rules.ts";
import type { AdmissionPlugin, AdmissionRequest, DynamicObserver } from "../plugin.ts";
import { invoke } from "./dispatch.ts";
import type { WebhookParts } from "./dispatch.ts";
import { HookSource } from "./hooks.ts";
import type { ConditionCompiler, Hook } from "./hooks.ts";
import { shownTo } from "./match.ts";

const failedOpenPrefix = "failed-open.validating.webhook.admission.k8s.io/";

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
      const hooks = source.all();
      if (hooks.length === 0 || isExempt(request.resource)) return undefined;
      return callAll(hooks, request, { ...options, observer });
    },
  };
}

async function callAll(
  hooks: readonly Hook[],
  request: AdmissionRequest,
  parts: WebhookParts & { readonly observer: DynamicObserver | undefined },
): Promise<void> {
  const attributes = attributesOf(request, parts.served);
  if (!attributes) return;
  const concerned = hooks.flatMap((hook) => {
    const shown = shownTo(hook, attributes, { ...parts, type: "validating" });
    return shown ? [{ hook, shown }] : [];
  });
  const outcomes = await Promise.allSettled(
    concerned.map(({ hook, shown }, index) =>
      invoke(
        {
          hook,
          attributes,
          shown,
          mutating: false,
          failedOpenKey: `${failedOpenPrefix}round_0_index_${index}`,
        },
        parts,
      ),
    ),
  );
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
