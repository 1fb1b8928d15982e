import type { Answer } from "dns-packet";
import { expect, test } from "vitest";
import type { Service } from "../api/types/core-v1.ts";
import type { EndpointSlice } from "../api/types/discovery-v1.ts";
import { Zone, type ZoneView } from "./zone.ts";

const meta = (name: string, labels = {}) => ({
  name,
  namespace: "shop",
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  labels,
});
const service = (name: string, spec: Partial<Service["spec"]>): Service =>
  ({ metadata: meta(name), spec, status: {} }) as Service;

const services = [
  service("web", {
    clusterIP: "10.96.0.5",
    clusterIPs: ["10.96.0.5", "fd00::5"],
    ports: [{ name: "http", port: 80 }],
  }),
  service("db", { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "sql", port: 5432 }] }),
  service("idle", { clusterIP: "None", clusterIPs: ["None"], ports: [] }),
  service("dual", { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "sql", port: 1 }] }),
  service("bare", { clusterIP: "10.96.0.6", clusterIPs: ["10.96.0.6"], ports: [{ port: 80 }] }),
  service("early", {
    clusterIP: "None",
    clusterIPs: ["None"],
    publishNotReadyAddresses: true,
    ports: [{ name: "sql", port: 5432 }],
  }),
  service("out", { type: "ExternalName", externalName: "example.org" }),
];
const slice = {
  metadata: meta("db-1", { "kubernetes.io/service-name": "db" }),
  addressType: "IPv4",
  ports: [{ name: "sql", port: 6000 }],
  endpoints: [
    { addresses: ["10.1.0.1"], hostname: "db-0", conditions: { ready: true } },
    { addresses: ["10.1.0.2"], conditions: {} },
    { addresses: ["10.1.0.3"], hostname: "db-9", conditions: { ready: false } },
  ],
} as unknown as EndpointSlice;
const dual = ["10.1.1.1", "fd01::1"].map((address) => ({
  ...slice,
  metadata: meta(`dual-${address}`, { "kubernetes.io/service-name": "dual" }),
  addressType: address.includes(":") ? "IPv6" : "IPv4",
  endpoints: [{ addresses: [address], hostname: "both", conditions: { ready: true } }],
})) as unknown as EndpointSlice[];
const slices: Record<string, readonly EndpointSlice[]> = { db: [slice], early: [slice], dual };

const view: ZoneView = {
  service: ({ namespace, name }) =>
    services.find(({ metadata }) => metadata.name === name && namespace === "shop"),
  slices: ({ name }) => slices[name] ?? [],
  hasNamespace: (name) => name === "shop",
  serviceByAddress: (address) => services.find(({ spec }) => spec.clusterIPs?.includes(address)),
  slicesByAddress: (address) =>
    [slice, ...dual].filter(({ endpoints }) =>
      endpoints?.some(({ addresses }) => addresses.includes(address)),
    ),
};
const zone = new Zone({ domain: "cluster.local", view });

function shown({ type, name, data }: Answer & { data?: unknown }): string {
  const value = type === "SRV" ? `${data.port} ${data.target}` : String(data);
  return `${name} ${type} ${value}`;
}

function check(name: string, type: string): string | readonly string[] {
  const resolution = zone.resolve({ name, type });
  if (resolution.type !== "found") return resolution.type;
  return [...resolution.answers, ...resolution.additionals].map((answer) => shown(answer as never));
}

const reversed = (digits: string) => digits.split("").toReversed().join(".");
const at = (name: string) => `${name}.shop.svc.cluster.local`;

