import { expect, test } from "vitest";
import { FieldPath, fieldErrorMessage } from "../field-error.ts";
import * as namesModule from "./index.ts";

const names = { ...namesModule };

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const namePart =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

test.each([
  ["isDNS1123Label", "a-1", []],
  ["isDNS1123Label", "", [label]],
  ["isDNS1123Label", "a.b", ["must not contain dots"]],
  ["isDNS1123Label", "A", [label]],
  ["isDNS1123Label", "a".repeat(64), ["must be no more than 63 bytes"]],
  ["isDNS1123Label", "a\n", [label]],
  ["isDNS1123Subdomain", "a.b-c.d", []],
  ["isDNS1123Subdomain", "a..b", [subdomain]],
  ["isDNS1123Subdomain", `${"a".repeat(254)}_`, ["must be no more than 253 bytes", subdomain]],
  ["isDNS1035Label", "a1", []],
  [
    "isDNS1035Label",
    "1a",
    [
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  ["isQualifiedName", "example.com/My_name.x", []],
  ["isQualifiedName", "", ["name part must be non-empty", namePart]],
  ["isQualifiedName", "/a", ["prefix part must be non-empty"]],
  ["isQualifiedName", "A/a", [`prefix part ${subdomain}`]],
  ["isQualifiedName", "a".repeat(64), ["name part must be no more than 63 bytes"]],
  [
    "isQualifiedName",
    "a/b/c",
    [
      `a valid label key ${namePart.slice("name part ".length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
  ],
  ["isValidLabelValue", "", []],
  ["isValidLabelValue", "a_B", []],
  [
    "isValidLabelValue",
    "-a",
    [
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  ],
  ["isConfigMapKey", ".hidden", []],
  ["isConfigMapKey", "..", ["must not be '..'"]],
  ["isConfigMapKey", "..a", ["must not start with '..'"]],
  ["isEnvVarName", "1 weird:name", []],
  ["isEnvVarName", "", ["environment variable name must be non-empty"]],
  [
    "isEnvVarName",
    "a=b",
    ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
  ],
  ["isValidPortName", "http", []],
  [
    "isValidPortName",
    "-1--",
    [
      "must contain at least one letter (a-z)",
      "must not contain consecutive hyphens",
      "must not begin or end with a hyphen",
    ],
  ],
  ["isHTTPHeaderName", "X-Y", []],
  [
    "isValidPercent",
    "x%",
    [
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  ],
  ["isPathSegmentName", "system:a b", []],
  ["isPathSegmentName", "..", ["may not be '..'"]],
  ["isPathSegmentName", "a/b%", ["may not contain '/'", "may not contain '%'"]],
  ["isValidIP", "10.9.8.7", []],
  ["isValidIP", "2001:db8::ffff", []],
  ["isValidIP", "::ffff:1.2.3.4", ["must not be an IPv4-mapped IPv6 address"]],
  ["isValidIP", "01.2.3.4", ["must not have leading 0s"]],
  ["isValidIP", "1.2.3", ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]],
  ["isValidIP", "1::2::3", ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]],
  ["isValidCIDR", "10.0.0.0/8", []],
  ["isValidCIDR", "10.0.0.1/8", ["must not have bits set beyond the prefix length"]],
  ["isValidCIDR", "10.0.00.0/08", ["must not have leading 0s in IP or prefix length"]],
  ["isValidCIDR", "::ffff:10.0.0.0/104", ["must not have an IPv4-mapped IPv6 address"]],
  ["isValidCIDR", "10.0.0.0/33", ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]],
] as const)("%s of %j", (predicate, value, problems) => {
  expect(names[predicate](value)).toEqual(problems);
});

test("port numbers", () => {
  expect(names.isValidPortNum(443)).toEqual([]);
  expect(names.isValidPortNum(0)).toEqual(["must be between 1 and 65535, inclusive"]);
});

test.each([
  ["10.1.2.3/8", "10.0.0.0/8"],
  ["2001:DB8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1/128"],
  ["fd00::/8", "fd00::/8"],
  ["::/0", "::/0"],
])("range %s is %s", (text, canonical) => {
  const cidr = names.parseCIDR(text);
  expect(cidr && names.formatCIDR(cidr)).toBe(canonical);
});

test("ranges hold and overlap", () => {
  const range = (text: string) => names.parseCIDR(text) ?? expect.fail(text);
  expect(names.cidrContains(range("10.0.0.0/12"), [10, 15, 0, 1])).toBe(true);
  expect(names.cidrContains(range("10.0.0.0/12"), [10, 16, 0, 1])).toBe(false);
  expect(names.cidrsOverlap(range("10.0.0.0/8"), range("10.9.0.0/16"))).toBe(true);
  expect(names.cidrsOverlap(range("10.0.0.0/8"), range("fd00::/8"))).toBe(false);
});

const texts = (errors: readonly { readonly field: string }[]) =>
  errors.map(
    (error) => `${error.field}: ${fieldErrorMessage(error as Parameters<typeof fieldErrorMessage>[0])}`,
  );

test.each<[namesModule.PartialObjectMeta, readonly string[]]>([
  [{ name: "a", namespace: "default", generateName: "a-" }, []],
  [{ namespace: "default" }, ["metadata.name: Required value: name or generateName is required"]],
  [{ name: "a" }, ["metadata.namespace: Required value"]],
  [{ name: "a", namespace: "b.c" }, ['metadata.namespace: Invalid value: "b.c": must not contain dots']],
  [{ name: "a", namespace: "b", labels: { "-": "x" } }, [`metadata.labels: Invalid value: "-": ${namePart}`]],
  [{ name: "a", namespace: "b", annotations: { UPPER: "any value" } }, []],
  [
    { name: "a", namespace: "b", annotations: { a: "x".repeat(262144) } },
    ["metadata.annotations: Too long: may not be more than 262144 bytes"],
  ],
  [
    { name: "a", namespace: "b", finalizers: ["orphan", "foregroundDeletion"] },
    [
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ],
  ],
  [
    { name: "a", namespace: "b", ownerReferences: [{ apiVersion: "v1", kind: "", name: "", uid: "u" }] },
    [
      'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
    ],
  ],
  [
    { name: "a", namespace: "b", managedFields: [{ operation: "Patch", manager: "a\u0007" }] },
    [
      'metadata.managedFields[0].operation: Invalid value: "Patch": must be `Apply` or `Update`',
      'metadata.managedFields[0].manager: Invalid value: "a\\a": invalid character U+0007 (at position 1)',
    ],
  ],
])("new metadata %#", (metadata, errors) => {
  expect(texts(names.validateObjectMeta(metadata, { namespaced: true }))).toEqual(errors);
});

test.each<[string, readonly string[]]>([
  ["example.com/x", []],
  ["orphan", []],
  ["foregroundDeletion", []],
  ["kubernetes", []],
  [
    "nonsense",
    [
      'metadata.finalizers[0]: Invalid value: "nonsense": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ],
])("finalizer %s", (finalizer, errors) => {
  expect(texts(names.validateFinalizerDomains({ finalizers: [finalizer] }))).toEqual(errors);
});

test("cluster-scoped metadata has no namespace", () => {
  const errors = names.validateObjectMeta(
    { name: "system:x", namespace: "b" },
    { namespaced: false, nameRule: "path" },
  );
  expect(texts(errors)).toEqual(["metadata.namespace: Forbidden: not allowed on this type"]);
});

test("two controllers are one too many", () => {
  const owner = (name: string) => ({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name,
    uid: name,
    controller: true,
  });
  const errors = names.validateObjectMeta(
    { name: "a", namespace: "b", ownerReferences: [owner("x"), owner("y")] },
    { namespaced: true },
  );
  expect(errors.map((error) => error.detail)).toEqual([
    'Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/x and ReplicaSet/y',
  ]);
});

test("updated metadata", () => {
  const old = {
    name: "a",
    uid: "1",
    generation: 2,
    deletionTimestamp: "2026-01-01T00:00:00Z",
    finalizers: ["x"],
  };
  expect(texts(names.validateObjectMetaUpdate({ ...old, resourceVersion: "1" }, old))).toEqual([]);
  expect(
    texts(
      names.validateObjectMetaUpdate(
        { name: "b", uid: "1", generation: 1, finalizers: ["x", "y/z"], deletionTimestamp: undefined },
        old,
      ),
    ),
  ).toEqual([
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"y/z"}',
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    "metadata.generation: Invalid value: 1: must not be decremented",
    'metadata.name: Invalid value: "b": field is immutable',
    'metadata.deletionTimestamp: Invalid value: "null": field is immutable',
  ]);
});

test.each(["a", "é", "€", "😀", "€😀é", "\ud800", "\udc00", "\ud800é", "\ud800\ud800\udc00", "\udc00\ud800"])(
  "bytes of %j in UTF-8",
  (text) => {
    expect(names.byteLength(text)).toBe(new TextEncoder().encode(text).length);
  },
);

test("label selectors", () => {
  const errors = names.validateLabelSelector(
    {
      matchLabels: { a: "b" },
      matchExpressions: [
        { key: "a", operator: "In", values: [] },
        { key: "b", operator: "Exists", values: ["x"] },
        { key: "c", operator: "Is" },
      ],
    },
    { path: FieldPath.root("spec").child("selector") },
  );
  expect(texts(errors)).toEqual([
    "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    'spec.selector.matchExpressions[2].operator: Invalid value: "Is": not a valid selector operator',
  ]);
});

test("a long text that is no address is refused at once", () => {
  expect(namesModule.isValidIP(`${"0".repeat(300_000)}!`)).toEqual([
    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
  ]);
});
