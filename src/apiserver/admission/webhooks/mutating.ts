import type { KubernetesObject } from "../../../apimachinery/index.ts";
import { semanticallyEqual } from "../../../api/index.ts";
import { MutatingWebhookConfiguration } from "../../../api/types/admissionregistration-v1.ts";
import { attributesOf, convertedTo, requestObject, untilConverted } from "../dynamic/attributes.ts";
import type { Attributes } from "../dynamic/attributes.ts";
import { Reinvocation } from "../dynamic/reinvocation.ts";
import { isExempt } from "../dynamic/rules.ts";
import { untilObjectsShown } from "../dynamic/shown.ts";
import type { AdmissionPlugin, AdmissionRequest, DynamicObserver } from "../plugin.ts";
import { invoke } from "./dispatch.ts";
import type { WebhookParts } from "./dispatch.ts";
import { HookSource } from "./hooks.ts";
import type { Concerned, ConditionCompiler } from "./hooks.ts";
import { isWanted } from "./match.ts";

const pluginName = "MutatingAdmissionWebhook";
const mutationPrefix = "mutation.webhook.admission.k8s.io/";
const patchPrefix = "patch.webhook.admission.k8s.io/";

type Parts = WebhookParts & { readonly observer: DynamicObserver | undefined };

/** Webhooks that may change objects: one after the other, each sees what those before it made. */
export function mutatingWebhooks(
  options: WebhookParts & { readonly compiler: ConditionCompiler },
): AdmissionPlugin {
  const source = new HookSource(MutatingWebhookConfiguration, options);
  let observer: DynamicObserver | undefined;
  const run = (request: AdmissionRequest) => {
    if (source.isEmpty || isExempt(request.resource)) return undefined;
    const start = attributesOf(request, options.served);
    if (!start) return undefined;
    const hooks = source.for(start);
    return hooks.length === 0 ? undefined : callAll(hooks, start, { ...options, observer });
  };
  return {
    name: pluginName,
    operations: ["CREATE", "UPDATE", "DELETE", "CONNECT"],
    observe: (given) => void (observer = given),
    admit(request) {
      const changed = run(request);
      return changed === undefined ? request.object : changed.then((object) => object ?? request.object);
    },
    hear: (request) => run(request)?.then(() => undefined),
  };
}

async function callAll(
  hooks: readonly Concerned[],
  start: Attributes,
  parts: Parts,
): Promise<KubernetesObject | undefined> {
  const { request } = start;
  const again = Reinvocation.of(request, pluginName);
  let attributes = start;
  for (const concerned of hooks) {
    const converting = untilObjectsShown(attributes, concerned.shown);
    if (converting) await converting;
    if (!isWanted(concerned, attributes, { ...parts, type: "admit" })) continue;
    const { hook } = concerned;
    if (!again.isDue(hook.id, request)) continue;
    const object = await mutated(concerned, attributes, parts);
    if (object !== attributes.object) {
      again.changed(request);
      attributes = { ...attributes, object };
    }
    if (hook.webhook.reinvocationPolicy === "IfNeeded") again.called(hook.id);
  }
  const { object } = attributes;
  const output = object && object !== start.object ? requestObject(start, object) : request.object;
  again.ended(output);
  return output;
}

/** What a webhook makes of the object: the same one when it changes nothing. The audit log hears of it in any case. */
async function mutated(
  { hook, index, shown }: Concerned,
  attributes: Attributes,
  parts: Parts,
): Promise<KubernetesObject | undefined> {
  const { request } = attributes;
  const { configuration, webhook } = hook;
  const place = `round_${request.rounds?.current ?? 0}_index_${index}`;
  const key = `${mutationPrefix}${place}`;
  const about = { configuration, webhook: webhook.name };
  let changed = false;
  try {
    const failedOpenKey = `failed-open.${key}`;
    const outcome = await invoke({ hook, attributes, shown, mutating: true, failedOpenKey }, parts);
    const { operations: patch } = outcome;
    if (!patch) return attributes.object;
    request.annotate?.(
      `${patchPrefix}${place}`,
      JSON.stringify({ ...about, patch, patchType: "JSONPatch" }),
      "Request",
    );
    const converting = untilConverted([outcome.object], { from: shown.served, to: attributes.served });
    if (converting) await converting;
    const object = convertedTo(outcome.object, shown.served, attributes.served);
    changed = !semanticallyEqual(object, attributes.object);
    return changed ? object : attributes.object;
  } finally {
    request.annotate?.(key, JSON.stringify({ ...about, mutated: changed }));
  }
}
