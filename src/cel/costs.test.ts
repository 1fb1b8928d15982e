import { describe, expect, test } from "vitest";
import { dynType, intType, listType, mapType, stringType, type CelType } from "./check/types.ts";
import { estimateCost, kubernetesEnvironment, kubernetesEstimator } from "./index.ts";
import { AuthorizerValue, authorizerType, type AccessReviewer } from "./library/authorizer.ts";

const allowAll: AccessReviewer = {
  check: () => ({ allowed: true, reason: "" }),
  asServiceAccount: () => allowAll,
};
const list = (element: string) => `[${Array.from({ length: 5 }, () => element).join(", ")}]`;
const texts = list("'012345678901'");
const bytes = list("bytes('012345678901')");

/** Costs without constants that are computed once, as upstream's tests state them. */
const environment = kubernetesEnvironment(36, { variables: { authorizer: authorizerType } }).extend({
  foldConstants: false,
  homogeneousLiterals: false,
});

describe("costs of Kubernetes' functions", () => {
  // Upstream's tables: the least and the most that is estimated, and what it costs.
  test.each<readonly [string, number, number, number]>([
    [`${list("1")}.sum()`, 15, 15, 15],
    [`${list("uint(1)")}.sum()`, 20, 20, 20],
    [`${list("duration('1s')")}.isSorted()`, 20, 20, 20],
    [`${texts}.max()`, 15, 25, 15],
    [`${bytes}.min()`, 25, 35, 25],
    [`${bytes}.indexOf(bytes('x'))`, 26, 36, 26],
    ["'01234567890123456789012345678901234567890123456789'.lastIndexOf('123')", 5, 5, 5],
    ["url('https:://kubernetes.io/').getScheme()", 4, 4, 4],
    ["url('https:://kubernetes.io/') == url('https:://kubernetes.io/')", 7, 9, 7],
    ["url('https:://kubernetes.io/') == url('http://x.b')", 5, 5, 5],
    ["ip('192.168.0.1')", 2, 2, 2],
    ["ip('2001:db8:3333:4444:5555:6666:7777:8888').family()", 5, 5, 5],
    ["ip('192.168.0.1') == ip('192.168.0.1')", 5, 5, 5],
    ["ip.isCanonical('2001:db8:3333:4444:5555:6666:7777:8888')", 8, 8, 8],
    ["cidr('2001:db8::/32')", 2, 2, 2],
    ["cidr('192.168.0.0/16').ip()", 3, 3, 3],
    ["cidr('192.168.0.0/16').containsCIDR(cidr('192.0.0.0/30'))", 7, 11, 7],
    ["cidr('192.168.0.0/16').containsCIDR('192.168.0.0/16')", 7, 11, 7],
    ["cidr('192.168.0.0/16').containsIP(ip('192.0.0.1'))", 4, 7, 4],
    ["cidr('192.168.0.0/16').containsIP('192.169.0.1')", 5, 8, 5],
    ["authorizer.path('/healthz').check('get').allowed()", 350_003, 350_003, 350_003],
    [
      "authorizer.group('apps').resource('deployments').subresource('status').namespace('test').name('backend').check('create').allowed()",
      350_007,
      350_007,
      350_007,
    ],
    ['quantity("12Mi")', 1, 1, 1],
    ['quantity("50k").add(20).sub(quantity("100k")).sub(-50000).asInteger() > 0', 7, 7, 7],
    ["sets.contains([], [])", 21, 21, 21],
    ["sets.contains([1, 2.0, 3u], [1.0, 2u, 3])", 30, 30, 30],
    ["sets.contains([[1], [2, 3]], [[2, 3.0]])", 53, 53, 53],
    ["sets.equivalent([[1.0], [2, 3]], [[1], [2, 3.0]])", 69, 69, 69],
    ['!sets.intersects([1], ["1", 2])', 24, 24, 24],
  ])("%s", (expression, least, most, actual) => {
    const compilation = environment.compile(expression);
    if (compilation.type !== "program") throw new Error(compilation.message);
    const { program } = compilation;
    const size = { min: 0n, max: 12n };
    const estimate = estimateCost(
      program.checked,
      kubernetesEstimator({
        estimateSize: ({ type }) => (["string", "bytes"].includes(type.kind) ? size : undefined),
      }),
    );
    const { cost } = program.evaluate({ authorizer: new AuthorizerValue(allowAll) });
    expect([estimate.min, estimate.max, cost]).toEqual([BigInt(least), BigInt(most), actual]);
  });
});

