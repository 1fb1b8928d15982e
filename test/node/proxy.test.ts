import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import { Service } from "../../src/api/types/core-v1.ts";
import { EndpointSlice } from "../../src/api/types/discovery-v1.ts";
import { createInformerFactory } from "../../src/client/index.ts";
import { MemoryClient } from "../../src/client/testing/index.ts";
import { addServiceRoute, firewallBy, runProxy } from "../../src/proxy/index.ts";
import { addresses, reasonToSkip, TestNetwork } from "./network.ts";

const reason = reasonToSkip();
if (reason !== undefined) console.log(`Tests of service rules with real packets are skipped: ${reason}`);

const namespace = "default";
const address = "10.96.0.5";
const nodePort = 30080;
const network = new TestNetwork();
const client = new MemoryClient({ clock: systemClock, random: systemRandom });
const lifetime = new AbortController();
let running: Promise<unknown>;
/** How often rules were loaded. */
const count = { loads: 0, forgetting: 0 };

function listRules(): string {
  const file = `/run/netns/kt${process.pid}-node`;
  return execFileSync("nsenter", [`--net=${file}`, "nft", "list", "ruleset"], { encoding: "utf8" });
}

beforeAll(async () => {
  if (reason !== undefined) return;
  await network.start();
  const machine = firewallBy(network.onNode);
  const informers = createInformerFactory({
    client,
    clock: systemClock,
    logger: silentLogger,
    random: systemRandom,
  });
  await new Promise<void>((resolve, reject) => {
    const proxy = runProxy(
      {
        informers,
        firewall: {
          load: async (commands) => {
            await machine.load(commands);
            count.loads++;
          },
          forgetUdp: async (flow) => {
            count.forgetting++;
            await machine.forgetUdp(flow).finally(() => count.forgetting--);
          },
        },
        healthChecks: { set: () => undefined, close: async () => undefined },
        table: "services",
        nodeName: "node",
        podCIDRs: ["10.1.0.0/24"],
        clock: systemClock,
        logger: {
          ...silentLogger,
          error: (message, fields) => reject(new Error(`${message}: ${String(fields?.["error"])}`)),
        },
        onReady: resolve,
      },
      lifetime.signal,
    );
    proxy.catch(reject);
    running = Promise.all([proxy, informers.run(lifetime.signal)]);
  });
}, 60_000);

afterAll(async () => {
  if (reason !== undefined) return;
  lifetime.abort();
  await running;
  const left = listRules();
  await network.stop();
  expect(left).toBe("");
}, 60_000);

