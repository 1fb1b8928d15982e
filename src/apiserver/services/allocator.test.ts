import { describe, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import type { ServiceSpec } from "../../api/types/core-v1.ts";
import { IPAddress, ServiceCIDR } from "../../api/types/networking-v1.ts";
import { createUnlessPresent } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import type { Store } from "../../store/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import { createServiceAllocator } from "./allocator.ts";
import type { ServiceAllocator } from "./allocator.ts";
import { heldPorts } from "./node-ports.ts";
import { familiesOf } from "./families.ts";

async function setUp({
  store = createMemoryStore({ clock: new VirtualClock() }),
  ranges = ["10.96.0.0/24"],
}: { store?: Store; ranges?: readonly string[] } = {}) {
  const random = seededRandom(1);
  const clock = new VirtualClock();
  let allocator: ServiceAllocator | undefined;
  const server = await createApiServer({
    store,
    random,
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
    clock,
    writeHooks: ({ reader, client }) => {
      const families = familiesOf(ranges);
      allocator = createServiceAllocator({ reader, client, random, families });
      return { "/services": allocator };
    },
  });
  const client = server.client({ name: "tester", groups: [] });
  await createUnlessPresent(client, ServiceCIDR, {
    metadata: { name: "kubernetes" },
    spec: { cidrs: ranges },
  });
  const create = (name: string, spec: Partial<ServiceSpec>, options: { dryRun?: boolean } = {}) =>
    client.create(
      Service,
      {
        metadata: { name, namespace: "default" },
        spec: { selector: { a: "b" }, ports: [{ port: 80 }], ...spec },
      },
      options,
    );
  if (!allocator) throw new Error("no allocator");
  return { server, client, create, store, ports: allocator.ports };
}

describe("cluster addresses", () => {
  test("a service gets one of its own, mirrored into all its fields", async () => {
    const { create } = await setUp();
    const { spec } = await create("one", {});
    expect(spec.clusterIP).toMatch(/^10\.96\.0\.\d+$/);
    expect(spec).toMatchObject({
      clusterIPs: [spec.clusterIP],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    });
  });

  test("one that is taken or outside is refused; a deleted service gives its own back", async () => {
    const { create, client } = await setUp();
    await create("one", { clusterIP: "10.96.0.10" });
    await expect(create("two", { clusterIP: "10.96.0.10" })).rejects.toThrow(
      'Service "two" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    );
    await expect(create("two", { clusterIP: "10.97.0.1" })).rejects.toThrow(
      "failed to allocate IP 10.97.0.1: the provided network does not match the current range",
    );
    await client.delete(Service, { namespace: "default", name: "one" });
    expect((await create("two", { clusterIP: "10.96.0.10" })).spec.clusterIP).toBe("10.96.0.10");
  });

  test.each(["", "a/b", "A"])("a service that cannot be named %j is refused for its name", async (name) => {
    const { create, client } = await setUp();
    await expect(create(name, {})).rejects.toThrow(/^Service ".*" is invalid: metadata\.name: /);
    expect(await addressNames(client)).toEqual([]);
  });

  test("a dry run takes nothing", async () => {
    const { create } = await setUp();
    await create("one", { clusterIP: "10.96.0.20" }, { dryRun: true });
    await expect(create("one", { clusterIP: "10.96.0.20" })).resolves.toBeDefined();
  });

  test("a server that starts anew knows what is held", async () => {
    const first = await setUp();
    await first.create("one", { clusterIP: "10.96.0.10" });
    const second = await setUp({ store: first.store });
    await expect(second.create("two", { clusterIP: "10.96.0.10" })).rejects.toThrow("already allocated");
  });

  test("headless and external services hold none", async () => {
    const { create } = await setUp();
    expect((await create("headless", { clusterIP: "None" })).spec.clusterIPs).toEqual(["None"]);
    const external = await create("external", {
      type: "ExternalName",
      externalName: "example.com",
      ports: [],
    });
    expect(external.spec.clusterIP).toBeUndefined();
  });
});

describe("node ports", () => {
  test("are given, kept over updates, refused when taken and given back with the type", async () => {
    const { create, client } = await setUp();
    const one = await create("one", { type: "NodePort" });
    const port = one.spec.ports?.[0]?.nodePort ?? 0;
    expect(port).toBeGreaterThanOrEqual(30_000);
    await expect(create("two", { type: "NodePort", ports: [{ port: 80, nodePort: port }] })).rejects.toThrow(
      `spec.ports[0].nodePort: Invalid value: ${port}: provided port is already allocated`,
    );
    await expect(create("two", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] })).rejects.toThrow(
      "provided port is not in the valid range. The range of valid ports is 30000-32767",
    );
    const plain = await client.update(Service, { ...one, spec: { ...one.spec, type: "ClusterIP" } });
    expect(plain.spec.ports?.[0]?.nodePort).toBeUndefined();
    await expect(
      create("two", { type: "NodePort", ports: [{ port: 80, nodePort: port }] }),
    ).resolves.toBeDefined();
  });

  test("one port over two protocols shares one number", async () => {
    const { create } = await setUp();
    const dns = await create("dns", {
      type: "NodePort",
      ports: [
        { name: "udp", port: 53, protocol: "UDP" },
        { name: "tcp", port: 53, protocol: "TCP" },
      ],
    });
    const [udp, tcp] = dns.spec.ports ?? [];
    expect(udp?.nodePort).toBe(tcp?.nodePort);
  });
});

