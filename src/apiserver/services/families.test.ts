import { describe, expect, test } from "vitest";
import type { ServiceSpec } from "../../api/types/core-v1.ts";
import { planFamilies } from "./families.ts";
import type { ClusterFamilies } from "./families.ts";

const clusters = {
  single: ["IPv4"],
  six: ["IPv6"],
  dual: ["IPv4", "IPv6"],
  "dual, IPv6 first": ["IPv6", "IPv4"],
} as const satisfies Record<string, ClusterFamilies>;

interface Case {
  readonly what: string;
  readonly cluster: keyof typeof clusters;
  readonly spec?: Partial<ServiceSpec>;
  readonly old?: Partial<ServiceSpec>;
  /** Policy and families. */
  readonly gets?: readonly [ServiceSpec["ipFamilyPolicy"], ...string[]];
  readonly addresses?: readonly string[];
  readonly fails?: readonly string[];
}

const full = (spec: Partial<ServiceSpec>): ServiceSpec => ({
  type: "ClusterIP",
  selector: { app: "web" },
  ports: [{ port: 80 }],
  ...spec,
});

function check({ cluster, spec = {}, old, gets, addresses, fails }: Case) {
  const plan = planFamilies(full(spec), { old: old && full(old), cluster: clusters[cluster] });
  if (fails !== undefined) {
    expect("errors" in plan ? plan.errors.map((error) => `${error.field}: ${error.detail}`) : []).toEqual(
      fails,
    );
    return;
  }
  if ("errors" in plan) throw new Error(plan.errors.map(({ detail }) => detail).join("; "));
  expect([plan.spec.ipFamilyPolicy, ...(plan.spec.ipFamilies ?? [])]).toEqual(gets);
  if (addresses !== undefined) expect(plan.spec.clusterIPs).toEqual(addresses);
}

const [four, six] = ["10.0.0.5", "fd00::5"];
const headless = { clusterIP: "None", clusterIPs: ["None"] };
const one = {
  clusterIP: four,
  clusterIPs: [four],
  ipFamilies: ["IPv4"],
  ipFamilyPolicy: "SingleStack",
} as const;
const both = {
  clusterIP: four,
  clusterIPs: [four, six],
  ipFamilies: ["IPv4", "IPv6"],
  ipFamilyPolicy: "RequireDualStack",
} as const;
const preferred = { ...one, ipFamilyPolicy: "PreferDualStack" } as const;

const created: readonly Case[] = [
  { what: "nothing said", cluster: "single", gets: ["SingleStack", "IPv4"] },
  { what: "nothing said, IPv6 cluster", cluster: "six", gets: ["SingleStack", "IPv6"] },
  { what: "nothing said, two families", cluster: "dual, IPv6 first", gets: ["SingleStack", "IPv6"] },
  {
    what: "two preferred, one there",
    cluster: "single",
    spec: { ipFamilyPolicy: "PreferDualStack" },
    gets: ["PreferDualStack", "IPv4"],
  },
  {
    what: "two preferred, two there",
    cluster: "dual",
    spec: { ipFamilyPolicy: "PreferDualStack" },
    gets: ["PreferDualStack", "IPv4", "IPv6"],
  },
  {
    what: "two required, the second first",
    cluster: "dual",
    spec: { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] },
    gets: ["RequireDualStack", "IPv6", "IPv4"],
  },
  {
    what: "two required, one there",
    cluster: "single",
    spec: { ipFamilyPolicy: "RequireDualStack" },
    fails: ["spec.ipFamilyPolicy: this cluster is not configured for dual-stack services"],
  },
  {
    what: "a family that is not there",
    cluster: "single",
    spec: { ipFamilies: ["IPv6"] },
    fails: ["spec.ipFamilies[0]: not configured on this cluster"],
  },
  {
    what: "an address of a family that is not there",
    cluster: "single",
    spec: { clusterIP: six, clusterIPs: [six] },
    fails: ["spec.clusterIPs[0]: IPv6 is not configured on this cluster"],
  },
  {
    what: "the family of a chosen address",
    cluster: "dual",
    spec: { clusterIP: six, clusterIPs: [six] },
    gets: ["SingleStack", "IPv6"],
  },
  {
    what: "two families of one stack",
    cluster: "dual",
    spec: { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "SingleStack" },
    fails: [
      "spec.ipFamilyPolicy: must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    ],
  },
  {
    what: "two addresses without a policy",
    cluster: "dual",
    spec: { clusterIP: four, clusterIPs: [four, six] },
    fails: [
      "spec.ipFamilyPolicy: must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
    ],
  },
  { what: "headless", cluster: "single", spec: headless, gets: ["SingleStack", "IPv4"] },
  {
    what: "headless without selector",
    cluster: "single",
    spec: { ...headless, selector: {} },
    gets: ["RequireDualStack", "IPv4", "IPv6"],
  },
  {
    what: "headless without selector, one family wanted",
    cluster: "dual, IPv6 first",
    spec: { ...headless, selector: {}, ipFamilyPolicy: "SingleStack" },
    gets: ["SingleStack", "IPv6"],
  },
  { what: "an external name", cluster: "dual", spec: { type: "ExternalName" }, gets: [undefined] },
];

const updated: readonly Case[] = [
  { what: "nothing changed", cluster: "dual", spec: one, old: one, gets: ["SingleStack", "IPv4"] },
  {
    what: "a second family",
    cluster: "dual",
    spec: { ...one, ipFamilyPolicy: "RequireDualStack" },
    old: one,
    gets: ["RequireDualStack", "IPv4", "IPv6"],
    addresses: [four],
  },
  {
    what: "one family of two",
    cluster: "dual",
    spec: { ...both, ipFamilyPolicy: "SingleStack" },
    old: both,
    gets: ["SingleStack", "IPv4"],
    addresses: [four],
  },
  {
    what: "an address less, without a policy for it",
    cluster: "dual",
    spec: { ...both, clusterIPs: [four], ipFamilies: ["IPv4"] },
    old: both,
    fails: [
      "spec.ipFamilyPolicy: must be 'SingleStack' to release the secondary cluster IP",
      "spec.ipFamilyPolicy: must be 'SingleStack' to release the secondary IP family",
    ],
  },
  {
    what: "preferred two of a cluster that has two now",
    cluster: "dual",
    spec: preferred,
    old: preferred,
    gets: ["PreferDualStack", "IPv4"],
  },
  {
    what: "the policy left out",
    cluster: "dual",
    spec: { clusterIP: four, clusterIPs: [four, six] },
    old: both,
    gets: ["RequireDualStack", "IPv4", "IPv6"],
  },
  {
    what: "no longer an external name",
    cluster: "dual",
    spec: {},
    old: { type: "ExternalName" },
    gets: ["SingleStack", "IPv4"],
  },
];

describe("families of new services", () => test.each(created)("$what", check));
describe("families of changed services", () => test.each(updated)("$what", check));
