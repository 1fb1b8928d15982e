import { expect, test } from "vitest";
import { containerdConfig, podNetworkConfig } from "./config.ts";
import { droppingChains } from "./forwarding.ts";
import { cgroupLayout } from "./machine.ts";
import { gatewayOf, masqueradeRules } from "./network.ts";

test("containerd keeps to its folders and knows its runtime", () => {
  const text = containerdConfig({
    rootDirectory: "/r",
    stateDirectory: "/s",
    socketPath: "/s/c.sock",
    networkConfigDirectory: "/n",
    networkPluginDirectory: "/p",
    runtime: { name: "crun", program: "/usr/bin/crun" },
    sandboxImage: "pause:1",
    registryConfigDirectory: "/c",
    restrictOomScoreAdjust: true,
  });
  for (const line of [
    'root = "/r"',
    'address = "/s/c.sock"',
    'BinaryName = "/usr/bin/crun"',
    "restrict_oom_score_adj = true",
  ])
    expect(text).toContain(line);
});

test("pods of both families get addresses and routes", () => {
  const network = JSON.parse(
    podNetworkConfig({
      clusterName: "c",
      bridgeName: "b",
      podCIDRs: ["10.0.0.0/24", "fd00::/64"],
      addressDirectory: "/a",
    }),
  );
  expect(network.plugins[0]).toMatchObject({
    bridge: "b",
    ipam: {
      ranges: [[{ subnet: "10.0.0.0/24" }], [{ subnet: "fd00::/64" }]],
      routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
    },
  });
  const rules = masqueradeRules({ clusterName: "my cluster", bridgeName: "b", podCIDRs: ["10.0.0.0/24"] });
  expect(rules).toContain("table ip kubets-pods-my-cluster {");
  expect(rules).not.toContain("ip6");
});

test.each([
  ["v2", "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"],
  [
    "hybrid",
    "30 20 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n31 20 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
  ],
  ["v1", "31 20 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu"],
] as const)("control groups are %s", (layout, mounts) => {
  expect(cgroupLayout(mounts)).toBe(layout);
});

test("the bridge has the first address of the pods' network", () => {
  expect(gatewayOf("10.244.0.0/16")).toBe("10.244.0.1/16");
  expect(gatewayOf("10.0.0.16/28")).toBe("10.0.0.17/28");
});

test("tables that drop what is forwarded are found, except those of iptables", () => {
  const chain = (more: object) => ({
    chain: { family: "ip", table: "filter", name: "FORWARD", handle: 1, ...more },
  });
  const forward = { hook: "forward", type: "filter", prio: 0 };
  const nftables = [
    { metainfo: {} },
    chain({ ...forward, policy: "drop" }),
    chain({ ...forward, family: "inet", table: "fw", name: "forward", policy: "drop" }),
    chain({ ...forward, family: "inet", table: "open", name: "forward", policy: "accept" }),
    chain({ table: "fw", name: "input", hook: "input", policy: "drop" }),
  ];
  expect(droppingChains(JSON.stringify({ nftables }))).toEqual(["inet fw forward"]);
  expect(droppingChains("")).toEqual([]);
});
