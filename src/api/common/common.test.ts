import { describe, expect, test } from "vitest";
import { describeDifference } from "./difference.ts";
import { internalValue } from "./internal-value.ts";
import { unifiedDiff } from "./unified-diff.ts";
import { ageSince, humanDuration } from "./duration.ts";
import { semanticallyEqual } from "./equal.ts";
import { fill, fillZero, mapList } from "./fill.ts";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

describe("durations as people read them", () => {
  test.each([
    [-2 * second, "<invalid>"],
    [-1 * second, "0s"],
    [0, "0s"],
    [119 * second, "119s"],
    [120 * second, "2m"],
    [125 * second, "2m5s"],
    [600 * second, "10m"],
    [179 * 60 * second, "179m"],
    [3 * hour, "3h"],
    [3 * hour + 60 * second, "3h1m"],
    [8 * hour, "8h"],
    [47 * hour, "47h"],
    [48 * hour, "2d"],
    [50 * hour, "2d2h"],
    [8 * day + hour, "8d"],
    [729 * day, "729d"],
    [730 * day, "2y"],
    [735 * day, "2y5d"],
    [8 * 365 * day + day, "8y"],
  ])("%d ms is %s", (milliseconds, text) => expect(humanDuration(milliseconds)).toBe(text));

  test("no timestamp, no age", () => expect(ageSince(undefined, 0)).toBe("<unknown>"));
});

test.each<[unknown, unknown, boolean]>([
  [{ a: 1 }, { a: 1, b: [] }, true],
  [{ a: 1, b: {} }, { a: 1 }, true],
  [{ a: [1, 2] }, { a: [2, 1] }, false],
  [{ a: "" }, {}, false],
  [undefined, [], true],
  [[], {}, true],
])("%j equals %j: %s", (a, b, equal) => expect(semanticallyEqual(a, b)).toBe(equal));

test("filling changes nothing that is there, and copies only when it must", () => {
  const full = { a: 1, b: "x" };
  expect(fill(full, { a: 2, b: "y" })).toBe(full);
  expect(fill({ a: 0, b: "" }, { a: 2, b: "y" })).toEqual({ a: 0, b: "y" });
  expect(fillZero({ a: 0, b: "" }, { a: 2, b: "y" })).toEqual({ a: 2, b: "y" });
  const list = [1, 2];
  expect(mapList(list, (each) => each)).toBe(list);
});

describe("a difference is shown line by line, of internal forms", () => {
  test("of values without a type", () => {
    const from = { a: 1, b: [1, 2, 3, 4, 5, 6, 7, 8, 9], c: "<" };
    expect(describeDifference({ from, to: { ...from, a: 2 } })).toBe(
      '@@ -1,5 +1,5 @@\n {\n- "a": 1,\n+ "a": 2,\n  "b": [\n   1,\n   2,\n',
    );
    expect(describeDifference({ from, to: { ...from, c: "" } })).toContain('- "c": "\\u003c"\n+ "c": ""\n');
    expect(describeDifference({ from, to: from })).toBe("");
  });

  test("of pods, whose security holds what they share with nodes", () => {
    const type = "io.k8s.api.core.v1.PodSpec";
    const containers = [{ name: "c", image: "i", resources: { limits: { cpu: "1" } } }];
    const from = { containers, hostNetwork: true, serviceAccountName: "a", serviceAccount: "a" };
    expect(
      describeDifference({ from, to: { ...from, hostNetwork: false, setHostnameAsFQDN: true }, type }),
    ).toBe(
      [
        "@@ -46,7 +46,7 @@",
        '  "AutomountServiceAccountToken": null,',
        '  "NodeName": "",',
        '  "SecurityContext": {',
        '-  "HostNetwork": true,',
        '+  "HostNetwork": false,',
        '   "HostPID": false,',
        '   "HostIPC": false,',
        '   "ShareProcessNamespace": null,',
        "@@ -68,7 +68,7 @@",
        '  "ImagePullSecrets": null,',
        '  "Hostname": "",',
        '  "Subdomain": "",',
        '- "SetHostnameAsFQDN": null,',
        '+ "SetHostnameAsFQDN": true,',
        '  "Affinity": null,',
        '  "SchedulerName": "",',
        '  "Tolerations": null,',
        "",
      ].join("\n"),
    );
  });
});

describe("texts are compared as difflib does", () => {
  const lines = (...parts: readonly (readonly [text: string, count: number])[]) =>
    parts.flatMap(([text, count]) => Array.from({ length: count }, () => text)).join("\n");
  test.each([
    ["a", "a", ""],
    ["a", "b", "@@ -1 +1 @@\n-a\n+b\n"],
    ["a\nb", "a\nc\nb", "@@ -1,2 +1,3 @@\n a\n+c\n b\n"],
    [lines(["x", 9]), lines(["x", 9], ["y", 1]), "@@ -7,3 +7,4 @@\n x\n x\n x\n+y\n"],
    // Frequent lines of long texts only go on where others match.
    [`a\n${lines(["x", 300])}\nb`, `a\n${lines(["x", 299])}\nb`, "@@ -298,5 +298,4 @@\n x\n x\n x\n-x\n b\n"],
  ])("%j and %j", (first, second, difference) => {
    expect(unifiedDiff(first, second)).toBe(difference);
  });
});

describe("a value in its internal form", () => {
  test("has metadata in the order of its fields, sources of volumes in that of the server", () => {
    const metadata = { annotations: { d: "1", c: "2" }, labels: { b: "1", a: "2" } };
    const template = { metadata, spec: { volumes: [{ name: "v" }], hostNetwork: true } };
    const shown = JSON.stringify(internalValue(template, "io.k8s.api.core.v1.PodTemplateSpec"));
    expect(shown).toContain(
      '{"labels":{"a":"2","b":"1"},"annotations":{"c":"2","d":"1"},"Spec":{"Volumes":[',
    );
    expect(shown).toContain('"RBD":null,"Quobyte":null,"FlexVolume":null');
    expect(shown).toContain('"SecurityContext":{"HostNetwork":true,"HostPID":false');
    expect(shown.match(/"HostNetwork"/g)).toHaveLength(1);
  });
});
