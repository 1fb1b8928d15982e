import { describe, expect, test } from "vitest";
import { cells, creationProblems, defaulted } from "../testing/check.ts";
import { flowControlDefaults } from "./bootstrap.ts";
import { flowSchemaDefinition, priorityLevelConfigurationDefinition } from "./flow-schema.ts";

const rule = {
  subjects: [{ kind: "User", user: { name: "u" } }],
  nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/a/*"] }],
};
const schema = { priorityLevelConfiguration: { name: "p" }, rules: [rule] };

describe("flow schemas", () => {
  test.each<[object, readonly string[]]>([
    [{}, []],
    [
      { matchingPrecedence: 1 },
      ["matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
    ],
    [
      { matchingPrecedence: 10001, priorityLevelConfiguration: { name: "" } },
      [
        "matchingPrecedence: Invalid value: 10001: must not be greater than 10000",
        "priorityLevelConfiguration.name: Required value: must reference a priority level",
      ],
    ],
    [
      { distinguisherMethod: { type: "x" } },
      [
        'distinguisherMethod.type: Unsupported value: {"Type":"x"}: supported values: "ByNamespace", "ByUser"',
      ],
    ],
    [
      { rules: [{}] },
      [
        "rules[0].subjects: Required value: subjects must contain at least one value",
        "rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty",
      ],
    ],
    [
      { rules: [{ ...rule, subjects: [{ kind: "x" }, { kind: "User", group: { name: "g" } }] }] },
      [
        'rules[0].subjects[0].kind: Unsupported value: "x": supported values: "Group", "ServiceAccount", "User"',
        "rules[0].subjects[1].user: Required value: user is required when subject kind is 'User'",
        "rules[0].subjects[1].group: Forbidden: group is forbidden when subject kind is not 'Group'",
      ],
    ],
    [
      { rules: [{ ...rule, subjects: [{ kind: "ServiceAccount", serviceAccount: { name: "*" } }] }] },
      [
        "rules[0].subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account",
      ],
    ],
    [
      { rules: [{ ...rule, nonResourceRules: [{ verbs: ["x"], nonResourceURLs: ["", "a", "/a*", "//"] }] }] },
      [
        'rules[0].nonResourceRules[0].verbs: Unsupported value: ["x"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
        'rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "": must not be empty',
        'rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "a": must start with slash',
        'rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a*": wildcard can only do suffix matching',
        'rules[0].nonResourceRules[0].nonResourceURLs[3]: Invalid value: "//": must not contain double slash',
      ],
    ],
    [
      { rules: [{ ...rule, resourceRules: [{ verbs: ["*", "get"], apiGroups: ["*"], resources: [] }] }] },
      [
        'rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs',
        "rules[0].resourceRules[0].resources: Required value: resource rules must supply at least one resource",
        "rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace",
      ],
    ],
  ])("%j", (change, problems) => {
    expect(creationProblems(flowSchemaDefinition, { spec: { ...schema, ...change } })).toEqual(
      problems.map((problem) => `spec.${problem}`),
    );
  });

  test("the mandatory ones are as they must be", () => {
    const metadata = { name: "catch-all" };
    const spec = flowControlDefaults.schemas.mandatory["catch-all"];
    expect(creationProblems(flowSchemaDefinition, { metadata, spec })).toEqual([]);
    expect(creationProblems(flowSchemaDefinition, { metadata, spec: { ...spec, rules: [] } })).toEqual([
      'spec: Invalid value: {"PriorityLevelConfiguration":{"Name":"catch-all"},"MatchingPrecedence":10000,"DistinguisherMethod":{"Type":"ByUser"},"Rules":[]}: spec of \'catch-all\' must equal the fixed value',
    ]);
  });
});

const limited = (change: object) => ({
  type: "Limited",
  limited: { limitResponse: { type: "Reject" }, ...change },
});
const queuing = (change: object) => limited({ limitResponse: { type: "Queue", queuing: change } });

describe("priority levels", () => {
  test.each<[object, readonly string[]]>([
    [limited({ nominalConcurrencyShares: 0 }), []],
    [
      limited({ nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1 }),
      [
        "limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
        "limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
        "limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer",
      ],
    ],
    [
      { type: "Exempt" },
      ["type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'"],
    ],
    [{ type: "Limited" }, ["limited: Required value: must not be empty when type is Limited"]],
    [{ type: "x" }, ['type: Unsupported value: "x": supported values: "Exempt", "Limited"']],
    [
      queuing({ queues: 512, handSize: 8 }),
      [
        "limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be greater than 60",
      ],
    ],
    [
      queuing({ queues: 7, handSize: 8 }),
      ["limited.limitResponse.queuing.handSize: Invalid value: 8: should not be greater than queues (7)"],
    ],
    [queuing({ queues: 10_000_000, handSize: 2 }), []],
  ])("%j", (spec, problems) => {
    expect(creationProblems(priorityLevelConfigurationDefinition, { spec })).toEqual(
      problems.map((problem) => `spec.${problem}`),
    );
  });

  test("of the exempt one only what it lends changes", () => {
    const metadata = { name: "exempt" };
    const spec = { type: "Exempt", exempt: { nominalConcurrencyShares: 10 } };
    expect(creationProblems(priorityLevelConfigurationDefinition, { metadata, spec })).toEqual([]);
    const changed = { ...spec, limited: limited({}).limited };
    expect(
      creationProblems(priorityLevelConfigurationDefinition, { metadata, spec: changed }).map((problem) =>
        problem.replace(/value: \{.*\}/, "value: …"),
      ),
    ).toEqual([
      "spec.limited: Forbidden: must be nil if the type is not Limited",
      "spec: Invalid value: …: spec of 'exempt' except the 'spec.exempt' field must equal the fixed value",
    ]);
    expect(cells(priorityLevelConfigurationDefinition, { spec })["NominalConcurrencyShares"]).toBe("<none>");
  });
});

test("flow schemas are shown in the order in which they are asked", () => {
  const sketches = [
    ["c", 5],
    ["b", 10],
    ["a", 10],
    ["d", 1],
  ] as const;
  const schemas = sketches.map(([name, matchingPrecedence]) =>
    defaulted(flowSchemaDefinition, { metadata: { name }, spec: { ...schema, matchingPrecedence } }),
  );
  const names = schemas.toSorted(flowSchemaDefinition.rowOrder).map(({ metadata }) => metadata.name);
  expect(names).toEqual(["d", "c", "a", "b"]);
});
