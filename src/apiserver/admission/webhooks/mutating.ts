import type { KubernetesObject } from "../../../apimachinery/index.ts";
import { semanticallyEqual } from "../../../api/index.ts";
import { MutatingWebhookConfiguration } from "../../../api/types/admissionregistration-v1.ts";
import { attributesOf, convertedTo, requestObject } from "../dynamic/attributes.ts";
import type { Attributes } from "../dynamic/attributes.ts";
import { Reinvocation } from "../dynamic/reinvocation.ts";
import { isExempt } from "../dynamic/rules.ts";
import type { AdmissionPlugin, AdmissionRequest, DynamicObserver } from "../plugin.ts";
import { invoke } from "./dispatch.ts";
import type { WebhookParts } from "./dispatch.ts";
import { HookSource } from "./hooks.ts";
import type { ConditionCompiler, Hook } from "./hooks.ts";
import { shownTo } from "./match.ts";

const pluginName = "MutatingAdmissionWebhook";
const annotationPrefix = "mutation.webhook.admission.k8s.io/";

/** Webhooks that may change objects: one after the other, each sees what those before it made. */
export function mutatingWebhooks(
  options: WebhookParts & { readonly compiler: ConditionCompiler },
): AdmissionPlugin {
  const source = new HookSource(MutatingWebhookConfiguration, options);
  let observer: DynamicObserver | undefined;
  const run = (request: AdmissionRequest) => {
    const hooks = source.all();
    if (hooks.length === 0 || isExempt(request.resource)) return request.object;
    return callAll(hooks, request, { ...options, observer });
  };
  return {
    name: pluginName,
    operations: ["CREATE", "UPDATE", "DELETE", "CONNECT"],
    observe: (given) => void (observer = given),
    admit(request) {
      const changed = run(request);
      return changed instanceof Promise ? changed.then((object) => object ?? request.object) : request.object;
    },
    async hear(request) {
      await run(request);
    },
  };
}

async function callAll(
  hooks: readonly Hook[],
  request: AdmissionRequest,
  parts: WebhookParts & { readonly observer: DynamicObserver | undefined },
): Promise<KubernetesObject | undefined> {
  const start = attributesOf(request, parts.served);
  if (!start) return request.object;
  const { rounds } = request;
  const again = Reinvocation.of(request, pluginName);
  const round = rounds?.current ?? 0;
  let attributes: Attributes = start;
  for (const [index, hook] of hooks.entries()) {
    const shown = shownTo(hook, attributes, { ...parts, type: "admit" });
    if (!shown || !again.isDue(hook.id, request)) continue;
    const key = `${annotationPrefix}round_${round}_index_${index}`;
    const result = await invoke(
      { hook, attributes, shown, mutating: true, failedOpenKey: `failed-open.${key}` },
      parts,
    );
    const object = convertedTo(result, shown.served, attributes.served);
    const changed = result !== undefined && !semanticallyEqual(object, attributes.object);
    const { configuration, webhook } = hook;
    request.annotate?.(key, JSON.stringify({ configuration, webhook: webhook.name, mutated: changed }));
    if (changed) {
      again.changed(request);
      attributes = { ...attributes, object };
    }
    if (webhook.reinvocationPolicy === "IfNeeded") again.called(hook.id);
  }
  const { object } = attributes;
  const output = object && object !== start.object ? requestObject(start, object) : request.object;
  again.ended(output);
  return output;
}
