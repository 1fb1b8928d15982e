import { ApiError } from "../../../apimachinery/index.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedTable } from "../../registry/served.ts";
import { activationOf } from "../dynamic/activation.ts";
import type { ShownObjects } from "../dynamic/activation.ts";
import { convertedTo, equivalentsOf, kindOf, ruleSubjectOf } from "../dynamic/attributes.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import { judgeConditions } from "../dynamic/conditions.ts";
import { matchesRule } from "../dynamic/rules.ts";
import type { OperationRule } from "../dynamic/rules.ts";
import { matchesNamespace, matchesObject } from "../dynamic/selectors.ts";
import type { DynamicObserver } from "../plugin.ts";
import type { Hook } from "./hooks.ts";

/** What finding out needs. */
export interface MatchParts {
  readonly reader: ObjectReader;
  readonly served: ServedTable;
  readonly authorizer: Authorizer;
  readonly observer: DynamicObserver | undefined;
  readonly type: "admit" | "validating";
}

/** In which version a webhook is shown a request; undefined when it is not concerned. Throws where nobody can tell. */
export function shownTo(hook: Hook, attributes: Attributes, parts: MatchParts): Shown | undefined {
  const inNamespace = matchesNamespace(hook, { attributes, reader: parts.reader });
  if (inNamespace === false || !matchesObject(hook, attributes)) return undefined;
  const { rules = [], matchPolicy } = hook.webhook;
  const shown = shownByRules(rules, { attributes, served: parts.served, exact: matchPolicy === "Exact" });
  if (!shown) return undefined;
  if (inNamespace instanceof ApiError) throw inNamespace;
  return hook.conditions.length === 0 || meetsConditions(hook, { attributes, shown, parts })
    ? shown
    : undefined;
}

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

function meetsConditions(
  { conditions, webhook }: Hook,
  {
    attributes,
    shown,
    parts,
  }: { readonly attributes: Attributes; readonly shown: Shown; readonly parts: MatchParts },
): boolean {
  const { request } = attributes;
  const { name } = webhook;
  const objects = objectsShown(attributes, shown);
  const activation = activationOf(attributes, { shown, objects, authorizer: parts.authorizer });
  const verdict = judgeConditions(conditions, activation);
  switch (verdict.type) {
    case "matches":
      return true;
    case "excluded":
      parts.observer?.excluded({
        name,
        kind: "webhook",
        type: parts.type,
        operation: request.operation,
      });
      return false;
    case "failed": {
      for (let count = 0; count < verdict.failures; count++) {
        parts.observer?.conditionFailed({ name, kind: "webhook" });
      }
      if (webhook.failurePolicy === "Ignore") return false;
      const { group, plural } = request.resource;
      throw ApiError.forbidden({ group, resource: plural }, request.name, verdict.message);
    }
  }
}
