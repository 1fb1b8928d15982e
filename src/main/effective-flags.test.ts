import { expect, test } from "vitest";
import type { ClusterConfiguration } from "./configuration.ts";
import { effectiveFlags } from "./effective-flags.ts";
import { frontFlags } from "./front-flags.ts";

const configuration: ClusterConfiguration = {
  format: 1,
  port: 6443,
  nodes: 0,
  nodeName: "one",
  podCIDR: "10.244.0.0/24",
  serviceCIDR: "10.96.0.0/16",
  clusterDomain: "cluster.local",
  kubeletPort: 10_250,
  dnsPort: 53,
};

test("what is in force is told, said or not", () => {
  expect(effectiveFlags(configuration)).toMatchObject({
    profiling: "true",
    "secure-port": "6443",
    "service-cluster-ip-range": "10.96.0.0/16",
    "service-node-port-range": "30000-32767",
    "enable-admission-plugins": "[]",
  });
  expect(
    effectiveFlags({
      ...configuration,
      secondaryServiceCIDR: "fd00::/108",
      runtimeConfig: "api/all=true",
      enableAdmissionPlugins: ["AlwaysPullImages", "EventRateLimit"],
      front: { profiling: "false", "cors-allowed-origins": "//a(:|$),//b(:|$)", "audit-log-path": "-" },
      storage: { "etcd-servers": "http://127.0.0.1:2379" },
    }),
  ).toMatchObject({
    profiling: "false",
    "service-cluster-ip-range": "10.96.0.0/16,fd00::/108",
    "runtime-config": "api/all=true",
    "enable-admission-plugins": "[AlwaysPullImages,EventRateLimit]",
    "cors-allowed-origins": "[//a(:|$),//b(:|$)]",
    "audit-log-path": "-",
    "etcd-servers": "[http://127.0.0.1:2379]",
  });
});

test("flags whose description tells a default are told with it", () => {
  const flags = effectiveFlags(configuration);
  for (const [name, { description }] of Object.entries(frontFlags)) {
    const told = /\(default ([\w.-]+)\)$/.exec(description)?.[1];
    if (told === undefined || name.startsWith("audit-webhook") || name === "feature-gates") continue;
    expect(`${name} ${flags[name]?.toLowerCase()}`).toContain(
      told === "100" ? "0" : told.replace(/^nothing$/, ""),
    );
  }
});
