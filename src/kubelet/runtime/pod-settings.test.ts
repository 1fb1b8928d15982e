import { expect, test } from "vitest";
import type { Container, Pod } from "../../api/types/core-v1.ts";
import type { Image } from "../../cri/index.ts";
import { podDns } from "./dns.ts";
import { hostsFile } from "./hosts-file.ts";
import { cpuQuota, cpuShares, oomScoreAdjust, podLimit, podRequest, qosClass } from "./resources.ts";
import { sandboxConfig } from "./sandbox-config.ts";
import { linuxSecurityContext } from "./security-context.ts";

const container = (more: Partial<Container> = {}): Container => ({ name: "c", resources: {}, ...more });
const podOf = (spec: Partial<Pod["spec"]>) =>
  ({
    metadata: { name: "p", namespace: "d", uid: "u" },
    spec: { containers: [container()], ...spec },
  }) as unknown as Pod;

const settings = {
  clusterDNS: ["10.96.0.10"],
  clusterDomain: "cluster.local",
  hostResolvConf: "nameserver 192.0.2.53\nsearch example.org.\noptions edns0\n",
};

test.each([
  ["ClusterFirst", {}, ["10.96.0.10"], "ndots:5"],
  ["Default", {}, ["192.0.2.53"], "edns0"],
  ["ClusterFirst", { hostNetwork: true }, ["192.0.2.53"], "edns0"],
  ["ClusterFirstWithHostNet", { hostNetwork: true }, ["10.96.0.10"], "ndots:5"],
] as const)("policy %s with %o resolves by %o", (dnsPolicy, spec, servers, option) => {
  const dns = podDns(podOf({ dnsPolicy, ...spec }), settings);
  expect([dns.servers, dns.options]).toEqual([servers, [option]]);
});

test("a pod's own name resolution is merged", () => {
  const dnsConfig = {
    nameservers: ["1.1.1.1"],
    searches: ["a.b"],
    options: [{ name: "ndots", value: "2" }, { name: "debug" }],
  };
  expect(podDns(podOf({ dnsConfig }), settings)).toEqual({
    servers: ["10.96.0.10", "1.1.1.1"],
    searches: ["d.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.org", "a.b"],
    options: ["ndots:2", "debug"],
  });
  expect(
    podDns(podOf({ dnsPolicy: "None", dnsConfig: { nameservers: ["9.9.9.9"] } }), settings).searches,
  ).toEqual([]);
});

test("host names of sandboxes", () => {
  const config = (spec: Partial<Pod["spec"]>) =>
    sandboxConfig(podOf(spec), {
      attempt: 0,
      logDirectory: "/l",
      cgroupParent: "/c",
      seccompDirectory: "/s",
      dns: settings,
    });
  expect(config({}).hostname).toBe("p");
  expect(config({ hostname: "h", subdomain: "sub" }).hostname).toBe("h");
  expect(config({ hostname: "h", subdomain: "sub", setHostnameAsFQDN: true }).hostname).toBe(
    "h.sub.d.svc.cluster.local",
  );
  expect(config({ hostNetwork: true }).hostname).toBe("");
  const ports = [{ containerPort: 80, hostPort: 8080, protocol: "UDP" as const }];
  expect(config({ containers: [container({ ports })] }).portMappings).toEqual([
    { protocol: 1, containerPort: 80, hostPort: 8080, hostIp: "" },
  ]);
});

test("the hosts file names the pod and its aliases", () => {
  const pod = podOf({
    hostname: "h",
    subdomain: "s",
    hostAliases: [{ ip: "1.2.3.4", hostnames: ["x", "y"] }],
  });
  const text = hostsFile(pod, { ips: ["10.0.0.1"], clusterDomain: "cluster.local", hostFile: "" });
  expect(text.split("\n")[0]).toBe("# Kubernetes-managed hosts file.");
  expect(text).toContain("10.0.0.1\th.s.d.svc.cluster.local\th\n");
  expect(text.endsWith("\n# Entries added by HostAliases.\n1.2.3.4\tx\ty\n")).toBe(true);
});

const resources = (requests: Record<string, string>, limits: Record<string, string> = {}) =>
  container({ resources: { requests, limits } });

test.each([
  [container(), "BestEffort", 1000],
  [resources({ cpu: "1", memory: "1Gi" }, { cpu: "1", memory: "1Gi" }), "Guaranteed", -997],
  [resources({ memory: "1Gi" }), "Burstable", 750],
  [resources({ cpu: "1m" }), "Burstable", 999],
] as const)("class of service of %#", (own, qos, adjust) => {
  const pod = podOf({ containers: [own] });
  expect(qosClass(pod)).toBe(qos);
  expect(oomScoreAdjust(pod, { container: own, memoryCapacity: 4 * 2 ** 30 })).toBe(adjust);
});

test("processor time and totals", () => {
  expect([cpuShares(0), cpuShares(250), cpuQuota(500), cpuQuota(1)]).toEqual([2, 256, 50_000, 1000]);
  const pod = podOf({
    initContainers: [resources({ cpu: "3" }), { ...resources({ cpu: "1" }), restartPolicy: "Always" }],
    containers: [resources({ cpu: "500m" }, { memory: "1Gi" })],
  });
  expect([podRequest(pod, "cpu"), podLimit(pod, "memory"), podLimit(pod, "cpu")]).toEqual([
    3,
    2 ** 30,
    undefined,
  ]);
});

test("who a container runs as", () => {
  const image = (user: object) => ({ username: "", ...user }) as unknown as Image;
  const context = (own: object, shared: object, from: Image) =>
    linuxSecurityContext(podOf({ securityContext: shared }), container({ securityContext: own }), {
      seccompDirectory: "/s",
      image: from,
    });
  expect(context({}, { runAsUser: 5 }, image({})).runAsUser).toEqual({ value: 5 });
  expect(context({ runAsUser: 6 }, { runAsUser: 5 }, image({})).runAsUser).toEqual({ value: 6 });
  expect(context({}, {}, image({ username: "web" })).runAsUsername).toBe("web");
  expect(context({}, { fsGroup: 7, supplementalGroups: [8] }, image({})).supplementalGroups).toEqual([8, 7]);
  expect(() => context({ runAsNonRoot: true }, {}, image({}))).toThrow(
    'container has runAsNonRoot and image will run as root (pod: "p_d(u)", container: c)',
  );
  expect(() => context({ runAsNonRoot: true }, {}, image({ username: "web" }))).toThrow(
    "container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root",
  );
  expect(() => context({ runAsNonRoot: true, runAsUser: 0 }, {}, image({}))).toThrow(
    "breaks non-root policy",
  );
});
