import { describe, expect, test } from "vitest";
import { requestInfoOf } from "./request-info.ts";
import type { RequestInfo } from "./request-info.ts";
import { methodsOf } from "./routes.ts";

const infoOf = (method: string, target: string) => {
  const url = new URL(`https://x${target}`);
  return requestInfoOf({ method, path: target.split("?")[0]!, query: url.searchParams });
};

const base = {
  type: "resource",
  group: "",
  version: "v1",
  namespace: "",
  name: "",
  subresource: "",
  rest: "",
};

describe("what a request line asks for", () => {
  const cases: readonly (readonly [string, string, object])[] = [
    ["GET", "/healthz", { type: "path", path: "/healthz", verb: "get" }],
    ["GET", "/api/v1/", { type: "path", path: "/api/v1/", verb: "get" }],
    ["GET", "/api/v1/pods", { ...base, verb: "list", resource: "pods" }],
    ["GET", "/api/v1/pods/?watch=False", { ...base, verb: "list", resource: "pods" }],
    ["GET", "/api/v1/pods?watch", { ...base, verb: "watch", resource: "pods" }],
    ["GET", "/api/v1/nodes/n?watch=1", { ...base, verb: "get", resource: "nodes", name: "n" }],
    [
      "GET",
      "/api/v1/watch/namespaces/d/pods/p",
      { ...base, verb: "watch", resource: "pods", namespace: "d", name: "p" },
    ],
    [
      "GET",
      "/api/v1/pods?fieldSelector=metadata.name%3Dp",
      { ...base, verb: "list", resource: "pods", name: "p" },
    ],
    [
      "DELETE",
      "/apis/apps/v1/namespaces/d/deployments",
      { ...base, verb: "deletecollection", group: "apps", resource: "deployments", namespace: "d" },
    ],
    [
      "PUT",
      "/api/v1/namespaces/d/finalize",
      {
        ...base,
        verb: "update",
        resource: "namespaces",
        namespace: "d",
        name: "d",
        subresource: "finalize",
      },
    ],
    [
      "OPTIONS",
      "/api/v1/nodes/n/proxy/a%20b/c",
      { ...base, verb: "", resource: "nodes", name: "n", subresource: "proxy", rest: "/a b/c" },
    ],
    ["GET", "/api/v1/pods/%zz", { type: "unreadable", status: 400, text: "400 Bad Request" }],
    [
      "GET",
      "/apis/apps/v1/watch",
      {
        type: "unreadable",
        status: 500,
        text: 'Internal Server Error: "/apis/apps/v1/watch": failed to create RequestInfo: unable to determine kind and namespace from url, /apis/apps/v1/watch\n',
      },
    ],
  ];
  test.each(cases)("%s %s", (method, target, info) => {
    expect(infoOf(method, target)).toMatchObject(info);
  });
});

describe("the methods of a path", () => {
  const all = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
  const sub = (name: string, verbs: readonly string[]) => ({ name, kind: "X", verbs });
  const pods = {
    resource: { namespaced: true },
    verbs: all,
    subresources: [
      sub("status", ["get", "patch", "update"]),
      sub("exec", ["create", "get"]),
      sub("proxy", ["create", "delete", "get", "patch", "update"]),
    ],
  };
  const nodes = { ...pods, resource: { namespaced: false } };
  const reviews = { resource: { namespaced: false }, verbs: ["create"], subresources: [] };
  const bindings = { ...reviews, resource: { namespaced: true } };
  const inside = "/api/v1/namespaces/d/";
  const cases: readonly (readonly [object, string, string])[] = [
    [pods, `${inside}pods`, "GET POST DELETE"],
    [pods, "/api/v1/pods", "GET"],
    [pods, "/api/v1/pods/p", ""],
    [pods, `${inside}pods/p`, "GET PUT PATCH DELETE"],
    [pods, `${inside}pods/p/status`, "GET PUT PATCH"],
    [pods, `${inside}pods/p/status/more`, ""],
    [pods, `${inside}pods/p/nothing`, ""],
    [pods, `${inside}pods/p/exec`, "GET POST"],
    [pods, `${inside}pods/p/exec/more`, ""],
    [pods, `${inside}pods/p/proxy/a/b`, "GET POST PUT PATCH DELETE HEAD OPTIONS"],
    [pods, "/api/v1/watch/pods", "GET"],
    [pods, `/api/v1/watch/namespaces/d/pods/p/status`, ""],
    [nodes, "/api/v1/proxy/nodes/n", ""],
    [nodes, `${inside}pods`, ""],
    [nodes, "/api/v1/pods/p", "GET PUT PATCH DELETE"],
    [reviews, "/api/v1/reviews", "POST"],
    [reviews, "/api/v1/reviews/r", ""],
    [bindings, "/api/v1/bindings", ""],
    [bindings, `${inside}bindings`, "POST"],
  ];
  test.each(cases)("%o at %s", (served, path, methods) => {
    const info = infoOf("GET", path) as Extract<RequestInfo, { type: "resource" }>;
    expect(methodsOf(served as typeof pods, info).join(" ")).toBe(methods);
  });
});
