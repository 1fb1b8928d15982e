import { ApiError } from "../../../apimachinery/index.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedTable } from "../../registry/served.ts";
import { activationOf } from "../dynamic/activation.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import { judgeConditions } from "../dynamic/conditions.ts";
import { matchesNamespace, matchesObject } from "../dynamic/selectors.ts";
import { objectsShown, shownByRules } from "../dynamic/shown.ts";
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
