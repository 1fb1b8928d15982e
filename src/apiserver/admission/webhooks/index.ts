import { CelCache } from "../../../cel/index.ts";
import type { Environment } from "../../../cel/index.ts";
import { conditionEnvironment } from "../dynamic/conditions.ts";
import type { AdmissionPlugin } from "../plugin.ts";
import type { WebhookParts } from "./dispatch.ts";
import { mutatingWebhooks } from "./mutating.ts";
import { validatingWebhooks } from "./validating.ts";

export { HookCallError, type PostToHook } from "./call.ts";
export { nestingProblem } from "./depth.ts";

/** The plugins that call webhooks. */
export function admissionWebhooks(parts: WebhookParts): readonly AdmissionPlugin[] {
  const isServed = parts.served.hasGroupVersion("admissionregistration.k8s.io", "v1");
  if (!isServed) return [];
  let environment: Environment | undefined;
  const compiler = {
    cache: new CelCache(),
    environment: () => (environment ??= conditionEnvironment()),
  };
  return [mutatingWebhooks({ ...parts, compiler }), validatingWebhooks({ ...parts, compiler })];
}