describe("addresses of two families", () => {
  const ranges = ["10.96.0.0/24", "fd00::/112"];

  test("are given by policy, and stand as objects as long as the service has them", async () => {
    const { create, client } = await setUp({ ranges });
    const one = await create("one", { ipFamilyPolicy: "PreferDualStack" });
    expect(one.spec.ipFamilies).toEqual(["IPv4", "IPv6"]);
    const [four = "", six = ""] = one.spec.clusterIPs ?? [];
    const parentRef = { resource: "services", namespace: "default", name: "one" };
    for (const [name, family] of [
      [four, "IPv4"],
      [six, "IPv6"],
    ] as const) {
      const address = await client.get(IPAddress, { name });
      expect(address.metadata.labels).toEqual({
        "ipaddress.kubernetes.io/ip-family": family,
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
      });
      expect(address.spec?.parentRef).toMatchObject(parentRef);
    }
    const single = await client.update(Service, {
      ...one,
      spec: { ...one.spec, ipFamilyPolicy: "SingleStack" },
    });
    expect(single.spec).toMatchObject({ clusterIPs: [four], ipFamilies: ["IPv4"] });
    expect(await addressNames(client)).toEqual([four]);
    const again = await client.update(Service, {
      ...single,
      spec: { ...single.spec, ipFamilyPolicy: "RequireDualStack", clusterIPs: [four, "fd00::7"] },
    });
    expect(again.spec.clusterIPs).toEqual([four, "fd00::7"]);
    const { clusterIP: _, clusterIPs: __, ipFamilies: ___, ipFamilyPolicy: ____, ...rest } = again.spec;
    await client.update(Service, {
      ...again,
      spec: { ...rest, type: "ExternalName", externalName: "example.com" },
    });
    expect(await addressNames(client)).toEqual([]);
  });

  test("are both given back when one cannot be had, or the service is wrong", async () => {
    const { create, client } = await setUp({ ranges });
    await create("one", { clusterIP: "fd00::9", clusterIPs: ["fd00::9"] });
    const wanted = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] } as const;
    await expect(
      create("two", { ...wanted, clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "fd00::9"] }),
    ).rejects.toThrow(
      'spec.clusterIPs: Invalid value: ["10.96.0.9","fd00::9"]: failed to allocate IP fd00::9: provided IP is already allocated',
    );
    await expect(create("two", { ...wanted, ports: [{ port: 0 }] })).rejects.toThrow("spec.ports[0].port");
    expect(await addressNames(client)).toEqual(["fd00::9"]);
  });

  test("dry runs show the networks' own addresses and take nothing", async () => {
    const { create, client } = await setUp({ ranges });
    const dry = await create(
      "one",
      { type: "NodePort", ipFamilyPolicy: "RequireDualStack" },
      { dryRun: true },
    );
    expect(dry.spec.clusterIPs).toEqual(["10.96.0.0", "fd00::"]);
    expect(dry.spec.ports?.[0]?.nodePort).toBe(32_769);
    await expect(create("one", { clusterIP: "10.97.0.1" }, { dryRun: true })).rejects.toThrow(
      "the provided IP (10.97.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/24",
    );
    expect(await addressNames(client)).toEqual([]);
  });
});