describe("costs of the language", () => {
  const check = (
    expression: string,
    variables: Readonly<Record<string, readonly [CelType, unknown]>>,
    options?: { readonly fold: boolean },
  ) => {
    const types = Object.fromEntries(Object.entries(variables).map(([name, [type]]) => [name, type]));
    const values = Object.fromEntries(Object.entries(variables).map(([name, [, value]]) => [name, value]));
    const compilation = kubernetesEnvironment(36, { variables: types })
      .extend({ foldConstants: options?.fold ?? false, homogeneousLiterals: false })
      .compile(expression);
    if (compilation.type !== "program") throw new Error(compilation.message);
    return compilation.program.evaluate(values).cost;
  };
  const x = "x".repeat(500);

  // cel-go's table.
  test.each<readonly [string, Readonly<Record<string, readonly [CelType, unknown]>>, number]>([
    ["input", { input: [listType(intType), [1, 2]] }, 1],
    ["input['key']", { input: [mapType(stringType, stringType), { key: "v" }] }, 2],
    ["input['ke' + 'y']", { input: [mapType(stringType, stringType), { key: "v" }] }, 3],
    ["input[3-3]", { input: [listType(stringType), ["v"]] }, 3],
    ["has(input.testAttr.nestedAttr)", { input: [dynType, { testAttr: { nestedAttr: "0" } }] }, 2],
    ["[1, 2, 3]", {}, 10],
    ['{"a": 1, "b": 2, "c": 3}', {}, 30],
    ["input.all(x, true)", { input: [dynType, []] }, 2],
    ["[1, 2, 3].all(x, true)", {}, 20],
    ["input.matches('[0-9]')", { input: [stringType, x] }, 103],
    ["'123'.matches('[0-9]')", {}, 2],
    ["true || false", {}, 0],
    ["1 < 2", {}, 1],
    ["2 in [1, 2, 3]", {}, 13],
    ["true ? 1 : 2", {}, 0],
    ["'12345678901234567890' == '123456789012345678901234567890'", {}, 2],
    ["bytes(input)", { input: [stringType, x] }, 51],
    ["input.contains(arg1)", { input: [stringType, x], arg1: [stringType, x] }, 2502],
    ["input.startsWith(arg1)", { input: [stringType, "idc"], arg1: [stringType, x] }, 3],
    ["size(input)", { input: [stringType, "500"] }, 2],
    [
      "(x > 2 ? input1 : input2).all(y, true)",
      { x: [intType, 1], input1: [dynType, [{}]], input2: [dynType, [{}]] },
      6,
    ],
    ["false ? false : 1 > 3", {}, 1],
    ["input.all(k, input[k].single_int32 > 3)", { input: [dynType, { val: { single_int32: 0 } }] }, 9],
    ["(list1 + list2).all(x, true)", { list1: [listType(intType), []], list2: [listType(intType), []] }, 4],
    ['"abcdefg".contains(str1 + str2)', { str1: [stringType, "val1"], str2: [stringType, "val2222222"] }, 6],
    ["(1 > 2 ? 5 : 3) > 1", {}, 2],
    ["(1 > 2 || 2 > 1) == true", {}, 3],
    ["[{'k1': 1}, {'k2': 2}].all(x, true)", {}, 77],
  ])("%s", (expression, variables, cost) => {
    expect(check(expression, variables)).toBe(cost);
  });

  test("what is constant costs nothing in Kubernetes", () => {
    expect(check("x in ['a', 'b']", { x: [stringType, "a"] }, { fold: true })).toBe(1);
    expect(check("duration('1h') < duration('2h')", {}, { fold: true })).toBe(1);
    expect(check("[1, 2, 3].all(x, x > 0)", {}, { fold: true })).toBe(16);
  });

  test("estimates follow the sizes of data", () => {
    const sizes: Readonly<Record<string, bigint>> = { input: 50n, "input.@items": 10n };
    const compilation = kubernetesEnvironment(36, {
      variables: { input: listType(listType(intType)) },
    }).compile("input.all(x, x.all(y, true))");
    if (compilation.type !== "program") throw new Error(compilation.message);
    const estimator = kubernetesEstimator({
      estimateSize: ({ path }) => {
        const max = sizes[(path ?? []).join(".")];
        return max === undefined ? undefined : { min: 0n, max };
      },
    });
    expect(estimateCost(compilation.program.checked, estimator)).toEqual({ min: 2n, max: 1752n });
  });

  test("an evaluation ends when its limit is exceeded, and no other side makes that good", () => {
    const compilation = kubernetesEnvironment(36, { variables: { input: listType(intType) } }).compile(
      "input.all(x, input.all(y, input.all(z, x + y + z >= 0))) || true",
    );
    if (compilation.type !== "program") throw new Error(compilation.message);
    const input = Array.from({ length: 1000 }, () => 1);
    expect(compilation.program.evaluate({ input })).toMatchObject({
      type: "error",
      message: "operation cancelled: actual cost limit exceeded",
      costExceeded: true,
    });
  });
});
