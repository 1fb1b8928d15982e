import { expect, test } from "vitest";
import { silentLogger, systemRandom, VirtualClock } from "../base/index.ts";
import { Service } from "../api/types/core-v1.ts";
import { EndpointSlice } from "../api/types/discovery-v1.ts";
import { createInformerFactory } from "../client/index.ts";
import { MemoryClient } from "../client/testing/index.ts";
import type { HealthCheck } from "./elements.ts";
import { runProxy, type Firewall } from "./proxy.ts";
import { flowKey } from "./udp-flows.ts";

/** Keeps what it was told; may be made to fail. */
class FakeFirewall implements Firewall {
  readonly loads: string[] = [];
  readonly forgotten: string[] = [];
  failure: Error | undefined;

  async load(commands: string): Promise<void> {
    if (this.failure) throw this.failure;
    this.loads.push(commands);
  }

  async forgetUdp(flow: Parameters<Firewall["forgetUdp"]>[0]): Promise<void> {
    if (this.failure) throw this.failure;
    this.forgotten.push(flowKey(flow));
  }
}

const namespace = "n";
const labels = (service: string) => ({ "kubernetes.io/service-name": service });

/** A proxy over an API in memory, on virtual time. */
class Bench {
  readonly clock = new VirtualClock();
  readonly firewall = new FakeFirewall();
  readonly health = new Map<string, HealthCheck | undefined>();
  readonly client = new MemoryClient({ clock: this.clock, random: systemRandom });
  readonly lifetime = new AbortController();
  private settled: Promise<unknown> = Promise.resolve();
  ready = 0;

  start(): void {
    const parts = { clock: this.clock, logger: silentLogger };
    const informers = createInformerFactory({ client: this.client, ...parts, random: systemRandom });
    const { signal } = this.lifetime;
    const { firewall, health } = this;
    this.settled = Promise.all([
      runProxy(
        {
          informers,
          firewall,
          healthChecks: { set: (service, check) => health.set(service, check), close: async () => undefined },
          table: "t",
          nodeName: "here",
          podCIDRs: ["10.1.0.0/16"],
          ...parts,
          onReady: () => this.ready++,
        },
        signal,
      ),
      informers.run(signal),
    ]);
  }

  async service(name: string, address: string, spec: object = {}): Promise<void> {
    const ports = [{ port: 80, protocol: "TCP" }];
    await this.client.create(Service, {
      metadata: { namespace, name },
      spec: { clusterIP: address, ports, ...spec },
      status: { loadBalancer: {} },
    });
  }

  async endpoints(service: string, ...addresses: string[]): Promise<void> {
    const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }));
    const key = { namespace, name: `${service}-1` };
    const slice = { addressType: "IPv4", ports: [{ port: 8080 }], endpoints };
    await this.client.delete(EndpointSlice, key).catch(() => undefined);
    await this.client.create(EndpointSlice, { metadata: { ...key, labels: labels(service) }, ...slice });
  }

  /** Commands loaded since the last call, after the time has passed in which changes are gathered. */
  async loaded(passing = 50): Promise<string[]> {
    for (let round = 0; round < 5; round++) await this.clock.advance(passing / 5);
    return this.firewall.loads.splice(0);
  }

  async end(): Promise<void> {
    this.lifetime.abort();
    await this.settled;
  }
}

test("loads all present services in one go, gathers changes, and removes its table at the end", async () => {
  const bench = new Bench();
  await bench.service("a", "10.96.0.1");
  await bench.endpoints("a", "10.1.0.1");
  await bench.service("b", "10.96.0.2");
  bench.start();
  const first = await bench.loaded();
  expect(first).toHaveLength(1);
  expect(first[0]).toContain("delete table ip t\n");
  expect(first[0]).toContain("add element ip t services { 10.96.0.1 . tcp . 80 : goto pick-1 }");
  expect(first[0]).toContain("add element ip t no-endpoints { 10.96.0.2 . tcp . 80 : goto refusal }");
  expect(bench.ready).toBe(1);

  for (let last = 1; last <= 20; last++) await bench.endpoints("b", `10.1.1.${last}`);
  const second = await bench.loaded();
  expect(second).toHaveLength(1);
  expect(second[0]).toBe(
    [
      "delete element ip t no-endpoints { 10.96.0.2 . tcp . 80 }",
      "add element ip t services { 10.96.0.2 . tcp . 80 : goto pick-1 }",
      "add element ip t endpoints { 10.96.0.2 . tcp . 80 . 0 : 10.1.1.20 . 8080 }",
      "add element ip t hairpin { 10.1.1.20 . 10.1.1.20 }",
      "",
    ].join("\n"),
  );
  await bench.end();
  expect(bench.firewall.loads).toEqual(["table ip t\ndelete table ip t\n"]);
});

