import { describe, expect, test } from "vitest";
import { isEarlier, parseSemanticVersion } from "../../apimachinery/index.ts";
import { creationProblems, updateProblems } from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { leaseCandidateDefinition } from "./lease-candidate.ts";
import { leaseDefinition } from "./lease.ts";

describe("leases", () => {
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["nothing", {}, []],
    ["a good one", { leaseDurationSeconds: 1, strategy: "OldestEmulationVersion", preferredHolder: "a" }, []],
    [
      "numbers that are too small",
      { leaseDurationSeconds: 0, leaseTransitions: -1 },
      [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
      ],
    ],
    [
      "a holder without a strategy",
      { preferredHolder: "a" },
      ["spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"],
    ],
    [
      "another strategy",
      { strategy: "X" },
      ['spec.strategy.strategy: Unsupported value: "X": supported values: "OldestEmulationVersion"'],
    ],
    ["one's own strategy", { strategy: "a.b/C" }, []],
  ];
  test.each(cases)("%s", (_, spec, problems) => {
    expect(creationProblems(leaseDefinition, { spec })).toEqual(problems);
  });
});

describe("candidates for leases", () => {
  const good = {
    leaseName: "l",
    binaryVersion: "1.36.0",
    emulationVersion: "1.35.0",
    strategy: "OldestEmulationVersion",
  };
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["a good one", {}, []],
    ["no lease", { leaseName: "" }, ["spec.leaseName: Required value"]],
    ["no version", { binaryVersion: "" }, ["spec.binaryVersion: Required value"]],
    [
      "a bad version",
      { binaryVersion: "1.x" },
      [
        'spec.binaryVersion: Invalid value: "1.x": must be a valid semantic version',
        'spec.binaryVersion: Invalid value: "1.x": must be greater than or equal to `emulationVersion`',
      ],
    ],
    [
      "acting as a later version",
      { emulationVersion: "1.37.0" },
      ['spec.binaryVersion: Invalid value: "1.36.0": must be greater than or equal to `emulationVersion`'],
    ],
    [
      "acting as none",
      { emulationVersion: undefined },
      [
        "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'",
      ],
    ],
    ["no strategy", { strategy: "" }, ["spec.strategy: Required value"]],
  ];
  test.each(cases)("%s", (_, change, problems) => {
    const spec = { ...good, ...change };
    expect(creationProblems(leaseCandidateDefinition, { spec })).toEqual(problems);
  });
  test("keep their lease", () => {
    const sketches = { old: { spec: good }, next: { spec: { ...good, leaseName: "m" } } };
    expect(updateProblems(leaseCandidateDefinition, sketches)).toEqual([
      'spec.leaseName: Invalid value: "m": field is immutable',
    ]);
  });
});

test.each([
  ["1.2.3", "1.2.4", true],
  ["1.10.0", "1.9.0", false],
  ["1.0.0-alpha", "1.0.0", true],
  ["1.0.0-alpha.2", "1.0.0-alpha.10", true],
  ["1.0.0+a", "1.0.0+b", false],
])("version %s is earlier than %s: %s", (one, other, earlier) => {
  const [a, b] = [parseSemanticVersion(one), parseSemanticVersion(other)];
  if (!a || !b) throw new Error("two versions");
  expect(isEarlier(a, b)).toBe(earlier);
});

test.each(["", "1", "1.2", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3"])("%j is no version", (text) => {
  expect(parseSemanticVersion(text)).toBeUndefined();
});
