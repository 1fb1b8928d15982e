import { expect, test } from "vitest";
import type { CustomResourceDefinition, JSONSchemaProps } from "../../api/types/apiextensions-v1.ts";
import { definitionStatus } from "./definition-status.ts";

const definition = (
  names: Partial<CustomResourceDefinition["spec"]["names"]>,
  more: { readonly schema?: JSONSchemaProps; readonly annotation?: string; readonly group?: string } = {},
): CustomResourceDefinition => {
  const { schema = { type: "object" }, annotation, group = "example.com" } = more;
  const spec: CustomResourceDefinition["spec"] = {
    group,
    names: { plural: "foos", singular: "foo", kind: "Foo", listKind: "FooList", ...names },
    scope: "Namespaced",
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    ...(more.schema ? { preserveUnknownFields: true } : {}),
  };
  return {
    metadata: {
      name: `${spec.names.plural}.${group}`,
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(annotation === undefined ? {} : { annotations: { "api-approved.kubernetes.io": annotation } }),
    },
    spec,
    status: { acceptedNames: { plural: "", kind: "" }, conditions: [], storedVersions: ["v1"] },
  };
};

const accepted = (given: CustomResourceDefinition): CustomResourceDefinition => ({
  ...given,
  status: { ...given.status, acceptedNames: given.spec.names },
});
const all = ["NamesAccepted True NoConflicts", "Established True InitialNamesAccepted"];
const refused = (reason: string) => [`NamesAccepted False ${reason}`, "Established False NotAccepted"];
const foo = accepted(definition({}));
const bar = { plural: "bars", singular: "bar", kind: "Bar", listKind: "BarList" };

test.each<[string, CustomResourceDefinition, readonly CustomResourceDefinition[], readonly string[]]>([
  ["a first definition", definition({}), [], all],
  ["names of its own", definition(bar), [foo], all],
  ["a plural that is taken", definition({ ...bar, plural: "foo" }), [foo], refused("PluralConflict")],
  ["a singular that is taken", definition({ ...bar, singular: "foos" }), [foo], refused("SingularConflict")],
  [
    "a short name that is taken",
    definition({ ...bar, shortNames: ["x", "foo"] }),
    [foo],
    refused("ShortNamesConflict"),
  ],
  ["its own name as a short one", accepted(definition({ ...bar, shortNames: ["bar"] })), [foo], all],
  ["a kind that is taken", definition({ ...bar, kind: "FooList" }), [foo], refused("KindConflict")],
  [
    "a kind of lists that is taken",
    definition({ ...bar, listKind: "Foo" }),
    [foo],
    refused("ListKindConflict"),
  ],
  ["another group", definition({}, { group: "other.com" }), [foo], all],
  [
    "an approval that is missing",
    definition({}, { group: "a.k8s.io" }),
    [],
    ["KubernetesAPIApprovalPolicyConformant False MissingAnnotation", ...all],
  ],
  [
    "an approval",
    definition({}, { group: "a.k8s.io", annotation: "https://x.y/z" }),
    [],
    ["KubernetesAPIApprovalPolicyConformant True ApprovedAnnotation", ...all],
  ],
  [
    "an approval that was not asked for",
    definition({}, { group: "kubernetes.io", annotation: "unapproved, a trial" }),
    [],
    ["KubernetesAPIApprovalPolicyConformant False UnapprovedAnnotation", ...all],
  ],
  [
    "an approval that says nothing",
    definition({}, { group: "k8s.io", annotation: "yes" }),
    [],
    ["KubernetesAPIApprovalPolicyConformant False InvalidAnnotation", ...all],
  ],
  ["a schema with a structure", definition({}, { schema: { type: "object" } }), [], all],
  [
    "a schema without",
    definition({}, { schema: { properties: { a: {} } } }),
    [],
    ["NonStructuralSchema True Violations", ...all],
  ],
  [
    "a schema that cannot be told",
    definition({}, { schema: { type: "object", $ref: "x" } }),
    [],
    ["NonStructuralSchema Unknown StructuralError", ...all],
  ],
])("%s", (_, given, others, conditions) => {
  const { conditions: said = [] } = definitionStatus(given, { others, now: 0 });
  expect(said.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual(conditions);
});

test("what a schema lacks is told field by field, and no longer once it lacks nothing", () => {
  const lacking = definition({}, { schema: { properties: { a: {} } } });
  const status = definitionStatus(lacking, { others: [], now: 0 });
  expect(status.conditions?.[0]?.message).toBe(
    "[spec.versions[0].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields, spec.versions[0].schema.openAPIV3Schema.type: Required value: must not be empty at the root]",
  );
  const mended = { ...definition({}, { schema: { type: "object" } }), status };
  expect(definitionStatus(mended, { others: [], now: 0 }).conditions?.map(({ type }) => type)).toEqual([
    "NamesAccepted",
    "Established",
  ]);
});