describe("further ranges", () => {
  test("widen what there is at once, and serve no more once they go", async () => {
    const { create, client } = await setUp({ ranges: ["10.96.0.0/30"] });
    await create("one", {});
    await create("two", {});
    await expect(create("three", {})).rejects.toThrow("failed to allocate a serviceIP: range is full");
    const extra = await client.create(ServiceCIDR, {
      metadata: { name: "extra", finalizers: ["example.com/held"] },
      spec: { cidrs: ["10.97.0.0/24"] },
    });
    expect((await create("three", {})).spec.clusterIP).toMatch(/^10\.97\.0\./);
    await client.delete(ServiceCIDR, { name: extra.metadata.name });
    await expect(create("four", {})).rejects.toThrow("range is full");
  });

  test("services come and go by chance, and addresses are always those of the services", async () => {
    const { create, client } = await setUp({ ranges: ["10.96.0.0/27", "fd00::/123"] });
    const random = seededRandom(7);
    const names = new Set<string>();
    for (let step = 0; step < 120; step++) {
      const name = `s-${Math.floor(random.next() * 40)}`;
      const policy = random.next() < 0.5 ? "SingleStack" : "PreferDualStack";
      if (names.delete(name)) await client.delete(Service, { namespace: "default", name });
      else if (await create(name, { ipFamilyPolicy: policy }).catch(() => undefined)) names.add(name);
    }
    const services = (await client.list(Service)).items;
    const held = services.flatMap(({ spec }) => spec.clusterIPs ?? []);
    expect(new Set(held).size).toBe(held.length);
    expect(await addressNames(client)).toEqual([...held].sort());
  });

  test("services change type, policy and ports by chance, and hold what they say", async () => {
    const { create, client, ports } = await setUp({ ranges: ["10.96.0.0/24", "fd00::/112"] });
    const random = seededRandom(11);
    const one = <T>(...choices: readonly T[]): T => choices[Math.floor(random.next() * choices.length)] as T;
    const chosen = () => 30_000 + Math.floor(random.next() * 6);
    for (let index = 0; index < 6; index++) await create(`s-${index}`, {});
    let changes = 0;
    for (let step = 0; step < 150; step++) {
      const key = { namespace: "default", name: `s-${Math.floor(random.next() * 6)}` };
      const type = one("ClusterIP", "NodePort", "LoadBalancer", "ExternalName");
      const body = {
        spec: {
          type,
          externalName: type === "ExternalName" ? "example.com" : null,
          ...one({}, { ipFamilyPolicy: "SingleStack" }, { ipFamilyPolicy: "PreferDualStack" }),
          ...one({}, { externalTrafficPolicy: "Local" }, { externalTrafficPolicy: "Cluster" }),
          ...one(
            {},
            { ports: [{ port: 80 }] },
            {
              ports: [
                { port: 80, nodePort: chosen() },
                { name: "b", port: 81 },
              ],
            },
          ),
        },
      };
      const options = { dryRun: random.next() < 0.2 };
      const done = await client.patch(Service, key, { type: "merge", body }, options).catch(() => undefined);
      if (done !== undefined && !options.dryRun) changes += 1;
      const specs = (await client.list(Service)).items.map(({ spec }) => spec);
      expect(await addressNames(client)).toEqual(specs.flatMap(({ clusterIPs = [] }) => clusterIPs).sort());
      const held = specs.flatMap((spec) => [...heldPorts(spec)]);
      expect([...ports.taken].sort()).toEqual([...new Set(held)].sort());
      expect(new Set(held).size).toBe(held.length);
    }
    expect(changes).toBeGreaterThan(30);
  });

  test("many services at once never share an address", async () => {
    const { create } = await setUp({ ranges: ["10.96.0.0/26"] });
    const made = await Promise.all(Array.from({ length: 62 }, (_, index) => create(`s-${index}`, {})));
    expect(new Set(made.map(({ spec }) => spec.clusterIP)).size).toBe(62);
  });
});

async function addressNames(client: Client): Promise<readonly string[]> {
  return (await client.list(IPAddress)).items.map(({ metadata }) => metadata.name).sort();
}
