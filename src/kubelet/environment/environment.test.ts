import { expect, test } from "vitest";
import type { ConfigMap, Container, Pod, Secret, Service } from "../../api/types/core-v1.ts";
import { fieldValue, resourceFieldValue } from "./downward.ts";
import { containerEnvironment } from "./environment.ts";
import { expand, expandStrictly } from "./expansion.ts";
import { serviceVariables } from "./service-variables.ts";

const variables = new Map([
  ["A", "1"],
  ["B", "$(A)"],
]);

test.each([
  ["$(A)", "1"],
  ["x$(A)y$(B)", "x1y$(A)"],
  ["$(NONE)", "$(NONE)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$(A", "$(A"],
  ["$A $", "$A $"],
])("%s expands to %s", (text, expected) => {
  expect(expand(text, variables)).toBe(expected);
});

test("strict expansion refuses unknown variables", () => {
  expect(expandStrictly("$(A)/x", variables)).toBe("1/x");
  expect(() => expandStrictly("$(NONE)", variables)).toThrow('missing value for "NONE"');
});

const service = (name: string, namespace: string, spec: object) =>
  ({ metadata: { name, namespace }, spec, status: {} }) as unknown as Service;

test("services are found by variables in the style of docker links", () => {
  const services = [
    service("my-db", "shop", {
      clusterIP: "10.0.0.1",
      ports: [
        { name: "sql", port: 5432 },
        { port: 53, protocol: "UDP" },
      ],
    }),
    service("headless", "shop", { clusterIP: "None", ports: [{ port: 1 }] }),
    service("other", "else", { clusterIP: "10.0.0.2", ports: [{ port: 1 }] }),
    service("kubernetes", "default", { clusterIP: "10.0.0.3", ports: [{ name: "https", port: 443 }] }),
  ];
  const linked = serviceVariables(services, { namespace: "shop", enableServiceLinks: true });
  expect(Object.fromEntries([...linked].filter(([name]) => name.startsWith("MY_DB")))).toEqual({
    MY_DB_SERVICE_HOST: "10.0.0.1",
    MY_DB_SERVICE_PORT: "5432",
    MY_DB_SERVICE_PORT_SQL: "5432",
    MY_DB_PORT: "tcp://10.0.0.1:5432",
    MY_DB_PORT_5432_TCP: "tcp://10.0.0.1:5432",
    MY_DB_PORT_5432_TCP_PROTO: "tcp",
    MY_DB_PORT_5432_TCP_PORT: "5432",
    MY_DB_PORT_5432_TCP_ADDR: "10.0.0.1",
    MY_DB_PORT_53_UDP: "udp://10.0.0.1:53",
    MY_DB_PORT_53_UDP_PROTO: "udp",
    MY_DB_PORT_53_UDP_PORT: "53",
    MY_DB_PORT_53_UDP_ADDR: "10.0.0.1",
  });
  const unlinked = serviceVariables(services, { namespace: "shop", enableServiceLinks: false });
  expect([...unlinked.keys()].every((name) => name.startsWith("KUBERNETES_"))).toBe(true);
  expect(unlinked.get("KUBERNETES_SERVICE_HOST")).toBe("10.0.0.3");
});

const pod = {
  metadata: {
    name: "p",
    namespace: "shop",
    uid: "u",
    labels: { b: 'x"y', a: "1" },
    annotations: { note: "n" },
  },
  spec: { containers: [], serviceAccountName: "sa" },
} as unknown as Pod;
const container: Container = {
  name: "c",
  resources: { limits: { memory: "64Mi" }, requests: { cpu: "250m" } },
};
const downward = {
  pod,
  nodeName: "n",
  hostIPs: ["192.0.2.1"],
  podIPs: ["10.1.0.2", "fd00::2"],
  allocatable: { cpu: "2", memory: "1Gi" },
};

test.each([
  ["metadata.name", "p"],
  ["metadata.labels", 'a="1"\nb="x\\"y"'],
  ["metadata.labels['a']", "1"],
  ["metadata.annotations['none']", ""],
  ["spec.nodeName", "n"],
  ["status.podIPs", "10.1.0.2,fd00::2"],
  ["status.hostIP", "192.0.2.1"],
])("field %s is %s", (path, expected) => {
  expect(fieldValue(path, downward)).toBe(expected);
});

test.each([
  ["limits.memory", undefined, "67108864"],
  ["limits.memory", "1Mi", "64"],
  ["limits.cpu", undefined, "2"],
  ["limits.cpu", "1m", "2000"],
  ["requests.cpu", undefined, "1"],
  ["requests.cpu", "1m", "250"],
  ["requests.memory", "1Ki", "65536"],
])("resource %s by %s is %s", (resource, divisor, expected) => {
  const selector = { resource, ...(divisor === undefined ? {} : { divisor }) };
  expect(resourceFieldValue(selector, { container, allocatable: downward.allocatable })).toBe(expected);
});

test("sources, prefixes and what is missing", async () => {
  const objects = {
    configMap: async (name: string) =>
      name === "cm" ? ({ metadata: {}, data: { k: "v" } } as unknown as ConfigMap) : undefined,
    secret: async (name: string) =>
      name === "s" ? ({ metadata: {}, data: { k: "djI=" } } as unknown as Secret) : undefined,
  };
  const environment = (own: Partial<Container>) =>
    containerEnvironment({
      ...downward,
      objects,
      serviceVariables: new Map(),
      container: { ...container, ...own },
    });
  const found = await environment({
    envFrom: [
      { prefix: "P_", configMapRef: { name: "cm" } },
      { configMapRef: { name: "none", optional: true } },
    ],
    env: [
      { name: "S", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
      { name: "O", valueFrom: { configMapKeyRef: { name: "cm", key: "none", optional: true } } },
      { name: "J", value: "$(P_k)$(S)" },
    ],
  });
  expect(Object.fromEntries(found)).toEqual({ P_k: "v", S: "v2", J: "vv2" });
  await expect(
    environment({ env: [{ name: "X", valueFrom: { configMapKeyRef: { name: "cm", key: "z" } } }] }),
  ).rejects.toThrow("couldn't find key z in ConfigMap shop/cm");
  await expect(environment({ envFrom: [{ secretRef: { name: "none" } }] })).rejects.toThrow(
    'secret "none" not found',
  );
});
