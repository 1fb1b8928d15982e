import { get, inNamespace, patch, post, remove, type Sequence } from "../step.ts";

const services = inNamespace("services");
const at = (name: string) => `${services}/${name}`;
const service = (name: string, spec: Record<string, unknown>) => ({
  metadata: { name },
  spec: { selector: { app: "web" }, ports: [{ port: 80 }], ...spec },
});
const refused = (spec: Record<string, unknown>) => post(services, service("refused", spec));
const port = (nodePort: number, rest: Record<string, unknown> = {}) => ({ port: 80, nodePort, ...rest });

/** What services are given, and refused: addresses, families and ports of nodes. */
export const serviceSequences: readonly Sequence[] = [
  {
    name: "addresses of services",
    steps: [
      post(services, service("chosen", { clusterIP: "10.96.3.4" })),
      refused({ clusterIP: "10.96.3.4" }),
      refused({ clusterIP: "10.200.0.1" }),
      refused({ clusterIP: "web" }),
      refused({ clusterIP: "10.96.3.9", clusterIPs: ["10.96.3.8"] }),
      refused({ clusterIPs: ["10.96.3.9"] }),
      post(services, service("headless", { clusterIP: "None" })),
      post(services, service("open", { clusterIP: "None", selector: {} })),
      post(services, service("external", { type: "ExternalName", externalName: "example.com", ports: [] })),
      patch(at("chosen"), "merge", { body: { spec: { clusterIP: "10.96.3.5" } } }),
      patch(at("chosen"), "merge", { body: { spec: { type: "ExternalName", externalName: "example.com" } } }),
      get(at("chosen")),
      post(services, service("next", { clusterIP: "10.96.3.4" })),
      patch(at("chosen"), "merge", { body: { spec: { type: "ClusterIP", externalName: null } } }),
      ...["chosen", "headless", "open", "external", "next"].map((name) => remove(at(name))),
      post(`${services}?dryRun=All`, service("again", { clusterIP: "10.96.3.4" })),
      post(services, service("again", { clusterIP: "10.96.3.4" })),
      remove(at("again")),
    ],
  },
  {
    name: "node ports of services",
    steps: [
      post(services, service("nodes", { type: "NodePort", ports: [port(30_123)] })),
      refused({ type: "NodePort", ports: [port(30_123)] }),
      refused({ type: "NodePort", ports: [port(80)] }),
      refused({ type: "ClusterIP", ports: [port(30_124)] }),
      refused({
        type: "NodePort",
        ports: [port(30_125, { name: "a" }), { port: 81, nodePort: 30_125, name: "b", protocol: "UDP" }],
      }),
      post(
        services,
        service("twins", {
          type: "NodePort",
          ports: [
            { name: "tcp", port: 53 },
            { name: "udp", port: 53, protocol: "UDP", nodePort: 30_126 },
          ],
        }),
      ),
      patch(at("nodes"), "json", {
        body: [{ op: "replace", path: "/spec/ports/0/nodePort", value: 30_126 }],
      }),
      patch(at("nodes"), "json", {
        body: [{ op: "replace", path: "/spec/ports/0/nodePort", value: 30_127 }],
      }),
      patch(at("nodes"), "json", { body: [{ op: "add", path: "/spec/ports/0/name", value: "one" }] }),
      patch(at("nodes"), "json", {
        body: [{ op: "add", path: "/spec/ports/-", value: { name: "two", port: 81, protocol: "TCP" } }],
      }),
      patch(at("nodes"), "merge", { body: { spec: { type: "ClusterIP" } } }),
      post(
        services,
        service("balanced", {
          type: "LoadBalancer",
          externalTrafficPolicy: "Local",
          healthCheckNodePort: 30_130,
        }),
      ),
      refused({ type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 30_130 }),
      refused({ type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 99 }),
      refused({ type: "LoadBalancer", healthCheckNodePort: 30_131 }),
      patch(at("balanced"), "merge", { body: { spec: { healthCheckNodePort: 30_132 } } }),
      patch(at("balanced"), "merge", { body: { spec: { externalTrafficPolicy: "Cluster" } } }),
      patch(at("balanced"), "merge", { body: { spec: { externalTrafficPolicy: "Local" } } }),
      ...["nodes", "twins", "balanced"].map((name) => remove(at(name))),
    ],
  },
];
