import { describe, expect, test } from "vitest";
import {
  KeyedList,
  declaredBySchema,
  estimateCost,
  ruleEnvironment,
  ruleEstimator,
  toJson,
  type ExpressionSchema,
} from "../index.ts";

function compiled(schema: ExpressionSchema, rule: string, isResource = false) {
  const self = declaredBySchema(schema, { name: "selfType", isResource });
  if (!self) throw new Error("expressions cannot see it");
  const compilation = ruleEnvironment(36, self, { optionalOldSelf: false }).compile(rule);
  if (compilation.type !== "program") throw new Error(compilation.message);
  const cost = estimateCost(compilation.program.checked, ruleEstimator(self));
  return { program: compilation.program, cost: cost.max, self };
}

const text = { type: "string" };
const integer = { type: "integer" };
const number = { type: "number" };
const objects = { type: "object", required: ["required"], properties: { required: text, optional: text } };
const intOrString = { "x-kubernetes-int-or-string": true };
const array = (items: ExpressionSchema) => ({ type: "array", items });
const map = (additionalProperties: ExpressionSchema) => ({ type: "object", additionalProperties });
const format = (name: string) => ({ type: "string", format: name });

describe("estimated costs of rules, without and with limits", () => {
  test.each<
    readonly [
      ExpressionSchema,
      rule: string,
      free: number,
      limits: Partial<ExpressionSchema>,
      limited: number,
    ]
  >([
    [array(number), "self.all(x, true)", 4718591, { maxItems: 10 }, 32],
    [array(text), "self.all(x, true)", 3145727, { maxItems: 20 }, 62],
    [array({ type: "boolean" }), "self.all(x, true)", 1887437, { maxItems: 5 }, 17],
    [array(array(number)), "self.all(x, true)", 3145727, { maxItems: 100 }, 302],
    [array(objects), "self.all(x, true)", 555128, { maxItems: 50 }, 152],
    [map(number), "self.all(x, true)", 1348169, { maxProperties: 10 }, 32],
    [map(number), "has(self.x)", 1, { maxProperties: 100 }, 1],
    [map(text), "self.all(x, true)", 1179647, { maxProperties: 3 }, 11],
    [text, "self.contains('test')", 314574, { maxLength: 10 }, 5],
    [text, "self.startsWith('test')", 2, { maxLength: 15 }, 2],
    [text, "size(self + 'hello') > size('hello')", 314578, { maxLength: 4 }, 7],
    [array(text), "self[1] == self[1]", 314577, { maxItems: 8 }, 314577],
    [array(number), "self.all(x, self.all(y, true))", 7421701914624, { maxItems: 10 }, 352],
    [text, "self.matches('x')", 314574, { maxLength: 50 }, 22],
    [text, "self == 'x'", 2, { maxLength: 0 }, 1],
    [format("byte"), "self == b'x'", 2, { maxLength: 0 }, 1],
    [array(number), "self.all(x, x == 0.0)", 6291454, { maxItems: 3 * 1024 * 2048 }, 25165826],
    [array(map(objects)), "self.all(x, x['y'].required == 'z')", 7340027, { maxItems: 10 }, 72],
    [array(intOrString), "self.all(x, true)", 4718591, { maxItems: 10 }, 32],
    [array(intOrString), "self[0] == 5", 3, { maxItems: 10 }, 3],
    [array(objects), "self[0] == null", 2, { maxItems: 422 }, 2],
    [array(map(number)), "self.all(x, x.y == 25.2)", 6291452, { maxItems: 12 }, 74],
    [array(format("duration")), "self.all(x, true)", 2359295, { maxItems: 5 }, 17],
    [array(format("duration")), "self[0].getHours() == 2", 4, { maxItems: 525 }, 4],
    [array(format("date")), "self.all(x, true)", 725936, { maxItems: 15 }, 47],
    [array(format("date-time")), "self.all(x, true)", 428963, { maxItems: 25 }, 77],
    [map(objects), "self.all(x, true)", 428963, { maxProperties: 20 }, 62],
    [map(format("date-time")), "self.all(x, true)", 349526, { maxProperties: 25 }, 77],
    [text, "self.find('[0-9]+') == ''", 629147, { maxLength: 10 }, 11],
  ])("%j: %s", (schema, rule, free, limits, limited) => {
    expect(compiled(schema, rule).cost).toBe(BigInt(free));
    expect(compiled({ ...schema, ...limits }, rule).cost).toBe(BigInt(limited));
  });

  test("an enumeration bounds text", () => {
    const schema = { type: "string", enum: ["a", "longest"] };
    expect(compiled(schema, "self.contains('test')").cost).toBe(2n);
  });
});

