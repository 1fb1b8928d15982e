import { describe, expect, test } from "vitest";
import { storageVersionDefinition } from "../internal/storage-version.ts";
import { cells, creationProblems, statusProblems, updateProblems } from "../testing/check.ts";
import { storageVersionMigrationDefinition } from "./storage-version-migration.ts";

describe("storage versions", () => {
  test.each<[string, readonly string[]]>([
    ["apps.deployments", []],
    ["a.b.pods", []],
    ["pods", ["name must be in the form of <group>.<resource>"]],
    [
      "A.1",
      [
        "the group segment a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        "the resource segment a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
  ])("is named %s", (name, problems) => {
    expect(creationProblems(storageVersionDefinition, { metadata: { name }, spec: {} })).toEqual(
      problems.map((problem) => `metadata.name: Invalid value: ${JSON.stringify(name)}: ${problem}`),
    );
  });

  const server = { apiServerID: "a", encodingVersion: "v1", decodableVersions: ["v1"] };
  const condition = { type: "T", status: "True", reason: "R", message: "M" };
  test.each<[object, readonly string[]]>([
    [{}, []],
    [{ storageVersions: [server], commonEncodingVersion: "v1", conditions: [condition] }, []],
    [
      { storageVersions: [server, { ...server, encodingVersion: "a/b/c" }], commonEncodingVersion: "v1" },
      [
        "status.storageVersions[1].encodingVersion: Invalid value: \"a/b/c\": an apiVersion is a DNS-1035 label, which must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')",
        'status.storageVersions[1].decodableVersions: Invalid value: ["v1"]: decodableVersions must include encodingVersion a/b/c',
        'status.commonEncodingVersion: Invalid value: "v1": should be nil if servers do not agree on the same encoding version, or if there is no server reporting the supported versions yet',
      ],
    ],
    [
      { storageVersions: [{ ...server, encodingVersion: "/" }] },
      [
        'status.storageVersions[0].encodingVersion: Invalid value: "/": group part: must be non-empty,version part: must be non-empty',
        'status.storageVersions[0].decodableVersions: Invalid value: ["v1"]: decodableVersions must include encodingVersion /',
        'status.commonEncodingVersion: Invalid value: "null": the common encoding version is /',
      ],
    ],
    [
      { storageVersions: [server], commonEncodingVersion: "v2", conditions: [condition, { type: "T" }] },
      [
        'status.commonEncodingVersion: Invalid value: "v2": the actual common encoding version is v1',
        'status[1].type: Invalid value: "T": the type of the condition is not unique, it also appears in conditions[0]',
        'status[1].status: Invalid value: "T": name part must be non-empty',
        "status[1].status: Invalid value: \"T\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        "status[1].reason: Required value: reason cannot be empty",
        "status[1].message: Required value: message cannot be empty",
      ],
    ],
  ])("have the status %j", (status, problems) => {
    expect(statusProblems(storageVersionDefinition, { old: {}, next: { status } })).toEqual(problems);
  });

  test("are shown with the first few servers", () => {
    const storageVersions = ["a", "b", "c", "d"].map((apiServerID) => ({ ...server, apiServerID }));
    expect(cells(storageVersionDefinition, { status: {} })).toMatchObject({
      CommonEncodingVersion: "<unset>",
      StorageVersions: "<unset>",
    });
    expect(cells(storageVersionDefinition, { status: { storageVersions } })).toMatchObject({
      StorageVersions: "a=v1,b=v1,c=v1 + 1 more...",
    });
  });
});

describe("migrations", () => {
  const definition = storageVersionMigrationDefinition;
  const migration = { spec: { resource: { group: "apps", resource: "deployments" } } };

  test("name a resource, and no other later", () => {
    const path = "spec.resource";
    expect(creationProblems(definition, migration)).toEqual([]);
    expect(creationProblems(definition, { spec: {} })).toEqual([
      `${path}.resource: Required value: resource is required to be set`,
    ]);
    expect(creationProblems(definition, { spec: { resource: { group: "_", resource: "A" } } })).toEqual([
      expect.stringContaining(`${path}.resource: Invalid value: "A": a DNS-1035 label must consist of`),
      expect.stringContaining(`${path}.group: Invalid value: "_": a lowercase RFC 1123 subdomain must`),
    ]);
    const next = { spec: { resource: { group: "apps", resource: "pods" } } };
    expect(updateProblems(definition, { old: migration, next })).toEqual([
      'spec: Invalid value: {"Resource":{"group":"apps","resource":"pods"}}: field is immutable',
    ]);
  });

  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const conditionsOf = (types: Readonly<Record<string, string>>) =>
    Object.entries(types).map(([type, status]) => ({ type, status, reason: "R", lastTransitionTime }));
  const statusOf = (types: Readonly<Record<string, string>>, resourceVersion = "5") => ({
    resourceVersion,
    conditions: conditionsOf(types),
  });
  test.each<[object, object, readonly string[]]>([
    [{}, statusOf({ Running: "True" }), []],
    [statusOf({ Running: "True" }), statusOf({ Running: "False", Succeeded: "True" }), []],
    [
      statusOf({}, "4"),
      statusOf({}, "x"),
      [
        'resourceVersion: Invalid value: "x": resource version is not well formed: x',
        'resourceVersion: Invalid value: "x": field is immutable',
      ],
    ],
    [
      {},
      statusOf({ Running: "True", Succeeded: "True", Failed: "True" }),
      [
        "Both success and failed conditions cannot be true at the same time",
        "Running condition cannot be true when success condition is true",
        "Running condition cannot be true when failed condition is true",
      ],
    ],
    [
      statusOf({ Succeeded: "True" }),
      statusOf({ Succeeded: "False" }),
      ["Success condition cannot be set to false once it is true"],
    ],
    [statusOf({ Failed: "True" }), statusOf({}), ["Failed condition cannot be set to false once it is true"]],
  ])("go from %j to %j", (old, next, problems) => {
    const found = statusProblems(definition, {
      old: { ...migration, status: old },
      next: { ...migration, status: next },
    });
    expect(found).toHaveLength(problems.length);
    for (const [index, problem] of problems.entries()) expect(found[index]).toContain(problem);
  });

  test("are shown with the resource's full name", () => {
    expect(cells(definition, migration)).toEqual({ Name: "x", Resource: "deployments.apps" });
  });
});
