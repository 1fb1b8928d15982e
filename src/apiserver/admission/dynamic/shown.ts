import type { ServedResource, ServedTable } from "../../registry/served.ts";
import type { ShownObjects } from "./activation.ts";
import { convertedTo, untilConverted, equivalentsOf, kindOf, ruleSubjectOf } from "./attributes.ts";
import type { Attributes, Shown } from "./attributes.ts";
import { matchesRule } from "./rules.ts";
import type { OperationRule } from "./rules.ts";

/** Tells in which version requests like this one are shown to whoever has rules: their own, or else an equivalent one. */
export function rulesMatcher(
  attributes: Attributes,
  table: ServedTable,
): (rules: readonly OperationRule[], how: { readonly exact: boolean }) => Shown | undefined {
  const { served, kind, request } = attributes;
  const own = ruleSubjectOf(attributes, served);
  let others: readonly ServedResource[] | undefined;
  return (rules, { exact }) => {
    if (rules.some((rule) => matchesRule(rule, own))) return { served, kind };
    if (exact) return undefined;
    others ??= equivalentsOf(table, served);
    for (const rule of rules) {
      const found = others.find((other) => matchesRule(rule, ruleSubjectOf(attributes, other)));
      if (found) return { served: found, kind: kindOf(found, request.subresource) };
    }
    return undefined;
  };
}

/** The version of the first rule that matches a request. */
export const shownByRules = (
  rules: readonly OperationRule[],
  {
    attributes,
    served,
    exact,
  }: { readonly attributes: Attributes; readonly served: ServedTable; readonly exact: boolean },
): Shown | undefined => rulesMatcher(attributes, served)(rules, { exact });

/** What must be waited for until the request's objects can be shown; undefined where no webhook converts. */
export const untilObjectsShown = (
  { object, old, served }: Attributes,
  { served: to }: Shown,
): Promise<void> | undefined => untilConverted([object, old], { from: served, to });

/** The request's objects as a webhook or policy is shown them. */
export const objectsShown = ({ object, old, served }: Attributes, shown: Shown): ShownObjects => ({
  object: convertedTo(object, served, shown.served),
  old: convertedTo(old, served, shown.served),
});
