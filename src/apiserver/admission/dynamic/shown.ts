import type { ServedTable } from "../../registry/served.ts";
import type { ShownObjects } from "./activation.ts";
import { convertedTo, equivalentsOf, kindOf, ruleSubjectOf } from "./attributes.ts";
import type { Attributes, Shown } from "./attributes.ts";
import { matchesRule } from "./rules.ts";
import type { OperationRule } from "./rules.ts";

/** The version of the first rule that matches: the request's own, or else an equivalent one. */
export function shownByRules(
  rules: readonly OperationRule[],
  {
    attributes,
    served: table,
    exact,
  }: { readonly attributes: Attributes; readonly served: ServedTable; readonly exact: boolean },
): Shown | undefined {
  const { served, kind, request } = attributes;
  const own = ruleSubjectOf(attributes, served);
  if (rules.some((rule) => matchesRule(rule, own))) return { served, kind };
  if (exact || rules.length === 0) return undefined;
  const others = equivalentsOf(table, served);
  for (const rule of rules) {
    const found = others.find((other) => matchesRule(rule, ruleSubjectOf(attributes, other)));
    if (found) return { served: found, kind: kindOf(found, request.subresource) };
  }
  return undefined;
}

/** The request's objects as a webhook or policy is shown them. */
export const objectsShown = ({ object, old, served }: Attributes, shown: Shown): ShownObjects => ({
  object: convertedTo(object, served, shown.served),
  old: convertedTo(old, served, shown.served),
});
