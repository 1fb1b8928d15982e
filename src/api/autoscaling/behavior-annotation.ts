import { internalValue } from "../common/internal-value.ts";
import type { HorizontalPodAutoscalerBehavior } from "../types/autoscaling-v2.ts";
import { parsed, readAs } from "./annotation-value.ts";

const directions = ["scaleUp", "scaleDown"] as const;
const ruleFields = ["stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"] as const;
const policyFields = ["type", "value", "periodSeconds"] as const;

/** A behavior as upstream writes it into an annotation: with the names of the server's own fields, all of them. */
export function writeBehavior(behavior: HorizontalPodAutoscalerBehavior): string {
  return JSON.stringify(internalValue(behavior, "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior"));
}

/** The behavior in an annotation, of which names may be written either way. */
export function readBehavior(text: string | undefined): HorizontalPodAutoscalerBehavior | undefined {
  const behavior = read(parsed(text), directions, (rules) =>
    read(rules, ruleFields, (value) =>
      Array.isArray(value) ? value.map((policy) => read(policy, policyFields) ?? {}) : value,
    ),
  );
  if (behavior === undefined || Object.keys(behavior).length === 0) return undefined;
  return readAs<HorizontalPodAutoscalerBehavior>(behavior, "v2.HorizontalPodAutoscalerBehavior");
}

const same = (value: unknown) => value;

function read(
  value: unknown,
  names: readonly string[],
  change: (value: unknown) => unknown = same,
): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const found = Object.entries(value).flatMap(([key, inner]) => {
    const name = names.find((each) => each.toLowerCase() === key.toLowerCase());
    const changed = inner === null ? undefined : change(inner);
    return name === undefined || changed === undefined ? [] : [[name, changed] as const];
  });
  return Object.fromEntries(found);
}
