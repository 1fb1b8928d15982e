import { ApiError, selectorMatches } from "../../../apimachinery/index.ts";
import type { Selector } from "../../../apimachinery/index.ts";
import { Namespace } from "../../../api/types/core-v1.ts";
import type { ObjectReader } from "../../reader.ts";
import type { Attributes } from "./attributes.ts";

/** Selectors that both kinds of dynamic admission have. */
export interface Selectors {
  readonly namespaceSelector: Selector;
  readonly objectSelector: Selector;
}

const isEverything = ({ type, requirements }: Selector) =>
  type === "requirements" && requirements.length === 0;

/** Whether the old or the new object is selected. */
export function matchesObject({ objectSelector }: Selectors, { object, old }: Attributes): boolean {
  if (isEverything(objectSelector)) return true;
  return [object, old].some(
    (one) => one !== undefined && selectorMatches(objectSelector, one.metadata?.labels),
  );
}

/**
 * Whether the request's namespace is selected; what is of the cluster always is. Answers the error for a namespace
 * that is not there: it counts only where all else matches.
 */
export function matchesNamespace(
  { namespaceSelector }: Selectors,
  { attributes, reader }: { readonly attributes: Attributes; readonly reader: ObjectReader },
): boolean | ApiError {
  const { request, namespace, object } = attributes;
  const { resource, operation, subresource } = request;
  const isNamespace = resource.plural === "namespaces";
  if ((namespace === "" && !isNamespace) || isEverything(namespaceSelector)) return true;
  if (isNamespace && subresource === "" && (operation === "CREATE" || operation === "UPDATE")) {
    return selectorMatches(namespaceSelector, object?.metadata.labels);
  }
  const found = reader.get(Namespace, { name: namespace });
  if (!found) return ApiError.notFound({ group: "", resource: "namespaces" }, namespace);
  return selectorMatches(namespaceSelector, found.metadata.labels);
}
