import { expect, test } from "vitest";
import {
  exactFieldMatch,
  exactMatch,
  everything,
  fieldSelectorMatches,
  formatFieldSelector,
  formatLabelSelector,
  formatSelector,
  labelSelectorOf,
  nothing,
  parseFieldSelector,
  parseLabelSelector,
  selectorMatches,
  selectorOfLabels,
} from "./index.ts";

test.each([
  ["", ""],
  ["a=b,c!=d,e in (x,y),!f,g,h>1", "a=b,c!=d,e in (x,y),!f,g,h>1"],
  [" z , a == b ", "a==b,z"],
  ["x in (foo,,baz),y,z notin ()", "x in (,baz,foo),y,z notin ()"],
  ["in in (in,notin)", "in in (in,notin)"],
  ["a=", "a="],
  ["a=,b", "a=,b"],
  ["x in (,)", "x in ()"],
  ["n<5", "n<5"],
  ["example.com/app=web", "example.com/app=web"],
])("%j reads as %j", (text, formatted) => {
  expect(formatSelector(parseLabelSelector(text))).toBe(formatted);
});

const qualified =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
test.each([
  ["a,", "found '', expected: identifier after ','"],
  ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ["=a", "found '=', expected: !, identifier, or 'end of string'"],
  ["a in x", "unable to parse requirement: found 'x' expected: '('"],
  ["a in (x", "unable to parse requirement: found '', expected: ',' or ')'"],
  ["a in (=", "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
  ["a=b c", "found 'c', expected: ',' or 'end of string'"],
  ["!a=b", "found '=', expected: ',' or 'end of string'"],
  ["!", "unable to parse requirement: found '', expected: identifier"],
  [
    "n>x",
    `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
  ],
  ["-a", `unable to parse requirement: <nil>: Invalid value: "-a": ${qualified}`],
])("%j is refused", (text, message) => {
  expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ name: "SelectorError", message }));
});

test.each([
  ["a=b", { a: "b" }, true],
  ["a=b", { a: "c" }, false],
  ["a=b", {}, false],
  ["a!=b", {}, true],
  ["a in (b,c)", { a: "c" }, true],
  ["a notin (b)", { a: "b" }, false],
  ["a notin (b)", {}, true],
  ["a", { a: "" }, true],
  ["!a", { a: "" }, false],
  ["toString", {}, false],
  ["n>5", { n: "10" }, true],
  ["n>5", { n: "x" }, false],
  ["n<5", { n: "10" }, false],
  ["a=b,c=d", { a: "b" }, false],
  ["", {}, true],
])("%j on %j: %j", (text, labels, matches) => {
  expect(selectorMatches(parseLabelSelector(text), labels)).toBe(matches);
});

test("selector objects", () => {
  expect(labelSelectorOf(undefined)).toBe(nothing);
  expect(selectorMatches(nothing, {})).toBe(false);
  expect(selectorMatches(labelSelectorOf({}), undefined)).toBe(true);
  const selector = labelSelectorOf({
    matchLabels: { b: "1", a: "2" },
    matchExpressions: [
      { key: "c", operator: "NotIn", values: ["y", "x"] },
      { key: "d", operator: "DoesNotExist" },
    ],
  });
  expect(formatSelector(selector)).toBe("a=2,b=1,c notin (x,y),!d");
  expect(exactMatch(selector, "a")).toBe("2");
  expect(exactMatch(selector, "c")).toBeUndefined();
  expect(() => labelSelectorOf({ matchExpressions: [{ key: "c", operator: "In" }] })).toThrow(
    "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
  );
  expect(formatLabelSelector({})).toBe("<none>");
  expect(formatLabelSelector({ matchExpressions: [{ key: "c", operator: "Is" }] })).toBe("<error>");
  expect(formatSelector(selectorOfLabels({ b: "1", a: "" }))).toBe("a=,b=1");
  expect(everything.requirements).toEqual([]);
});

test("field selectors", () => {
  const selector = parseFieldSelector("status.phase!=Running,metadata.name==a\\,b\\=c\\\\");
  expect(selector).toEqual([
    { field: "metadata.name", operator: "=", value: "a,b=c\\" },
    { field: "status.phase", operator: "!=", value: "Running" },
  ]);
  expect(formatFieldSelector(selector)).toBe("metadata.name=a\\,b\\=c\\\\,status.phase!=Running");
  const values: Record<string, string> = { "metadata.name": "a,b=c\\", "status.phase": "Pending" };
  expect(fieldSelectorMatches(selector, (field) => values[field] ?? "")).toBe(true);
  expect(fieldSelectorMatches(selector, () => "")).toBe(false);
  expect(exactFieldMatch(selector, "metadata.name")).toBe("a,b=c\\");
  expect(exactFieldMatch(selector, "status.phase")).toBeUndefined();
  expect(parseFieldSelector("")).toEqual([]);
});

test.each([
  ["a", "invalid selector: 'a'; can't understand 'a'"],
  ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  ["a=b\\c", "invalid field selector: invalid escape sequence: \\c"],
  ["a=b\\", "invalid field selector: invalid escape sequence: \\"],
])("field selector %j is refused", (text, message) => {
  expect(() => parseFieldSelector(text)).toThrow(expect.objectContaining({ name: "SelectorError", message }));
});
