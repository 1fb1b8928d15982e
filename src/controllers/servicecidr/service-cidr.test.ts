import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { allocatedAddress } from "../../api/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import { IPAddress, ServiceCIDR } from "../../api/types/networking-v1.ts";
import { Harness } from "../testing/harness.ts";
import { addressRepairController, serviceCidrController } from "./index.ts";
import { planRange } from "./service-cidr-controller.ts";

let harness: Harness;
beforeEach(() => (harness = new Harness()));
afterEach(() => harness.stop());

const owner = { namespace: "default", name: "web" };
const range = (name: string, ...cidrs: string[]): New<ServiceCIDR> => ({
  metadata: { name },
  spec: { cidrs },
});
const service = (name: string, ...clusterIPs: string[]) =>
  ({
    metadata: { namespace: "default", name },
    spec: { type: "ClusterIP", clusterIP: clusterIPs[0], clusterIPs },
  }) as New<Service>;

describe("service CIDRs", () => {
  beforeEach(() => harness.start([serviceCidrController]));

  it("are protected, ready, and go when no address needs them", async () => {
    await harness.create(ServiceCIDR, range("extra", "10.97.0.0/24"));
    await harness.settle();
    const [made] = await harness.list(ServiceCIDR);
    expect(made?.metadata.finalizers).toEqual(["networking.k8s.io/service-cidr-finalizer"]);
    expect(made?.status?.conditions).toMatchObject([
      { type: "Ready", status: "True", message: "Kubernetes Service CIDR is ready" },
    ]);
    await harness.create(IPAddress, allocatedAddress("10.97.0.5", owner));
    await harness.client.delete(ServiceCIDR, { name: "extra" });
    await harness.settle(20_000);
    const [kept] = await harness.list(ServiceCIDR);
    expect(kept?.status?.conditions).toMatchObject([
      { type: "Ready", status: "False", reason: "Terminating" },
    ]);
    await harness.client.delete(IPAddress, { name: "10.97.0.5" });
    await harness.settle(1_000);
    expect(await harness.list(ServiceCIDR)).toEqual([]);
  });

  it("go after a while when others hold their addresses", async () => {
    await harness.create(ServiceCIDR, range("kubernetes", "10.96.0.0/16"));
    await harness.create(ServiceCIDR, range("part", "10.96.1.0/24"));
    await harness.create(IPAddress, allocatedAddress("10.96.1.5", owner));
    await harness.settle();
    await harness.client.delete(ServiceCIDR, { name: "part" });
    await harness.settle(5_000);
    expect(await harness.list(ServiceCIDR)).toHaveLength(2);
    await harness.settle(6_000);
    expect((await harness.list(ServiceCIDR)).map(({ metadata }) => metadata.name)).toEqual(["kubernetes"]);
  });
});

test("of two equal ranges that both go, neither counts on the other", () => {
  const going = (name: string) =>
    ({
      metadata: {
        name,
        deletionTimestamp: "2026-01-01T00:00:00Z",
        finalizers: ["networking.k8s.io/service-cidr-finalizer"],
      },
      spec: { cidrs: ["10.97.0.0/24"] },
    }) as unknown as ServiceCIDR;
  const ranges = [going("one"), going("two")];
  const [first] = ranges;
  const address = allocatedAddress("10.97.0.5", owner) as IPAddress;
  const now = Date.parse("2026-01-01T01:00:00Z");
  expect(first && planRange(first, { ranges, addresses: () => [address], now })).toBe("hold");
  expect(first && planRange(first, { ranges, addresses: () => [], now })).toBe("release");
});

describe("repair of addresses", () => {
  beforeEach(async () => {
    await harness.create(ServiceCIDR, range("kubernetes", "10.96.0.0/16", "fd00::/112"));
    harness.start([addressRepairController]);
  });

  const names = async () => (await harness.list(IPAddress)).map(({ metadata }) => metadata.name).sort();

  it("makes what is missing, and leaves what fits", async () => {
    await harness.create(IPAddress, allocatedAddress("10.96.0.5", owner));
    await harness.create(Service, service("web", "10.96.0.5", "fd00::5"));
    await harness.settle();
    expect(await names()).toEqual(["10.96.0.5", "fd00::5"]);
    expect(await harness.events()).toEqual([
      "Warning ClusterIPNotAllocated Cluster IP [IPv6]: fd00::5 is not allocated; repairing",
    ]);
    await harness.client.delete(Service, owner);
    await harness.settle(50_000);
    expect(await names()).toHaveLength(2);
  });

  it("removes what nobody has once a request cannot be under way any more", async () => {
    await harness.create(IPAddress, allocatedAddress("10.96.0.6", owner));
    await harness.settle(59_000);
    expect(await names()).toEqual(["10.96.0.6"]);
    await harness.settle(3_000);
    expect(await names()).toEqual([]);
    expect(await harness.events()).toEqual([
      "Warning IPAddressNotAllocated IPAddress: 10.96.0.6 for Service default/web appears to have leaked: cleaning up",
    ]);
  });

  it("makes an object anew that someone has removed", async () => {
    await harness.create(IPAddress, allocatedAddress("10.96.0.5", owner));
    await harness.create(Service, service("web", "10.96.0.5"));
    await harness.settle();
    await harness.client.delete(IPAddress, { name: "10.96.0.5" });
    await harness.settle();
    expect(await names()).toEqual(["10.96.0.5"]);
  });

  it("leaves addresses of others alone", async () => {
    const { metadata, spec } = allocatedAddress("10.96.0.8", owner);
    await harness.create(IPAddress, { metadata: { name: metadata?.name ?? "" }, spec } as New<IPAddress>);
    await harness.settle(120_000);
    expect(await names()).toEqual(["10.96.0.8"]);
  });

  it.each([
    [
      "10.97.0.1",
      "ClusterIPOutOfRange Cluster IP [IPv4]: 10.97.0.1 is not within any configured Service CIDR; please recreate service",
    ],
    [
      "10.96.0.7",
      "ClusterIPAlreadyAllocated Cluster IP [IPv4]:10.96.0.7 was assigned to multiple services; please recreate service",
    ],
  ])("tells of an address that cannot be repaired: %s", async (address, told) => {
    await harness.create(IPAddress, allocatedAddress("10.96.0.7", owner));
    await harness.create(Service, service("web", "10.96.0.7"));
    await harness.create(Service, service("other", address));
    await harness.settle();
    expect(await harness.events()).toContain(`Warning ${told}`);
    expect(await names()).toEqual(["10.96.0.7"]);
  });

  it("makes an object anew that is said to be another's", async () => {
    const wrong = allocatedAddress("10.96.0.9", { namespace: "default", name: "gone" });
    await harness.create(IPAddress, wrong);
    await harness.create(Service, service("web", "10.96.0.9"));
    await harness.settle();
    const [address] = await harness.list(IPAddress);
    expect(address?.spec?.parentRef?.name).toBe("web");
  });
});
