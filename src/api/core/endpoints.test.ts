import { expect, test } from "vitest";
import { creationProblems, warningsOf } from "../testing/check.ts";
import { endpointsDefinition } from "./endpoints.ts";

const endpoints = (subset: object, metadata: object = {}) => ({
  metadata: { name: "e", namespace: "default", ...metadata },
  subsets: [subset],
});
const to = (...addresses: string[]) => ({ addresses: addresses.map((ip) => ({ ip })) });

test.each<[object, readonly string[]]>([
  [to("192.0.2.1", "2001:db8::1"), []],
  [{}, ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]],
  [
    to("127.0.0.1", "169.254.1.1", "0.0.0.0"),
    [
      'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'subsets[0].addresses[1].ip: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      'subsets[0].addresses[2].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
    ],
  ],
  [
    { notReadyAddresses: [{ ip: "192.0.2.1", nodeName: "" }], ports: [{ port: 1 }, { port: 0, name: "a" }] },
    [
      "subsets[0].notReadyAddresses[0].nodeName: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "subsets[0].ports[0].name: Required value",
      "subsets[0].ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive",
    ],
  ],
])("%j", (subset, problems) =>
  expect(creationProblems(endpointsDefinition, endpoints(subset))).toEqual(problems),
);

test("addresses that are written as they should not be are warned about, but not to the controller", () => {
  const subset = to("2001:DB8::1");
  expect(warningsOf(endpointsDefinition, endpoints(subset))).toEqual([
    'subsets[0].addresses[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ]);
  const labels = { "endpoints.kubernetes.io/managed-by": "endpoint-controller" };
  expect(warningsOf(endpointsDefinition, endpoints(subset, { labels }))).toEqual([]);
});
