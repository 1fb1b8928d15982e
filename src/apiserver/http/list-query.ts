import { ApiError } from "../../apimachinery/index.ts";
import { exactFieldMatch, parseFieldSelector, SelectorError } from "../../apimachinery/selector/index.ts";
import type { ListRequest, WatchRequest } from "../registry/list-options.ts";
import { flagOf, integerOf } from "./query.ts";
import type { ResourceCall } from "./resources.ts";

/** Options of a list or watch, as the query has them. */
export function readListOptions(
  call: Pick<ResourceCall, "exchange" | "info" | "served">,
): ListRequest & WatchRequest & { readonly timeoutSeconds?: number } {
  const { query } = call.exchange;
  const { info, served } = call;
  const text = (name: string) => query.get(name) ?? "";
  const [timeoutSeconds, limit] = [integerOf(query, "timeoutSeconds"), integerOf(query, "limit")];
  const initial = flagOf(query, "sendInitialEvents");
  return {
    ...(served.resource.namespaced && info.namespace !== "" ? { namespace: info.namespace } : {}),
    labelSelector: text("labelSelector"),
    fieldSelector: withName(text("fieldSelector"), info.name),
    resourceVersion: text("resourceVersion"),
    resourceVersionMatch: text("resourceVersionMatch"),
    continue: text("continue"),
    allowBookmarks: flagOf(query, "allowWatchBookmarks") ?? false,
    ...(limit === undefined ? {} : { limit }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(initial === undefined ? {} : { sendInitialEvents: initial }),
  };
}

/** The name in a path is a selector of its own, which one in the query must not contradict. */
function withName(fieldSelector: string, name: string): string {
  if (name === "") return fieldSelector;
  if (fieldSelector === "") return `metadata.name=${name.replaceAll(/[\\,=]/g, "\\$&")}`;
  if (requiredName(fieldSelector) === name) return fieldSelector;
  throw ApiError.badRequest("fieldSelector metadata.name doesn't match requested name");
}

/** The name that a selector demands, if it does. */
function requiredName(fieldSelector: string): string | undefined {
  try {
    return exactFieldMatch(parseFieldSelector(fieldSelector), "metadata.name");
  } catch (error) {
    if (error instanceof SelectorError) throw ApiError.badRequest(error.message);
    throw error;
  }
}