test("after a failure the table is made anew, with what changed meanwhile", async () => {
  const bench = new Bench();
  await bench.service("a", "10.96.0.1");
  await bench.endpoints("a", "10.1.0.1");
  bench.start();
  await bench.loaded();
  bench.firewall.failure = new Error("table is gone");
  await bench.service("b", "10.96.0.2");
  expect(await bench.loaded(500)).toEqual([]);
  await bench.service("c", "10.96.0.3");
  bench.firewall.failure = undefined;
  const [again = "", ...more] = await bench.loaded(2000);
  expect(more).toEqual([]);
  expect(again).toContain("chain refuse-incoming");
  expect(again).toContain("add chain ip t pick-1\n");
  expect(again).toContain("add element ip t services { 10.96.0.1 . tcp . 80 : goto pick-1 }");
  expect(again).toMatch(/no-endpoints \{ 10.96.0.2 .* 10.96.0.3 /);
  expect(bench.ready).toBe(1);
  await bench.end();
});

test("services that go together with a pod they share leave nothing", async () => {
  const bench = new Bench();
  for (const name of ["a", "b"]) {
    await bench.service(name, name === "a" ? "10.96.0.1" : "10.96.0.2");
    await bench.endpoints(name, "10.1.0.1");
  }
  bench.start();
  await bench.loaded();
  for (const name of ["a", "b"]) await bench.client.delete(Service, { namespace, name });
  const [gone = ""] = await bench.loaded();
  expect(gone.match(/hairpin/g)).toHaveLength(1);
  expect(gone).toContain("delete element ip t hairpin { 10.1.0.1 . 10.1.0.1 }");
  expect(gone).not.toContain("add element");
  await bench.end();
});

test("UDP flows are forgotten when their endpoints go, also after a failure", async () => {
  const bench = new Bench();
  const ports = [{ port: 53, protocol: "UDP", nodePort: 30053 }];
  await bench.service("dns", "10.96.0.10", { ports });
  await bench.endpoints("dns", "10.1.0.1", "10.1.0.2");
  bench.start();
  await bench.loaded();
  expect(bench.firewall.forgotten.splice(0)).toEqual(["10.96.0.10:53 *", "*:30053 *"]);
  bench.firewall.failure = new Error("not now");
  await bench.endpoints("dns", "10.1.0.2");
  await bench.loaded();
  bench.firewall.failure = undefined;
  await bench.loaded(2000);
  expect(bench.firewall.forgotten.splice(0)).toEqual(["10.96.0.10:53 10.1.0.1", "*:30053 10.1.0.1"]);
  await bench.endpoints("dns");
  await bench.loaded();
  expect(bench.firewall.forgotten.splice(0)).toEqual(["10.96.0.10:53 *", "*:30053 *"]);
  await bench.end();
});

test("health checks follow the service", async () => {
  const bench = new Bench();
  await bench.service("lb", "10.96.0.1", { externalTrafficPolicy: "Local", healthCheckNodePort: 31000 });
  bench.start();
  await bench.loaded();
  expect(bench.health.get("n/lb")).toEqual({ namespace, name: "lb", port: 31000, localEndpoints: 0 });
  await bench.client.delete(Service, { namespace, name: "lb" });
  await bench.loaded();
  expect([...bench.health]).toEqual([["n/lb", undefined]]);
  await bench.end();
});
