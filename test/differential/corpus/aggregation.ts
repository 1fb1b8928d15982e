import { get, patch, post, put, remove, tableOf, type Sequence } from "../step.ts";

const services = "/apis/apiregistration.k8s.io/v1/apiservices";
const name = "v1.things.example.com";
const own = `${services}/${name}`;
const group = "/apis/things.example.com";
const available = "status.conditions.0.reason";
const service = { namespace: "things", name: "api" };
const registered = {
  metadata: { name },
  spec: {
    group: "things.example.com",
    version: "v1",
    service,
    groupPriorityMinimum: 1_000,
    versionPriority: 15,
  },
};

/** What an APIService says whose service is missing, comes without endpoints, or is none. */
const unavailable: Sequence = {
  name: "aggregation: an API that nobody serves",
  steps: [
    get(group),
    post(services, registered),
    get(own, { until: { path: available, is: "ServiceNotFound" } }),
    get(own, tableOf),
    get("/apis/things.example.com/v2"),
    post("/api/v1/namespaces", { metadata: { name: "things" } }, { silent: true }),
    post(
      "/api/v1/namespaces/things/services",
      {
        metadata: { name: "api" },
        spec: { clusterIP: "None", ports: [{ name: "web", port: 80 }] },
      },
      { silent: true },
    ),
    get(own, { until: { path: available, is: "ServicePortError" } }),
    patch(own, "merge", { body: { spec: { service: { port: 80 } } } }),
    patch(`${own}/status`, "merge", {
      body: { status: { conditions: [{ type: "Available", status: "Maybe" }] } },
    }),
    patch(own, "merge", { body: { spec: { service: null } } }),
    get(own, { until: { path: available, is: "Local" } }),
    get(`${group}/v1`),
    remove(own),
    get(own),
    get(group),
    remove("/api/v1/namespaces/things/services/api", undefined, { silent: true }),
  ],
};

const localName = `${services}/v1.apps`;

/** APIServices of what the server serves itself. */
const local: Sequence = {
  name: "aggregation: APIServices of the server's own",
  steps: [
    get(`${services}/v1.`),
    get(localName),
    get(localName, tableOf),
    patch(localName, "merge", { body: { spec: { versionPriority: 16 } } }),
    patch(localName, "merge", { body: { spec: { insecureSkipTLSVerify: true } } }),
    patch(localName, "merge", { body: { spec: { group: "others" } } }),
    patch(localName, "merge", { body: { spec: { versionPriority: 15 } } }),
    put(localName, { metadata: { name: "v1.apps" }, spec: {} }),
  ],
};

export const aggregationSequences: readonly Sequence[] = [unavailable, local];
