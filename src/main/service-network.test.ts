import { expect, test } from "vitest";
import { addressAt, parsePortRange, refuseUnservedNetwork, serviceNetworkOf } from "./service-network.ts";

const ranges = (text: string, present?: string) =>
  serviceNetworkOf({ "service-cluster-ip-range": text }, present);

test.each([
  ["10.0.0.0/16", { serviceCIDR: "10.0.0.0/16" }],
  ["10.0.0.7/16,fd00::/112", { serviceCIDR: "10.0.0.0/16", secondaryServiceCIDR: "fd00::/112" }],
  ["fd00::/108, 10.0.0.0/16", { serviceCIDR: "fd00::/108", secondaryServiceCIDR: "10.0.0.0/16" }],
])("%s", (text, settings) => expect(ranges(text)).toEqual(settings));

test.each([
  ["10.0.0.0", "must contain only valid cidrs"],
  ["fd00::/48", "the mask must be >= 64"],
  ["10.0.0.0/16,10.1.0.0/16", "different IP family"],
  ["10.0.0.0/16,fd00::/112,10.1.0.0/16", "more than two entries"],
])("%s is refused", (text, why) => expect(() => ranges(text)).toThrow(why));

test("a node needs IPv4 addresses first", () => {
  expect(() => refuseUnservedNetwork("fd00::/112")).toThrow("must be one of IPv4");
  expect(() => refuseUnservedNetwork("10.0.0.0/16")).not.toThrow();
});

test("a cluster keeps its range, and may get a second", () => {
  expect(() => ranges("10.1.0.0/16", "10.0.0.0/16")).toThrow("have addresses of 10.0.0.0/16");
  expect(ranges("10.0.0.0/16,fd00::/112", "10.0.0.0/16").secondaryServiceCIDR).toBe("fd00::/112");
});

test.each([
  ["30000-32767", { first: 30_000, last: 32_767 }],
  ["5-4", undefined],
  ["0-5", undefined],
  ["30000", undefined],
  ["30000-70000", undefined],
])("ports %s", (text, range) => {
  expect(parsePortRange(text)).toEqual(range);
  const settings = () => serviceNetworkOf({ "service-node-port-range": text }, undefined);
  if (range === undefined) expect(settings).toThrow("must be FIRST-LAST");
  else expect(settings()).toEqual({ serviceNodePortRange: text });
});

test.each([
  ["10.96.0.0/16", 1, "10.96.0.1"],
  ["10.96.0.250/16", 260, "10.96.1.4"],
  ["fd00::/112", 10, "fd00::a"],
])("of %s the address at %s is %s", (cidr, position, address) => {
  expect(addressAt(cidr, position)).toBe(address);
});
