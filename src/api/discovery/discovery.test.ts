import { describe, expect, test } from "vitest";
import { cells, created, creationProblems, updateProblems, warningsOf } from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { endpointSliceDefinition as definition } from "./endpoint-slice.ts";

const slice = (endpoint: Sketch, more: Sketch = {}): Sketch => ({
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.0.0.1"], ...endpoint }],
  ports: [],
  ...more,
});

describe("endpoint slices", () => {
  const first = "endpoints[0]";
  const label =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["a good one", slice({ hostname: "a", nodeName: "n", hints: { forZones: [{ name: "z" }] } }), []],
    ["no type", slice({}, { addressType: "" }), ["addressType: Required value"]],
    [
      "another type",
      slice({}, { addressType: "X" }),
      ['addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"'],
    ],
    [
      "no address",
      slice({ addresses: [] }),
      [`${first}.addresses: Required value: must contain at least 1 address`],
    ],
    [
      "the other family",
      slice({ addresses: ["fd00::1"] }),
      [`${first}.addresses[0]: Invalid value: "fd00::1": must be an IPv4 address`],
    ],
    [
      "the loopback",
      slice({ addresses: ["127.0.0.1"] }),
      [
        `${first}.addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`,
      ],
    ],
    ["a bad name of a host", slice({ hostname: "A" }), [`${first}.hostname: Invalid value: "A": ${label}`]],
    [
      "a zone twice",
      slice({ hints: { forZones: [{ name: "z" }, { name: "z" }] } }),
      [`${first}.hints.forZones[1].name: Duplicate value: "z"`],
    ],
    [
      "ports of one name",
      slice({}, { ports: [{ port: 1 }, { port: 2, protocol: "X" }] }),
      [
        'ports[1].name: Duplicate value: ""',
        'ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      ],
    ],
    [
      "a hundred addresses and one",
      slice({ addresses: Array.from({ length: 101 }, (_, index) => `10.0.1.${index}`) }),
      [`${first}.addresses: Too many: 101: must have at most 100 items`],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(definition, sketch)).toEqual(problems);
  });
  test("keep their type, and addresses as they are written", () => {
    const old = slice({ addresses: ["010.0.0.1"] });
    expect(creationProblems(definition, old)).toHaveLength(1);
    expect(updateProblems(definition, { old, next: old })).toEqual([]);
    const next = slice({ addresses: ["fd00::1"] }, { addressType: "IPv6" });
    expect(updateProblems(definition, { old, next })).toEqual([
      'addressType: Invalid value: "IPv6": field is immutable',
    ]);
  });
  test("topology of an older version is dropped, ports get a name and a protocol", () => {
    const made = created(definition, slice({ deprecatedTopology: { a: "b" } }, { ports: [{ port: 1 }] }));
    expect(made.endpoints).toEqual([{ addresses: ["10.0.0.1"] }]);
    expect(made.ports).toEqual([{ port: 1, name: "", protocol: "TCP" }]);
  });
  test("names instead of addresses are warned of", () => {
    expect(warningsOf(definition, slice({ addresses: ["a.b"] }, { addressType: "FQDN" }))).toContain(
      "spec.addressType: FQDN endpoints are deprecated",
    );
  });
  test("the table shows three of each", () => {
    const endpoints = [{ addresses: ["1", "2"] }, { addresses: ["3", "4"] }];
    expect(
      cells(definition, { addressType: "IPv4", endpoints, ports: [{ port: 1 }, { name: "a" }] }),
    ).toMatchObject({
      Ports: "1,a",
      Endpoints: "1,2,3 + 1 more...",
    });
    expect(cells(definition, { addressType: "IPv4" })).toMatchObject({
      Ports: "<unset>",
      Endpoints: "<unset>",
    });
  });
});
