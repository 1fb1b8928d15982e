import { expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import { Endpoints, Pod, Service } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import type { ObjectReader } from "./reader.ts";
import { resolveProxiedService, resolveService } from "./resolve-service.ts";

const key = { namespace: "n", name: "s" };
const labels = { "kubernetes.io/service-name": "s" };

interface Scene {
  readonly spec?: Partial<Service["spec"]> | "none";
  readonly slices?: readonly object[];
}

/** Reads a service like this, and slices of its endpoints. */
function partsOf({ spec = {}, slices = [] }: Scene) {
  const ports = [{ name: "web", port: 443 }, { port: 80 }];
  const service = { metadata: key, spec: { type: "ClusterIP", ports, ...(spec === "none" ? {} : spec) } };
  const read = {
    get: (resource: object) => (resource === Service && spec !== "none" ? service : undefined),
    list: (resource: object) =>
      resource === EndpointSlice ? slices.map((slice) => ({ metadata: { labels }, ...slice })) : [],
  };
  return { reader: read as unknown as ObjectReader, random: seededRandom(1) };
}

const web = [{ name: "web", port: 8443 }];
const four = { addressType: "IPv4", ports: web, endpoints: [{ addresses: ["10.0.0.1"] }] };
const six = { addressType: "IPv6", ports: web, endpoints: [{ addresses: ["fd00::1"] }] };
const unready = { ...four, endpoints: [{ addresses: ["10.0.0.2"], conditions: { ready: false } }] };

test.each([
  {
    what: "no service",
    scene: { spec: "none" },
    error: 'service "s" not found',
  },
  { what: "another port", scene: {}, port: 81, error: 'no service port 81 found for service "s"' },
  { what: "no slices", scene: {}, error: 'no endpoints available for service "s"' },
  {
    what: "no ready endpoint",
    scene: { slices: [unready] },
    error: 'no endpoints available for service "s"',
  },
  {
    what: "no endpoint of the port",
    scene: { slices: [{ ...four, ports: [{ name: "other", port: 1 }] }] },
    error: 'no endpoints available for service "s"',
  },
  {
    what: "slices of another service",
    scene: { slices: [{ ...four, metadata: { labels: {} } }] },
    error: 'no endpoints available for service "s"',
  },
] as { what: string; scene: Scene; error: string; port?: number }[])(
  "$what: there is nowhere to go",
  (row) => {
    const { scene, error, port = 443 } = row;
    const parts = partsOf(scene);
    expect(() => resolveService(parts, { ...key, port })).toThrow(error);
  },
);

test.each([
  {
    what: "an endpoint that does not say whether it is ready",
    scene: { slices: [unready, four] },
    host: "10.0.0.1",
  },
  {
    what: "the first family's before others",
    scene: { spec: { ipFamilies: ["IPv6", "IPv4"] }, slices: [four, six] },
    host: "fd00::1",
  },
  {
    what: "another family's where the first has none",
    scene: { spec: { ipFamilies: ["IPv6", "IPv4"] }, slices: [four] },
    host: "10.0.0.1",
  },
  { what: "headless services too", scene: { spec: { clusterIP: "None" }, slices: [four] }, host: "10.0.0.1" },
])("$what", ({ scene, host }) => {
  const parts = partsOf(scene as Scene);
  expect(resolveService(parts, { ...key, port: 443 })).toEqual({ host, port: 8443 });
});

test("names of other services are taken at their word", () => {
  const parts = partsOf({ spec: { type: "ExternalName", externalName: "example.org" } });
  expect(resolveService(parts, { ...key, port: 6443 })).toEqual({ host: "example.org", port: 6443 });
});

interface ProxiedScene {
  readonly service?: boolean;
  readonly subsets?: readonly object[] | "none";
  readonly pods?: Readonly<Record<string, string>>;
}

/** Reads a service, its endpoints, and pods by their addresses. */
function proxiedParts({ service = true, subsets = [], pods = { p: "10.0.0.1" } }: ProxiedScene) {
  const read = {
    get(resource: object, { name, namespace }: { name: string; namespace: string }) {
      if (resource === Pod && namespace === "n" && pods[name]) {
        return { status: { podIPs: [{ ip: "fd00::9" }, { ip: pods[name] }] } };
      }
      if (resource === Service && service)
        return { metadata: key, spec: { ports: [{ name: "web", port: 80 }] } };
      return resource === Endpoints && subsets !== "none" ? { subsets } : undefined;
    },
  };
  return { reader: read as unknown as ObjectReader, random: seededRandom(1) };
}

const address = (ip: string, namespace = "n", name = "p") => ({
  ip,
  targetRef: { kind: "Pod", name, namespace },
});
const subset = (...addresses: readonly object[]) => ({ ports: [{ name: "web", port: 8080 }], addresses });
const proxied = (scene: ProxiedScene, port: string) =>
  resolveProxiedService(proxiedParts(scene), { ...key, port, id: `http:s:${port}` });

test.each<{ what: string; scene: ProxiedScene; port: string; error: string }>([
  { what: "no service", scene: { service: false }, port: "80", error: 'services "s" not found' },
  { what: "no endpoints", scene: { subsets: "none" }, port: "web", error: 'services "s" not found' },
  { what: "another port", scene: {}, port: "81", error: 'no service port 81 found for service "s"' },
  { what: "empty endpoints", scene: {}, port: "80", error: 'no endpoints available for service "s"' },
  {
    what: "no such port's name",
    scene: { subsets: [subset(address("10.0.0.1"))] },
    port: "admin",
    error: 'no endpoints available for service "http:s:admin"',
  },
  {
    what: "an address of nobody",
    scene: { subsets: [subset({ ip: "10.0.0.1" })] },
    port: "80",
    error: 'no endpoints available for service "http:s:80"',
  },
  {
    what: "a pod of another namespace",
    scene: { subsets: [subset(address("10.0.0.1", "m"))] },
    port: "80",
    error: 'no endpoints available for service "http:s:80"',
  },
  {
    what: "an address that its pod has not",
    scene: { subsets: [subset(address("10.0.0.2"))] },
    port: "80",
    error: 'no endpoints available for service "http:s:80"',
  },
])("a proxied service with $what leads nowhere", ({ scene, port, error }) => {
  expect(() => proxied(scene, port)).toThrow(error);
});

test("a proxied service leads to one of its pods, by the number and by the name of the port", () => {
  const scene = {
    subsets: [subset(address("10.0.0.2")), subset(address("10.0.0.3", "n", "q"), address("10.0.0.1"))],
  };
  for (const port of ["80", "web"]) expect(proxied(scene, port)).toEqual({ host: "10.0.0.1", port: 8080 });
});
