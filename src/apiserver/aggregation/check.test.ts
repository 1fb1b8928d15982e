import { Agent } from "node:https";
import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import { findMissing } from "./check.ts";
import { identityHeaders } from "./identity-headers.ts";
import type { RemoteApi } from "./registered-apis.ts";
import { resolveService } from "../resolve-service.ts";

const service = { namespace: "n", name: "s", port: 443 };
const api: RemoteApi = {
  name: "v1.a.b",
  group: "a.b",
  version: "v1",
  service,
  available: false,
  agent: new Agent(),
};

interface Scene {
  readonly ports?: readonly object[];
  readonly slices?: readonly object[];
}

/** Reads a service with such ports, and the slices of its endpoints. */
const readerOf = ({ ports = [{ name: "web", port: 443 }], slices = [] }: Scene): ObjectReader =>
  ({
    get: () => ({ metadata: { name: "s" }, spec: { type: "ClusterIP", ports } }),
    list: () =>
      slices.map((slice) => ({ metadata: { labels: { "kubernetes.io/service-name": "s" } }, ...slice })),
  }) as unknown as ObjectReader;

const ports = [{ name: "web", port: 8443 }];
const endpoint = (address: string, ready?: boolean) => ({
  addresses: [address],
  conditions: ready === undefined ? {} : { ready },
});

test.each([
  {
    scene: { ports: [{ port: 80 }] },
    reason: "ServicePortError",
    message: 'service/s in "n" is not listening on port 443',
    error: 'no service port 443 found for service "s"',
  },
  {
    scene: {},
    reason: "EndpointsNotFound",
    message: 'cannot find endpointslices for service/s in "n"',
    error: 'no endpoints available for service "s"',
  },
  {
    scene: { slices: [{ ports, endpoints: [endpoint("10.0.0.1", false)] }] },
    reason: "MissingEndpoints",
    message: 'endpointslices for service/s in "n" have no addresses with port name "web"',
    error: 'no endpoints available for service "s"',
  },
])("$reason", ({ scene, reason, message, error }) => {
  const reader = readerOf(scene);
  expect(findMissing(reader, api)).toEqual({ status: "False", reason, message });
  expect(() => resolveService({ reader, random: seededRandom(1) }, service)).toThrow(error);
});

test("endpoints that are ready, or do not say, are reached at their own port", () => {
  const slices = [
    { ports: [{ name: "other", port: 1 }], endpoints: [endpoint("10.0.0.9")] },
    { ports, endpoints: [endpoint("10.0.0.1", false), endpoint("10.0.0.2")] },
  ];
  const reader = readerOf({ slices });
  expect(findMissing(reader, api)).toBeUndefined();
  const found = resolveService({ reader, random: seededRandom(1) }, service);
  expect(found).toEqual({ host: "10.0.0.2", port: 8443 });
});

test("keys that are no names of headers are escaped", () => {
  const extra = { "a.b/ü%": ["x", "y"], plain: ["z"] };
  expect(identityHeaders({ name: "u", uid: "1", groups: ["g", "h"], extra })).toEqual({
    "X-Remote-User": ["u"],
    "X-Remote-Uid": ["1"],
    "X-Remote-Group": ["g", "h"],
    "X-Remote-Extra-a.b%2F%C3%BC%25": ["x", "y"],
    "X-Remote-Extra-plain": ["z"],
  });
});