/** Makes a change and waits until its rules are in force, for flows that are under way too. */
async function inForce(change: () => Promise<unknown>): Promise<void> {
  const before = count.loads;
  await change();
  for (let wait = 0; count.loads === before || count.forgetting > 0; wait++) {
    if (wait > 500) throw new Error("no rules were loaded");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

type Pod = "pod-1" | "pod-2";

const service = (protocol: "TCP" | "UDP", spec: object, status: object = {}) =>
  client.create(Service, {
    metadata: { namespace, name: "web" },
    spec: { clusterIP: address, ports: [{ port: 80, protocol, nodePort }], ...spec },
    status: { loadBalancer: {}, ...status },
  });

const slice = (pods: readonly Pod[], more: object = {}) => ({
  metadata: { namespace, name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ port: 8080 }],
  endpoints: pods.map((pod) => ({
    addresses: [addresses[pod]],
    nodeName: "node",
    conditions: { ready: true },
    ...more,
  })),
});

async function serve(
  pods: readonly Pod[],
  {
    protocol = "TCP",
    status = {},
    spec = {},
  }: { protocol?: "TCP" | "UDP"; status?: object; spec?: object } = {},
): Promise<void> {
  await inForce(async () => {
    await client.create(EndpointSlice, slice(pods));
    await service(protocol, spec, status);
  });
}

const setEndpoints = (pods: readonly Pod[], more: object = {}) =>
  inForce(() =>
    client.patch(EndpointSlice, { namespace, name: "web-1" }, { type: "merge", body: slice(pods, more) }),
  );

const who = (answers: readonly string[]) => new Set(answers.map((answer) => answer.split(" ")[0]));

describe.skipIf(reason !== undefined)("packets to services", { timeout: 60_000 }, () => {
  beforeEach(async () => {
    const left = await client.list(Service, {});
    if (left.items.length === 0) return;
    await inForce(() => client.delete(Service, { namespace, name: "web" }));
    await client.delete(EndpointSlice, { namespace, name: "web-1" });
  });

  test("reach endpoints from pods with their own address, from outside by the node's, on the node by loopback", async () => {
    await serve(["pod-2"]);
    expect(await network.ask("pod-1", `${address} 80`)).toEqual([`pod-2 ${addresses["pod-1"]} hello`]);
    expect(await network.ask("outside", `${addresses.node} ${nodePort}`)).toEqual([
      `pod-2 ${addresses.bridge} hello`,
    ]);
    expect(await network.ask("node", `127.0.0.1 ${nodePort}`)).toEqual([`pod-2 ${addresses.bridge} hello`]);
  });

  test("reach all endpoints in turn", async () => {
    await serve(["pod-1", "pod-2"]);
    expect(who(await network.ask("outside", `${address} 80`, 12))).toEqual(new Set(["pod-1", "pod-2"]));
  });

  test("come back to the pod that sent them", async () => {
    await serve(["pod-1"]);
    expect(await network.ask("pod-1", `${address} 80`)).toEqual([`pod-1 ${addresses.bridge} hello`]);
  });

  test("are refused at once without endpoints, while connections that are open go on", async () => {
    await serve(["pod-1"]);
    const open = await network.talk("outside", `tcp ${address} 80`);
    expect(await open.say("one")).toBe(`pod-1 ${addresses.outside} one`);
    await setEndpoints([]);
    for (const to of [`${address} 80`, `${addresses.node} ${nodePort}`] as const)
      expect(await network.ask("outside", to)).toEqual(["failed ECONNREFUSED"]);
    expect(await network.ask("node", `127.0.0.1 ${nodePort}`)).toEqual(["failed ECONNREFUSED"]);
    expect(await open.say("two")).toBe(`pod-1 ${addresses.outside} two`);
    await open.end();
  });

  test("of one client stay with an endpoint, also when others come, and find another when it goes", async () => {
    await serve(["pod-2"], { spec: { sessionAffinity: "ClientIP" } });
    const to = `${address} 80` as const;
    expect(who(await network.ask("outside", to))).toEqual(new Set(["pod-2"]));
    await setEndpoints(["pod-1", "pod-2"]);
    expect(who(await network.ask("outside", to, 6))).toEqual(new Set(["pod-2"]));
    await setEndpoints(["pod-1"]);
    expect(who(await network.ask("outside", to))).toEqual(new Set(["pod-1"]));
    await setEndpoints(["pod-1", "pod-2"]);
    expect(who(await network.ask("outside", to, 6))).toEqual(new Set(["pod-1"]));
  });

  test("by UDP go on from the same socket when endpoints are exchanged, or were missing at first", async () => {
    await serve([], { protocol: "UDP" });
    const inside = await network.talk("pod-2", `udp ${address} 80`);
    const outside = await network.talk("outside", `udp ${addresses.node} ${nodePort}`);
    expect(await inside.say("early")).toMatch(/^(silence|failed ECONNREFUSED)$/);
    await setEndpoints(["pod-1"]);
    expect(await inside.say("one")).toBe(`pod-1 ${addresses["pod-2"]} one`);
    expect(await outside.say("one")).toBe(`pod-1 ${addresses.bridge} one`);
    await setEndpoints(["pod-2"]);
    expect(await inside.say("two")).toBe(`pod-2 ${addresses.bridge} two`);
    expect(await outside.say("two")).toBe(`pod-2 ${addresses.bridge} two`);
    await inside.end();
    await outside.end();
  });

  test("from outside keep their address with local traffic, and wait where no endpoint is local", async () => {
    await serve(["pod-1"], { spec: { externalTrafficPolicy: "Local" } });
    const to = `${addresses.node} ${nodePort}` as const;
    expect(await network.ask("outside", to)).toEqual([`pod-1 ${addresses.outside} hello`]);
    await setEndpoints(["pod-1"], { nodeName: "other" });
    expect(await network.ask("outside", to)).toEqual(["silence"]);
    expect(await network.ask("pod-2", to)).toEqual([`pod-1 ${addresses["pod-2"]} hello`]);
    expect(await network.ask("node", `127.0.0.1 ${nodePort}`)).toEqual([`pod-1 ${addresses.bridge} hello`]);
  });

  test("reach endpoints that end when there are no others", async () => {
    await serve(["pod-1"]);
    await setEndpoints(["pod-1", "pod-2"]);
    await setEndpoints(["pod-1"], { conditions: { ready: false, serving: true, terminating: true } });
    expect(who(await network.ask("outside", `${address} 80`))).toEqual(new Set(["pod-1"]));
  });

  test.each([
    { ranges: ["192.0.2.0/24", "192.0.2.2/32"], heard: `pod-1 ${addresses.bridge} hello` },
    { ranges: ["198.51.100.0/24"], heard: "silence" },
  ])("to a load balancer's address from outside $ranges: $heard", async ({ ranges, heard }) => {
    const ip = "203.0.113.5";
    await serve(["pod-1"], {
      spec: { loadBalancerSourceRanges: ranges },
      status: { loadBalancer: { ingress: [{ ip }] } },
    });
    expect(await network.ask("outside", `${ip} 80`)).toEqual([heard]);
  });

  test("of a node without a default route need a route, which is removed again", async () => {
    await serve(["pod-1"]);
    const to = `${address} 80` as const;
    expect(await network.ask("node", to)).toEqual(["failed ENETUNREACH"]);
    const route = { range: "10.96.0.0/16", run: network.onNode };
    const remove = await addServiceRoute(route);
    expect((await network.ask("node", to))[0]).toMatch(/^pod-1 \S+ hello$/);
    await (
      await addServiceRoute(route)
    )();
    expect((await network.ask("node", to))[0]).toMatch(/^pod-1 /);
    await remove();
    expect(await network.ask("node", to)).toEqual(["failed ENETUNREACH"]);
  });
});
