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
    };

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const namespaceSubresources = new Set(["status", "finalize"]);

/** Reads a request line as upstream's RequestInfo does. */
export function requestInfoOf(request: {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}): RequestInfo {
  const { method, path } = request;
  const plain: RequestInfo = { type: "path", path, verb: method.toLowerCase() };
  const parts = path.split("/").slice(1);
  let group = "";
  let version: string | undefined;
  let rest: string[];
  if (parts[0] === "api") {
    [, version, ...rest] = parts;
  } else if (parts[0] === "apis") {
    [, group = "", version, ...rest] = parts;
  } else return plain;
  if (rest.at(-1) === "") rest.pop();
  if (version === undefined || version === "" || rest.length === 0) return plain;
  let verb = verbs[method] ?? "";
  if (rest[0] === "watch" && rest.length > 1) {
    rest.shift();
    if (verb === "get") verb = "watch";
  }
  let decoded: string[];
  try {
    decoded = rest.map((part) => decodeURIComponent(part));
  } catch {
    return plain;
  }
  let namespace = "";
  if (decoded[0] === "namespaces" && decoded.length > 1) {
    namespace = decoded[1]!;
    if (decoded.length > 2 && !namespaceSubresources.has(decoded[2]!)) decoded = decoded.slice(2);
  }
  const [resource = "", named = "", subresource = "", ...tail] = decoded;
  let name = named;
  if (verb === "get" && name === "") {
    verb = watchAsked(request.query) ? "watch" : "list";
  } else if (verb === "get" && subresource === "" && watchAsked(request.query)) verb = "watch";
  if (verb === "delete" && name === "") verb = "deletecollection";
  // Rights to one name also allow lists and watches that select it.
  if (name === "" && verb !== "create") name = selectedName(request.query.get("fieldSelector") ?? "");
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
  };
}

/** The name that a field selector demands, if it does. */
export function selectedName(fieldSelector: string): string {
  return /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(fieldSelector)?.[1] ?? "";
}

function watchAsked(query: URLSearchParams): boolean {
  const value = query.get("watch");
  return value !== null && value !== "false" && value !== "0";
}
