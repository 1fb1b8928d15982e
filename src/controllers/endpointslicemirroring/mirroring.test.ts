import { afterEach, beforeEach, expect, it } from "vitest";
import { Endpoints, Service } from "../../api/types/core-v1.ts";
import { EndpointSlice } from "../../api/types/discovery-v1.ts";
import { Harness } from "../testing/harness.ts";
import { endpointSliceMirroringController } from "./index.ts";
import { isMirrored, mirrorLimit, planMirror } from "./plan.ts";

const endpoints = (rest: object, metadata: object = {}) =>
  ({ metadata: { namespace: "n", name: "own", ...metadata }, ...rest }) as unknown as Endpoints;
const service = (spec: object) => ({ metadata: { namespace: "n", name: "own" }, spec }) as unknown as Service;

it("mirrors what no controller keeps", () => {
  const plain = endpoints({});
  const leader = { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } };
  const skipped = { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } };
  expect(isMirrored(plain, service({}))).toBe(true);
  expect(isMirrored(plain, undefined)).toBe(false);
  expect(isMirrored(plain, service({ selector: { a: "b" } }))).toBe(false);
  expect(isMirrored(endpoints({}, leader), service({}))).toBe(false);
  expect(isMirrored(endpoints({}, skipped), service({}))).toBe(false);
});

it("sorts addresses into families, and leaves out what is too much or no address", () => {
  const many = Array.from({ length: mirrorLimit + 2 }, (_, index) => ({
    ip: `10.0.${index >> 8}.${index & 255}`,
  }));
  const mirror = planMirror(
    endpoints({
      subsets: [
        { addresses: many },
        { addresses: [{ ip: "fd00::1" }, { ip: "x" }], notReadyAddresses: [{ ip: "10.9.9.9" }] },
      ],
    }),
  );
  expect([mirror.IPv4.length, mirror.IPv6.length, mirror.skipped, mirror.invalid]).toEqual([
    mirrorLimit + 1,
    1,
    2,
    1,
  ]);
  expect(mirror.IPv4.at(-1)?.endpoint).toEqual({ addresses: ["10.9.9.9"], conditions: { ready: false } });
});

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
  harness.start([endpointSliceMirroringController]);
});
afterEach(() => harness.stop());

it("keeps slices like the endpoints, and removes them with a selector", async () => {
  const made = await harness.create(Service, service({}));
  const subsets = [{ addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [{ port: 80 }] }];
  const own = await harness.create(
    Endpoints,
    endpoints(
      { subsets },
      {
        labels: { a: "b" },
        annotations: { note: "x", "kubectl.kubernetes.io/last-applied-configuration": "y" },
      },
    ),
  );
  await harness.settle();
  const [slice, ...others] = await harness.list(EndpointSlice);
  expect(others).toEqual([]);
  expect(slice).toMatchObject({
    metadata: {
      generateName: "own-",
      labels: {
        a: "b",
        "kubernetes.io/service-name": "own",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
      },
      annotations: { note: "x" },
      ownerReferences: [{ apiVersion: "v1", kind: "Endpoints", name: "own", controller: true }],
    },
    addressType: "IPv4",
    ports: [{ name: "", port: 80, protocol: "TCP" }],
    endpoints: [
      { addresses: ["10.0.0.1"], conditions: { ready: true } },
      { addresses: ["10.0.0.2"], conditions: { ready: true } },
    ],
  });
  expect(Object.keys(slice?.metadata.annotations ?? {})).toEqual(["note"]);
  await harness.change(Endpoints, own, {
    subsets: [{ addresses: [{ ip: "10.0.0.2" }], ports: [{ port: 80 }] }],
  });
  await harness.settle();
  expect(
    (await harness.list(EndpointSlice)).map((entry) => [entry.metadata.name, entry.endpoints?.length]),
  ).toEqual([[slice?.metadata.name, 1]]);
  await harness.change(Endpoints, own, { subsets: null });
  await harness.settle();
  expect(await harness.list(EndpointSlice)).toEqual([]);
  await harness.change(Endpoints, own, { subsets });
  await harness.settle();
  expect(await harness.list(EndpointSlice)).toHaveLength(1);
  await harness.change(Service, made, { spec: { selector: { a: "b" } } });
  await harness.settle();
  expect(await harness.list(EndpointSlice)).toEqual([]);
});
