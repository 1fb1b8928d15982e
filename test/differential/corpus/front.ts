import { get, inNamespace, post, type Sequence, type Step } from "../step.ts";

const send = (method: string, path: string, options: Partial<Step> = {}): Step => ({
  method,
  path,
  ...options,
});

const shapes: Sequence = {
  name: "front: paths that lead nowhere",
  steps: [
    get("/api/v2"),
    get("/api/v9/pods"),
    get("/apis/nothing.example"),
    get("/apis/nothing.example/v1/things"),
    get("/apis/apps/v9"),
    get("/apis/apps/v9/deployments"),
    get("/apis/apps/v1/nothing"),
    get("/api/v1/nothing"),
    get("/api//v1/namespaces"),
    get("/api/v1//namespaces"),
    get("/version/x"),
    get("/api/v1/watch"),
    get("/apis/apps/v1/watch"),
    get("/api/v1/proxy"),
    get("/api/v1/watch/nothing"),
    get("/api/v1/proxy/nodes/x"),
    get("/api/v1/pods/x"),
    get("/api/v1/bindings"),
    get(inNamespace("nodes")),
    get(inNamespace("pods/x/nothing")),
    get(inNamespace("pods/x/status/more")),
    get(inNamespace("pods/x/log/more")),
    get(inNamespace("configmaps/a/b/c")),
    get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/x"),
    get(inNamespace("finalize")),
  ],
};

const names: Sequence = {
  name: "front: names that are none",
  steps: [
    ...["%25", "a%2Fb", "..", "%2e", "%zz", "a%20b", "UPPER", "a".repeat(300)].map((name) =>
      get(inNamespace(`configmaps/${name}`)),
    ),
    get(inNamespace("pods/%25/exec")),
    get(inNamespace("pods/%25/log")),
    get(inNamespace("pods/%25/proxy/x")),
    get("/api/v1/namespaces/%25"),
    get("/api/v1/namespaces/a%2Fb/configmaps"),
  ],
};

const configMaps = inNamespace("configmaps");

const methods: Sequence = {
  name: "front: methods that are not allowed",
  steps: [
    ...["PUT", "PATCH", "OPTIONS", "HEAD", "TRACE"].map((method) => send(method, configMaps)),
    ...["POST", "OPTIONS", "HEAD"].map((method) => send(method, `${configMaps}/x`)),
    ...["POST", "DELETE"].map((method) => send(method, "/api/v1/pods")),
    send("DELETE", "/api/v1/watch/namespaces"),
    send("DELETE", inNamespace("pods/x/log")),
    send("PUT", inNamespace("pods/x/exec")),
    send("HEAD", inNamespace("pods/x/exec")),
    send("DELETE", inNamespace("pods/x/portforward")),
    send("OPTIONS", inNamespace("pods/x/proxy")),
    send("GET", inNamespace("pods/x/binding")),
    send("GET", inNamespace("serviceaccounts/x/token")),
    send("DELETE", "/apis/apps/v1/namespaces/default/deployments/x/scale"),
    send("POST", "/version"),
    send("POST", "/api"),
    send("DELETE", "/api/v1"),
    send("POST", "/healthz"),
    send("HEAD", "/healthz"),
  ],
};

const who: Sequence = {
  name: "front: who asks",
  steps: [
    get("/api/v1/namespaces", { headers: { authorization: "Bearer wrong" } }),
    get("/api/v1/namespaces", { headers: { authorization: "Basic eDp5" } }),
    get("/api/v1/namespaces", { headers: { authorization: "Bearer" } }),
    get("/healthz", { headers: { authorization: "nonsense" } }),
    get("/api/v1/namespaces", { headers: { "impersonate-user": "jane" } }),
    get("/api/v1/namespaces", { headers: { "impersonate-user": "system:anonymous" } }),
    get("/api/v1/namespaces", { headers: { "impersonate-user": "system:serviceaccount:a:b" } }),
    get("/api/v1/namespaces", { headers: { "impersonate-user": "system:serviceaccount:a:B_" } }),
    post("/api/v1/namespaces", {}, { headers: { "impersonate-user": "jane" } }),
  ],
};

const health: Sequence = {
  name: "front: health",
  steps: [
    get("/healthz"),
    get("/livez/ping"),
    get("/readyz/etcd"),
    get("/readyz/shutdown"),
    get("/readyz/poststarthook/rbac/bootstrap-roles"),
    get("/healthz/poststarthook/crd-informer-synced"),
  ],
};

/** What the server does with requests before it looks at a resource. */
export const frontSequences: readonly Sequence[] = [shapes, names, methods, who, health];