describe("rules see what schemas describe", () => {
  const schema: ExpressionSchema = {
    type: "object",
    properties: {
      namespace: array(text),
      "a.b-c/d__e": integer,
      "0hidden": integer,
      ratio: number,
      since: format("date-time"),
      wait: format("duration"),
      data: format("byte"),
      port: intOrString,
      tags: { ...array(text), "x-kubernetes-list-type": "set" },
      parts: {
        ...array({ type: "object", properties: { name: text, value: integer } }),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      },
      embedded: { type: "object", "x-kubernetes-embedded-resource": true },
      unknown: { "x-kubernetes-preserve-unknown-fields": true } as ExpressionSchema,
    },
  };
  const object = {
    kind: "Kind",
    metadata: { name: "n" },
    namespace: ["a"],
    "a.b-c/d__e": 1,
    ratio: 2,
    since: "2026-01-01T00:00:00Z",
    wait: "90s",
    data: "YQ==",
    port: "80%",
    tags: ["a", "b"],
    parts: [
      { name: "x", value: 1 },
      { name: "y", value: 2 },
    ],
    embedded: { kind: "Other" },
  };

  test.each([
    "self.__namespace__[0] == 'a' && has(self.__namespace__)",
    "self.a__dot__b__dash__c__slash__d__underscores__e == 1",
    "has(self.a__dot__b__dash__c__slash__d__underscores__e)",
    "self.ratio == 2.0 && type(self.ratio) == double",
    "self.since.getFullYear() == 2026 && self.wait == duration('1m30s') && self.data == b'a'",
    "self.port == '80%' && self.port != 80",
    "self.tags == oldSelf.tags && self.tags + ['a', 'c'] == ['a', 'b', 'c']",
    "self.parts == oldSelf.parts",
    "self.kind == 'Kind' && self.metadata.name == 'n' && self.embedded.kind == 'Other'",
    "self.?ratio.orValue(1.0) == 2.0 && !has(self.metadata.generateName)",
  ])("%s", (rule) => {
    const { program } = compiled(schema, rule, true);
    const old = { ...object, tags: ["b", "a"], parts: object.parts.toReversed() };
    expect(program.evaluate({ self: object, oldSelf: old })).toMatchObject({ type: "value", value: true });
  });

  test.each([
    ["self.namespace[0] == 'a'", "undefined field 'namespace'"],
    ["self.unknown == 1", "undefined field 'unknown'"],
    ["self.metadata.labels == 1", "undefined field 'labels'"],
    ["self.ratio == 2", "found no matching overload for '_==_' applied to '(double, int)'"],
    ["self.parts[0] == 1", "found no matching overload for '_==_' applied to '(selfType.parts.@idx, int)'"],
  ])("%s is refused: %s", (rule, message) => {
    expect(() => compiled(schema, rule, true)).toThrow(message);
  });

  test("a root that is a set is one for expressions too", () => {
    const { program, self } = compiled(
      { ...array(text), "x-kubernetes-list-type": "set" },
      "self == oldSelf ? self : []",
    );
    const value = self.adapt?.(["a", "b"]);
    expect(value).toBeInstanceOf(KeyedList);
    const evaluation = program.evaluate({ self: value, oldSelf: self.adapt?.(["b", "a"]) });
    expect(evaluation.type === "value" && toJson(evaluation.value)).toEqual(["a", "b"]);
  });
});