test.each([
  { name: at("web"), type: "A", gives: [`${at("web")} A 10.96.0.5`] },
  { name: at("web"), type: "AAAA", gives: [`${at("web")} AAAA fd00::5`] },
  { name: at("WEB").toUpperCase(), type: "A", gives: [`${at("web")} A 10.96.0.5`] },
  { name: at("web"), type: "MX", gives: [] },
  { name: at("db"), type: "A", gives: [`${at("db")} A 10.1.0.1`, `${at("db")} A 10.1.0.2`] },
  { name: at("db-0.db"), type: "A", gives: [`${at("db-0.db")} A 10.1.0.1`] },
  { name: at("10-1-0-2.db"), type: "A", gives: [`${at("10-1-0-2.db")} A 10.1.0.2`] },
  { name: at("10-1-0-3.db"), type: "A", gives: "nameError" },
  {
    name: at("_http._tcp.web"),
    type: "SRV",
    gives: [
      `${at("_http._tcp.web")} SRV 80 ${at("web")}`,
      `${at("web")} A 10.96.0.5`,
      `${at("web")} AAAA fd00::5`,
    ],
  },
  {
    name: at("_sql._tcp.db"),
    type: "SRV",
    gives: [
      `${at("_sql._tcp.db")} SRV 6000 ${at("db-0.db")}`,
      `${at("_sql._tcp.db")} SRV 6000 ${at("10-1-0-2.db")}`,
      `${at("db-0.db")} A 10.1.0.1`,
      `${at("10-1-0-2.db")} A 10.1.0.2`,
    ],
  },
  { name: at("db-9.db"), type: "A", gives: "nameError" },
  { name: at("db-9.early"), type: "A", gives: [`${at("db-9.early")} A 10.1.0.3`] },
  { name: at("db"), type: "AAAA", gives: [] },
  { name: at("idle"), type: "A", gives: "nameError" },
  { name: at("both.dual"), type: "A", gives: [`${at("both.dual")} A 10.1.1.1`] },
  { name: at("both.dual"), type: "AAAA", gives: [`${at("both.dual")} AAAA fd01::1`] },
  {
    name: at("_sql._tcp.dual"),
    type: "SRV",
    gives: [
      `${at("_sql._tcp.dual")} SRV 6000 ${at("both.dual")}`,
      `${at("both.dual")} A 10.1.1.1`,
      `${at("both.dual")} AAAA fd01::1`,
    ],
  },
  { name: at("_._tcp.bare"), type: "SRV", gives: "nameError" },
  { name: at("_sql._udp.db"), type: "SRV", gives: "nameError" },
  { name: at("_sql._tcp.db"), type: "A", gives: [] },
  { name: at("_tcp.db"), type: "A", gives: [] },
  { name: at("any.web"), type: "A", gives: "nameError" },
  { name: at("_nope._tcp.db"), type: "SRV", gives: "nameError" },
  { name: at("out"), type: "A", gives: [`${at("out")} CNAME example.org`] },
  { name: "none.shop.svc.cluster.local", type: "A", gives: "nameError" },
  { name: "shop.svc.cluster.local", type: "A", gives: [] },
  { name: "nowhere.svc.cluster.local", type: "A", gives: "nameError" },
  {
    name: "10-1-2-3.shop.pod.cluster.local",
    type: "A",
    gives: ["10-1-2-3.shop.pod.cluster.local A 10.1.2.3"],
  },
  { name: "5.0.96.10.in-addr.arpa", type: "PTR", gives: [`5.0.96.10.in-addr.arpa PTR ${at("web")}`] },
  { name: "1.0.1.10.in-addr.arpa", type: "PTR", gives: [`1.0.1.10.in-addr.arpa PTR ${at("db-0.db")}`] },
  { name: "9.9.9.9.in-addr.arpa", type: "PTR", gives: "outside" },
  { name: "dns-version.cluster.local", type: "TXT", gives: ["dns-version.cluster.local TXT 1.1.0"] },
  // What a resolver tries with the domains of its search path before the name itself.
  { name: `${at("web")}.shop.svc.cluster.local`, type: "A", gives: "nameError" },
  { name: `${at("web")}.svc.cluster.local`, type: "A", gives: "nameError" },
  { name: `${at("web")}.cluster.local`, type: "A", gives: "nameError" },
  { name: "example.org.shop.svc.cluster.local", type: "A", gives: "nameError" },
  { name: "web.shop.svc", type: "A", gives: "outside" },
  { name: "notcluster.local", type: "A", gives: "outside" },
  {
    name: "fd00--5.shop.pod.cluster.local",
    type: "AAAA",
    gives: ["fd00--5.shop.pod.cluster.local AAAA fd00::5"],
  },
  { name: "10-1-2-3.nowhere.pod.cluster.local", type: "A", gives: "nameError" },
  { name: "3.0.1.10.in-addr.arpa", type: "PTR", gives: "outside" },
  {
    name: `${reversed("fd00" + "0".repeat(27) + "5")}.ip6.arpa`,
    type: "PTR",
    gives: [`${reversed("fd00" + "0".repeat(27) + "5")}.ip6.arpa PTR ${at("web")}`],
  },
  { name: "example.org", type: "A", gives: "outside" },
])("$type $name", ({ name, type, gives }) => {
  expect(check(name, type)).toEqual(gives);
});
