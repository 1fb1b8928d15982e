import { describe, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import type { ServiceSpec } from "../../api/types/core-v1.ts";
import { ServiceCIDR } from "../../api/types/networking-v1.ts";
import { createUnlessPresent } from "../../api/index.ts";
import type { Store } from "../../store/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import { createServiceAllocator } from "./allocator.ts";
import { familiesOf } from "./families.ts";

async function setUp({
  store = createMemoryStore({ clock: new VirtualClock() }),
  ranges = ["10.96.0.0/24"],
}: { store?: Store; ranges?: readonly string[] } = {}) {
  const random = seededRandom(1);
  const clock = new VirtualClock();
  const server = await createApiServer({
    store,
    random,
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
    clock,
    writeHooks: ({ reader, client }) => ({
      "/services": createServiceAllocator({ reader, client, random, families: familiesOf(ranges) }),
    }),
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
  return { server, client, create, store };
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
