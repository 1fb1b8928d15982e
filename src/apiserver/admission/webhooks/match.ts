import { ApiError } from "../../../apimachinery/index.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../reader.ts";
import { activationOf } from "../dynamic/activation.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import { judgeConditions } from "../dynamic/conditions.ts";
import { matchesNamespace, matchesObject } from "../dynamic/selectors.ts";
import { objectsShown } from "../dynamic/shown.ts";
import type { DynamicObserver } from "../plugin.ts";
import type { Concerned, Hook } from "./hooks.ts";

/** What finding out needs. */
export interface MatchParts {
  readonly reader: ObjectReader;
  readonly authorizer: Authorizer;
  readonly observer: DynamicObserver | undefined;
  readonly type: "admit" | "validate";
}

/** Whether a webhook that has a rule for a request is to be asked. Throws where nobody can tell. */
export function isWanted({ hook, shown }: Concerned, attributes: Attributes, parts: MatchParts): boolean {
  const inNamespace = matchesNamespace(hook, { attributes, reader: parts.reader });
  if (inNamespace === false || !matchesObject(hook, attributes)) return false;
  if (inNamespace instanceof ApiError) throw inNamespace;
  return hook.conditions.length === 0 || meetsConditions(hook, { attributes, shown, parts });
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
  const { observer } = parts;
  const about = { name, kind: "webhook", type: parts.type, operation: request.operation } as const;
  const objects = objectsShown(attributes, shown);
  const activation = activationOf(attributes, { shown, objects, authorizer: parts.authorizer });
  const started = observer?.now();
  const verdict = judgeConditions(conditions, activation);
  if (observer && started !== undefined) {
    observer.conditionsJudged({ ...about, seconds: observer.now() - started });
  }
  switch (verdict.type) {
    case "matches":
      return true;
    case "excluded":
      observer?.excluded(about);
      return false;
    case "failed": {
      for (let count = 0; count < verdict.failures; count++) observer?.conditionFailed(about);
      if (webhook.failurePolicy === "Ignore") {
        observer?.excluded(about);
        return false;
      }
      const { group, plural } = request.resource;
      throw ApiError.forbidden({ group, resource: plural }, request.name, verdict.message);
    }
  }
}
