import { describe, expect, test } from "vitest";
import { creationProblems, created, statusProblems, updateProblems, warningsOf } from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { customResourceDefinitionDefinition } from "./custom-resource-definition.ts";

const group = "example.com";
const schemaPath = "spec.validation.openAPIV3Schema";
const label =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const version = (schema: object, more: object = {}) => ({
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  ...more,
});
const plain = version({ type: "object" });
const sketch = (spec: object, more: object = {}): Sketch => ({
  metadata: { name: `foos.${group}` },
  spec: { group, names: { kind: "Foo", plural: "foos" }, scope: "Namespaced", versions: [plain], ...spec },
  ...more,
});
const problemsOf = (object: Sketch) => creationProblems(customResourceDefinitionDefinition, object);

describe("definitions", () => {
  test.each<[object, readonly string[]]>([
    [{}, []],
    [
      { group: "k.k8s.io", scope: "x", names: { kind: "Foo", plural: "foos", listKind: "Foo" } },
      [
        'metadata.name: Invalid value: "foos.example.com": must be spec.names.plural+"."+spec.group',
        'spec.scope: Unsupported value: "x": supported values: "Cluster", "Namespaced"',
        'spec.names.listKind: Invalid value: "Foo": kind and listKind may not be the same',
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
    [
      { names: { kind: "Foo", plural: "foos", shortNames: ["A"], categories: ["B"] } },
      [
        `spec.names.shortNames[0]: Invalid value: "A": ${label}`,
        `spec.names.categories[0]: Invalid value: "B": ${label}`,
      ],
    ],
    [
      { preserveUnknownFields: true, conversion: { strategy: "Webhook" } },
      [
        'spec.conversion.strategy: Invalid value: "Webhook": must be None if spec.preserveUnknownFields is true',
        "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        "spec.conversion.conversionReviewVersions: Required value",
        "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      ],
    ],
    [
      {
        conversion: {
          strategy: "Webhook",
          webhook: { conversionReviewVersions: ["v9"], clientConfig: { service: { name: "x" } } },
        },
      },
      [
        "spec.conversion.webhookClientConfig.service.name: Required value: service name is required",
        'spec.conversion.conversionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
      ],
    ],
    [
      { versions: [], conversion: { strategy: "None", webhook: { conversionReviewVersions: ["v1"] } } },
      [
        "spec.versions: Invalid value: []: must have exactly one version marked as storage version",
        "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
        "status.storedVersions: Invalid value: null: must have at least one stored version",
      ],
    ],
    [
      { versions: [version({ type: "string" }, { deprecationWarning: "x" }), { name: "v2", served: true }] },
      [
        "spec.versions[1].schema.openAPIV3Schema: Required value: schemas are required",
        'spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions',
        'spec.versions[0].schema.openAPIV3Schema.type: Invalid value: "string": must be object at the root',
      ],
    ],
  ])("%j", (spec, problems) => {
    expect(problemsOf(sketch(spec))).toEqual(problems);
  });

  test("two versions that store", () => {
    const other = { ...plain, name: "v2" };
    const [first, second] = problemsOf(sketch({ versions: [plain, other] }));
    expect(first).toMatch(/^spec\.versions: .*: must have exactly one version marked as storage version$/);
    expect(second).toBe('status.storedVersions: Invalid value: ["v1"]: must have the storage version v2');
  });
});

describe("schemas", () => {
  const structural = "to be structural";
  test.each<[object, readonly string[]]>([
    [
      {
        a: { type: "foo", "x-kubernetes-preserve-unknown-fields": false },
        c: { type: "object", uniqueItems: true, additionalProperties: {}, properties: { d: {} } },
      },
      [
        'properties[a].type: Unsupported value: "foo": supported values: "array", "boolean", "integer", "number", "object", "string"',
        "properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
        "properties[c].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        "properties[c].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
      ],
    ],
    [
      {
        a: { type: "string", pattern: "(" },
        i: { "x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true },
      },
      [
        'properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
        "properties[i].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true",
      ],
    ],
    [
      {
        l: {
          type: "array",
          items: { type: "object", properties: { k: { type: "string" } }, required: ["k"] },
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["k", "z"],
        },
        s: { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" },
        m: { type: "string", "x-kubernetes-map-type": "foo" },
        w: {
          type: "array",
          items: { type: "string" },
          "x-kubernetes-list-type": "foo",
          "x-kubernetes-list-map-keys": ["a"],
        },
      },
      [
        'properties[l].x-kubernetes-list-map-keys: Invalid value: ["k","z"]: entries must all be names of item properties',
        'properties[s].items.x-kubernetes-map-type: Invalid value: "null": must be atomic as item of a list with x-kubernetes-list-type=set',
        'properties[m].type: Invalid value: "string": must be object if x-kubernetes-map-type is specified',
        'properties[m].x-kubernetes-map-type: Unsupported value: "foo": supported values: "atomic", "granular"',
        'properties[w].x-kubernetes-list-type: Unsupported value: "foo": supported values: "atomic", "set", "map"',
        'properties[w].x-kubernetes-list-type: Invalid value: "foo": must be map if x-kubernetes-list-map-keys is non-empty',
      ],
    ],
    [
      {
        g: {
          type: "object",
          not: { default: 1, title: "x", nullable: true, "x-kubernetes-int-or-string": true },
        },
      },
      [
        `properties[g].not.default: Forbidden: must be undefined ${structural}`,
        `properties[g].not.nullable: Forbidden: must be false ${structural}`,
        `properties[g].not.title: Forbidden: must be empty ${structural}`,
        `properties[g].not.x-kubernetes-int-or-string: Forbidden: must be false ${structural}`,
      ],
    ],
    [
      { r: { type: "string", "x-kubernetes-validations": [{ rule: " " }, { rule: "a\nb", reason: "x" }] } },
      [
        "properties[r].x-kubernetes-validations[0].rule: Required value: rule is not specified",
        "properties[r].x-kubernetes-validations[1].message: Required value: message must be specified if rule contains line breaks",
        'properties[r].x-kubernetes-validations[1].reason: Unsupported value: "x": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
      ],
    ],
  ])("%j", (properties, problems) => {
    expect(problemsOf(sketch({ versions: [version({ type: "object", properties })] }))).toEqual(
      problems.map((problem) => `${schemaPath}.${problem}`),
    );
  });

  test("what has no structure is refused field by field", () => {
    const root = {
      type: "object",
      id: "x",
      $ref: "y",
      definitions: { a: {} },
      items: [{ type: "string" }],
      dependencies: { a: ["b"] },
    };
    expect(problemsOf(sketch({ versions: [version(root)] }))).toEqual([
      ...["id", "definitions", "dependencies", "$ref"].map(
        (field) => `${schemaPath}.${field}: Forbidden: ${field} is not supported`,
      ),
      `${schemaPath}.items: Forbidden: items must be a schema object and not an array`,
    ]);
  });

  test("what alternatives name is named outside of them", () => {
    const root = { type: "object", anyOf: [{ type: "object", properties: { q: { description: "x" } } }] };
    expect(problemsOf(sketch({ versions: [version(root)] }))).toEqual([
      `${schemaPath}.anyOf[0].properties[q].description: Forbidden: must be empty ${structural}`,
      `${schemaPath}.anyOf[0].type: Forbidden: must be empty ${structural}`,
      `${schemaPath}.properties[q]: Required value: because it is defined in ${schemaPath}.anyOf[0].properties[q]`,
    ]);
  });
});

test("subresources, columns and selectable fields of a version", () => {
  const schema = {
    type: "object",
    properties: { spec: { type: "object", properties: { a: { type: "string" }, b: { type: "object" } } } },
  };
  const more = {
    subresources: {
      scale: { specReplicasPath: "spec.x", statusReplicasPath: ".spec.y", labelSelectorPath: ".foo" },
    },
    additionalPrinterColumns: [{ name: "", type: "x", format: "y", jsonPath: "z" }],
    selectableFields: [{ jsonPath: ".spec.a" }, { jsonPath: ".spec.b" }, { jsonPath: ".spec.c" }],
  };
  const paths = "must be a simple json path starting with .";
  expect(problemsOf(sketch({ versions: [version(schema, more)] }))).toEqual([
    `spec.subresources.scale.specReplicasPath: Invalid value: "spec.x": ${paths}`,
    'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.y": should be a json path under .status',
    'spec.subresources.scale.labelSelectorPath: Invalid value: ".foo": should be a json path under either .spec or .status',
    "spec.additionalPrinterColumns[0].name: Required value",
    'spec.additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string',
    'spec.additionalPrinterColumns[0].format: Invalid value: "y": must be one of byte,date,date-time,double,float,int32,int64,password',
    `spec.additionalPrinterColumns[0].JSONPath: Invalid value: "z": ${paths}`,
    'spec.selectableFields[1].jsonPath: Invalid value: ".spec.b": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
    'spec.selectableFields[2].jsonPath: Invalid value: ".spec.c": is an invalid path: does not refer to a valid field',
  ]);
});

describe("changes", () => {
  const old = sketch({});
  const established = {
    status: { conditions: [{ type: "Established", status: "True" }], storedVersions: ["v1"] },
  };
  const definition = customResourceDefinitionDefinition;

  test("names are fixed, kind and scope once they are served", () => {
    const names = { plural: "foos", kind: "Bar" };
    const next = sketch({ names, scope: "Cluster" });
    expect(updateProblems(definition, { old, next })).toEqual([]);
    const before: typeof definition = { ...definition, prepareForCreate: (object) => object };
    expect(
      updateProblems(before, { old: { ...old, ...established }, next: { ...next, ...established } }),
    ).toEqual([
      'spec.scope: Invalid value: "Cluster": field is immutable',
      'spec.names.kind: Invalid value: "Bar": field is immutable',
    ]);
  });

  test("what was there before a rule may stay", () => {
    const bad = sketch({ versions: [version({ type: "object", properties: { a: { type: "foo" } } })] });
    expect(problemsOf(bad)).toHaveLength(1);
    expect(updateProblems(definition, { old: bad, next: bad })).toEqual([]);
    expect(updateProblems(definition, { old, next: bad })).toHaveLength(1);
  });

  test("a version in which objects are stored stays", () => {
    const next = sketch(
      { versions: [{ ...plain, name: "v2" }] },
      { status: { storedVersions: ["v1"], acceptedNames: { kind: "", plural: "" } } },
    );
    expect(updateProblems(definition, { old, next })).toEqual([
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
    ]);
  });

  test("a status names what it accepts", () => {
    const status = { acceptedNames: { plural: "A", kind: "Foo" } };
    expect(statusProblems(definition, { old, next: sketch({}, { status }) })).toEqual([
      `status.acceptedNames.plural: Invalid value: "A": ${label}`,
    ]);
  });
});

test("defaults and what a new definition says of itself", () => {
  const { spec, status } = created(customResourceDefinitionDefinition, sketch({}));
  expect(spec.names).toEqual({ kind: "Foo", plural: "foos", singular: "foo", listKind: "FooList" });
  expect(spec.conversion).toEqual({ strategy: "None" });
  expect(status).toEqual({
    conditions: null,
    acceptedNames: { kind: "", plural: "" },
    storedVersions: ["v1"],
  });
});

test("formats that nothing checks bring a warning", () => {
  const properties = { a: { type: "string", format: "uuid" }, b: { type: "string", format: "odd" } };
  const object = sketch({ versions: [version({ type: "object", properties })] });
  expect(warningsOf(customResourceDefinitionDefinition, object)).toEqual(['unrecognized format "odd"']);
  expect(warningsOf(customResourceDefinitionDefinition, object, object)).toEqual([]);
});

describe("rules", () => {
  const bounds =
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
  const shown = (rule: string, more: object = {}) =>
    JSON.stringify({
      Rule: rule,
      Message: "",
      MessageExpression: "",
      Reason: null,
      FieldPath: "",
      OptionalOldSelf: null,
      ...more,
    });
  const ruled = (schema: object, ...rules: readonly object[]) => ({
    ...schema,
    "x-kubernetes-validations": rules,
  });
  const text = { type: "string" };
  const searched = (maxLength: number, maxItems: number) => ({
    a: ruled(
      { type: "array", maxItems, items: { ...text, maxLength } },
      { rule: "self.all(x, x.contains('gpu'))" },
    ),
  });
  const problemsIn = (properties: object, rules: readonly object[] = []) =>
    problemsOf(sketch({ versions: [version(ruled({ type: "object", properties }, ...rules))] })).map(
      (problem) => problem.replace(`${schemaPath}.`, ""),
    );

  test.each<[properties: object, rules: readonly object[], problems: readonly string[]]>([
    [
      { spec: { type: "object", properties: { a: { type: "integer" }, "b-c": text } } },
      [
        { rule: "self.spec.a > 0 && self.spec.b__dash__c != ''" },
        { rule: "self.metadata.name.startsWith('x')", messageExpression: "'not ' + self.metadata.name" },
        { rule: "self.spec.a >= oldSelf.spec.a" },
        { rule: "!oldSelf.hasValue() || self.spec.a >= oldSelf.value().spec.a", optionalOldSelf: true },
      ],
      [],
    ],
    [
      { a: ruled(text, { rule: "self == 1" }, { rule: "self +" }, { rule: "self" }) },
      [],
      [
        `properties[a].x-kubernetes-validations[0].rule: Invalid value: ${shown("self == 1")}: compilation failed: ERROR: <input>:1:6: found no matching overload for '_==_' applied to '(string, int)'\n | self == 1\n | .....^`,
        `properties[a].x-kubernetes-validations[1].rule: Invalid value: ${shown("self +")}: compilation failed: ERROR: <input>:1:7: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | self +\n | ......^`,
        `properties[a].x-kubernetes-validations[2].rule: Invalid value: ${shown("self")}: cel expression must evaluate to a bool`,
      ],
    ],
    [
      { a: ruled(text, { rule: "true", messageExpression: "1", optionalOldSelf: false }) },
      [],
      [
        `properties[a].x-kubernetes-validations[0].messageExpression: Invalid value: ${shown("true", { MessageExpression: "1", OptionalOldSelf: false })}: messageExpression must evaluate to a string`,
        "properties[a].x-kubernetes-validations[0].optionalOldSelf: Invalid value: false: may not be set if oldSelf is not used in rule",
      ],
    ],
    [
      {
        a: {
          type: "array",
          maxItems: 2,
          items: ruled({ ...text, maxLength: 9 }, { rule: "self == oldSelf" }),
        },
      },
      [],
      [
        'properties[a].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec.validation.openAPIV3Schema.properties[a]',
      ],
    ],
    [
      {
        a: ruled(
          { type: "array", items: text, maxItems: 909_090 },
          { rule: "self.all(x, x.contains('gpu'))" },
        ),
      },
      [],
      [
        `properties[a].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${bounds}`,
        "properties[a].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema",
        `spec.validation.openAPIV3Schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${bounds}`,
      ],
    ],
    [
      // What is wrong with a schema hides what is wrong with its rules, and with those around it.
      { a: ruled({ type: "x" }, { rule: "1" }), b: ruled(text, { rule: "1" }) },
      [{ rule: "1" }],
      [
        'properties[a].type: Unsupported value: "x": supported values: "array", "boolean", "integer", "number", "object", "string"',
        `properties[b].x-kubernetes-validations[0].rule: Invalid value: ${shown("1")}: cel expression must evaluate to a bool`,
      ],
    ],
  ])("%j", (properties, rules, problems) => {
    expect(problemsIn(properties, rules)).toEqual(problems);
  });

  test.each([
    [16, 909_090],
    [63, 333_333],
    [253, 94_339],
    [1024, 24_154],
  ])("of texts of %i characters %i may be searched", (maxLength, maxItems) => {
    expect(problemsIn(searched(maxLength, maxItems))).toEqual([]);
    expect(problemsIn(searched(maxLength, maxItems + 10))).toEqual([
      expect.stringMatching(/rule: Forbidden: estimated rule cost exceeds budget by factor of 1\.\d{6}x /),
    ]);
  });

  test("what a schema that stays costs is not asked again", () => {
    const old = sketch({ versions: [version({ type: "object", properties: searched(16, 909_100) })] });
    expect(problemsOf(old)).toHaveLength(1);
    expect(updateProblems(customResourceDefinitionDefinition, { old, next: old })).toEqual([]);
    const next = sketch({ versions: [version({ type: "object", properties: searched(16, 909_101) })] });
    expect(updateProblems(customResourceDefinitionDefinition, { old, next })).toHaveLength(1);
  });
});
