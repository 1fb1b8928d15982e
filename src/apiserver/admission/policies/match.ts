import { ApiError, labelSelectorOf } from "../../../apimachinery/index.ts";
import type { MatchResources } from "../../../api/types/admissionregistration-v1.ts";
import type { ObjectReader } from "../../reader.ts";
import type { ServedTable } from "../../registry/served.ts";
import type { Attributes, Shown } from "../dynamic/attributes.ts";
import type { OperationRule } from "../dynamic/rules.ts";
import { matchesNamespace, matchesObject } from "../dynamic/selectors.ts";
import type { Selectors } from "../dynamic/selectors.ts";
import { shownByRules } from "../dynamic/shown.ts";

type NamedRule = OperationRule & { readonly resourceNames?: readonly string[] };

/** Which requests a policy or a binding is for. */
export interface Scope extends Selectors {
  readonly rules: readonly NamedRule[];
  readonly excluded: readonly NamedRule[];
  readonly exact: boolean;
}

/** What a policy's or a binding's resources say, made once. */
export function scopeOf(resources: MatchResources = {}): Scope {
  return {
    namespaceSelector: labelSelectorOf(resources.namespaceSelector ?? {}),
    objectSelector: labelSelectorOf(resources.objectSelector ?? {}),
    rules: resources.resourceRules ?? [],
    excluded: resources.excludeResourceRules ?? [],
    exact: resources.matchPolicy === "Exact",
  };
}

/** How a request is shown where the scope includes it; undefined where it does not. Throws where nobody can tell. */
export function shownInScope(
  scope: Scope,
  {
    attributes,
    reader,
    served,
  }: { readonly attributes: Attributes; readonly reader: ObjectReader; readonly served: ServedTable },
): Shown | undefined {
  const inNamespace = matchesNamespace(scope, { attributes, reader });
  if (inNamespace === false || !matchesObject(scope, attributes)) return undefined;
  const { name } = attributes.request;
  const named = (rules: readonly NamedRule[]) =>
    rules.filter(({ resourceNames = [] }) => resourceNames.length === 0 || resourceNames.includes(name));
  const { exact } = scope;
  if (shownByRules(named(scope.excluded), { attributes, served, exact })) return undefined;
  const shown =
    scope.rules.length === 0
      ? { served: attributes.served, kind: attributes.kind }
      : shownByRules(named(scope.rules), { attributes, served, exact });
  if (shown && inNamespace instanceof ApiError) throw inNamespace;
  return shown;
}
