import { afterEach, beforeEach, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { Endpoints, Pod, Service } from "../../api/types/core-v1.ts";
import { EndpointSlice } from "../../api/types/discovery-v1.ts";
import { endpointsController } from "../endpoints/index.ts";
import { Harness } from "../testing/harness.ts";
import { endpointSliceController } from "./endpointslice-controller.ts";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
  harness.start([endpointSliceController, endpointsController]);
});
afterEach(() => harness.stop());

const pod = (name: string, ip: string, ready: "True" | "False" = "True") =>
  harness.create(Pod, {
    metadata: { namespace: "n", name, labels: { app: "web" } },
    spec: { nodeName: "node", containers: [{ name: "c", ports: [{ name: "http", containerPort: 8080 }] }] },
    status: { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions: [{ type: "Ready", status: ready }] },
  } as New<Pod>);

const service = () =>
  harness.create(Service, {
    metadata: { namespace: "n", name: "web", labels: { team: "a" } },
    spec: {
      selector: { app: "web" },
      clusterIP: "10.0.0.1",
      ipFamilies: ["IPv4"],
      ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: "http" }],
    },
  } as New<Service>);

it("shows the pods of a service, ready and not", async () => {
  await service();
  await harness.settle();
  expect((await harness.list(EndpointSlice))[0]).toMatchObject({
    addressType: "IPv4",
    endpoints: [],
    ports: [],
  });
  await pod("a", "10.1.0.1");
  await pod("b", "10.1.0.2", "False");
  await harness.settle();
  const slices = await harness.list(EndpointSlice);
  expect(slices).toHaveLength(1);
  expect(slices[0]).toMatchObject({
    metadata: {
      generateName: "web-",
      labels: {
        team: "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
    },
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: [
      {
        addresses: ["10.1.0.1"],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: "node",
        targetRef: { kind: "Pod", namespace: "n", name: "a" },
      },
      { addresses: ["10.1.0.2"], conditions: { ready: false, serving: false, terminating: false } },
    ],
  });
  expect((await harness.list(Endpoints))[0]).toMatchObject({
    metadata: {
      name: "web",
      labels: { team: "a", "endpoints.kubernetes.io/managed-by": "endpoint-controller" },
    },
    subsets: [
      {
        addresses: [{ ip: "10.1.0.1", nodeName: "node" }],
        notReadyAddresses: [{ ip: "10.1.0.2" }],
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      },
    ],
  });
});

it("leaves endpoints where they are, in slices of at most a hundred", async () => {
  await service();
  for (let index = 0; index < 150; index++) await pod(`p${index}`, `10.1.0.${index}`);
  await harness.settle();
  const counts = async () => (await harness.list(EndpointSlice)).map(({ endpoints }) => endpoints?.length);
  expect(await counts()).toEqual([100, 50]);
  await harness.client.delete(Pod, { namespace: "n", name: "p7" });
  await harness.settle();
  expect(await counts()).toEqual([99, 50]);
});
