import { flagOf } from "./query.ts";
import {
  exactFieldMatch,
  isPathSegmentName,
  parseFieldSelector,
  SelectorError,
} from "../../apimachinery/index.ts";

/** What a path and method ask for. */
export type RequestInfo =
  | { readonly type: "path"; readonly path: string; readonly verb: string }
  | {
      readonly type: "resource";
      readonly path: string;
      readonly verb: string;
      readonly group: string;
      readonly version: string;
      readonly resource: string;
      readonly namespace: string;
      readonly name: string;
      readonly subresource: string;
      /** What follows the subresource, with its slash: the path to proxy to. */
      readonly rest: string;
      /** How the path leads to the resource. */
      readonly route: Route;
    };

export type ResourceInfo = Extract<RequestInfo, { type: "resource" }>;

/** The shape of a resource's path, which decides what methods it takes. */
export interface Route {
  /** Whether the path goes through a namespace. */
  readonly scoped: boolean;
  /** 1 for a collection, 2 for an object, 3 for a subresource, more for what lies below one. */
  readonly depth: number;
  /** A word before the resource, as old watches have it. */
  readonly prefix: "" | "watch" | "proxy";
}

/** A path that says nothing: it is answered with a line of text. */
export interface UnreadableRequest {
  readonly type: "unreadable";
  readonly status: number;
  readonly text: string;
}

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const namespaceSubresources = new Set(["status", "finalize"]);
/** Words that once stood before resources; they still are no names of resources. */
const prefixOf = (word: string | undefined): Route["prefix"] =>
  word === "watch" || word === "proxy" ? word : "";

/** How many request lines are remembered. */
const rememberedLines = 2_048;

/** Reads request lines; clients repeat themselves, so those without a query are remembered. */
export class RequestInfos {
  private readonly known = new Map<string, Map<string, RequestInfo>>();
  private size = 0;

  of(request: Parameters<typeof requestInfoOf>[0]): RequestInfo | UnreadableRequest {
    if (request.query.size > 0) return requestInfoOf(request);
    const known = this.known.get(request.method)?.get(request.path);
    if (known) return known;
    const info = requestInfoOf(request);
    if (info.type !== "unreadable") this.keep(request, info);
    return info;
  }

  private keep(
    { method, path }: { readonly method: string; readonly path: string },
    info: RequestInfo,
  ): void {
    if (this.size >= rememberedLines) {
      this.known.clear();
      this.size = 0;
    }
    let paths = this.known.get(method);
    if (!paths) this.known.set(method, (paths = new Map()));
    paths.set(path, info);
    this.size += 1;
  }
}

/** Reads a request line as upstream's RequestInfo does. */
export function requestInfoOf(request: {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}): RequestInfo | UnreadableRequest {
  const { method } = request;
  const path = decoded(request.path);
  if (path === undefined) return { type: "unreadable", status: 400, text: "400 Bad Request" };
  const plain: RequestInfo = { type: "path", path, verb: method.toLowerCase() };
  const parts = path.split("/").slice(1);
  while (parts.at(-1) === "") parts.pop();
  const grouped = parts[0] === "apis";
  if (!grouped && parts[0] !== "api") return plain;
  const [group = "", version = "", ...rest] = grouped ? parts.slice(1) : ["", ...parts.slice(1)];
  if (rest.length === 0) return plain;
  let verb = verbs[method] ?? "";
  const prefix = prefixOf(rest[0]);
  if (prefix !== "" && rest.length === 1) {
    const why = `failed to create RequestInfo: unable to determine kind and namespace from url, ${path}`;
    const text = `Internal Server Error: ${JSON.stringify(request.path)}: ${why}\n`;
    return { type: "unreadable", status: 500, text };
  }
  if (prefix !== "") {
    verb = prefix;
    rest.shift();
  }
  return resourceInfo({ path, verb, group, version, rest, prefix }, request.query);
}

/** The path without its escapes; undefined when one is broken. */
function decoded(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function resourceInfo(
  from: {
    path: string;
    verb: string;
    group: string;
    version: string;
    rest: string[];
    prefix: Route["prefix"];
  },
  query: URLSearchParams,
): ResourceInfo {
  const { path, group, version, prefix } = from;
  let { verb, rest } = from;
  let namespace = "";
  let scoped = false;
  if (rest[0] === "namespaces" && rest.length > 1) {
    namespace = rest[1]!;
    if (rest.length > 2 && !namespaceSubresources.has(rest[2]!)) {
      rest = rest.slice(2);
      scoped = true;
    }
  }
  const [resource = "", named = "", subresource = "", ...tail] = rest;
  let name = named;
  if (verb === "get" && name === "") {
    verb = flagOf(query, "watch") ? "watch" : "list";
    // Rights to one name also allow lists and watches that select it.
    name = selectedName(query.get("fieldSelector") ?? "");
  } else if (verb === "delete" && name === "") verb = "deletecollection";
  return {
    type: "resource",
    path,
    verb,
    group,
    version,
    resource,
    namespace,
    name,
    subresource,
    rest: tail.length > 0 ? `/${tail.join("/")}` : "",
    route: { scoped, depth: rest.length, prefix },
  };
}

/** The name that a field selector demands, if it does. */
function selectedName(fieldSelector: string): string {
  if (!fieldSelector.includes("metadata.name")) return "";
  try {
    const name = exactFieldMatch(parseFieldSelector(fieldSelector), "metadata.name") ?? "";
    return isPathSegmentName(name).length === 0 ? name : "";
  } catch (error) {
    // Whoever lists says what is wrong with the selector.
    if (error instanceof SelectorError) return "";
    throw error;
  }
}
