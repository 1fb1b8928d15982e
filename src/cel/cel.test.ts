import { describe, expect, test } from "vitest";
import {
  AuthorizerValue,
  CelCache,
  EvaluationError,
  KeyedList,
  ResourceCheck,
  authorizerType,
  bindingsLibrary,
  boolType,
  createEnvironment,
  dynType,
  intType,
  jsonPatchLibrary,
  kubernetesEnvironment,
  listType,
  mapType,
  objectType,
  perCallLimit,
  resourceCheckType,
  stringType,
  toJson,
  type AccessQuestion,
  type AccessReviewer,
  type CelType,
  type FieldDeclaration,
  type TypeProvider,
} from "./index.ts";

const environment = kubernetesEnvironment(36, {
  variables: { object: dynType, text: stringType, number: intType },
});

function run(expression: string, variables: Readonly<Record<string, unknown>> = {}): unknown {
  const compilation = environment.compile(expression);
  if (compilation.type !== "program") return compilation.message;
  const evaluation = compilation.program.evaluate(variables);
  return evaluation.type === "value" ? toJson(evaluation.value) : `error: ${evaluation.message}`;
}

const object = {
  metadata: { name: "web", labels: { app: "web" }, constructor: "mine" },
  spec: { replicas: 3, ratio: 0.5, containers: [{ image: "x/a" }, { image: "y/b" }], none: null },
};

describe("values are JSON", () => {
  test.each<readonly [string, unknown]>([
    ["object.spec.replicas <= 5", true],
    ["object.spec.containers.all(c, c.image.startsWith('x'))", false],
    ["object.spec.containers.map(c, c.image)", ["x/a", "y/b"]],
    ["object.metadata.labels.app", "web"],
    ["object.metadata.labels['app'] in ['web', 'db']", true],
    ["object.spec.ratio * 2.0", 1],
    ["type(object.spec.ratio) == double && type(object.spec.replicas) == int", true],
    ["has(object.spec.replicas) && !has(object.spec.paused)", true],
    ["has(object.spec.none)", true],
    ["object.spec.none == null", true],
    ["object.spec.paused", "error: no such key: paused"],
    ["has(object.metadata.constructor)", true],
    ["has(object.spec.constructor) || has(object.spec.toString) || has(object.spec.__proto__)", false],
    ["object.spec.containers[5]", "error: index out of bounds: 5"],
    ["object.spec.replicas.foo", "error: no such key: foo"],
    ["object.?spec.?paused.orValue(true)", true],
    ["object.spec.replicas + 'a'", "error: no such overload"],
    ["object.spec.paused || true", true],
    ["object.spec.paused || false", "error: no such key: paused"],
    ["object.spec.containers.exists(c, c.missing == 1 || c.image == 'y/b')", true],
    ["size(object.spec)", 4],
    ["9223372036854775807 + 1", "error: integer overflow"],
    ["-9223372036854775808 - 1", "error: integer overflow"],
    ["9223372036854775807 - 1 == 9223372036854775806", true],
    ["4611686018427387904 * 2", "error: integer overflow"],
    ["18446744073709551615u + 1u", "error: unsigned integer overflow"],
    ["1 / 0", "error: division by zero"],
    ["1 % 0", "error: modulus by zero"],
    ["7 / -2 == -3 && -7 % 3 == -1", true],
    ["'naïve 😁'.size()", 7],
    ["'😁b'.substring(1)", "b"],
  ])("%s", (expression, expected) => {
    expect(run(expression, { object })).toEqual(expected);
  });
});

describe("messages are cel-go's", () => {
  test.each<readonly [string, string]>([
    ["object.spec ==", "ERROR: <input>:1:15: Syntax error: mismatched input '<EOF>' expecting"],
    ["unknown", "ERROR: <input>:1:1: undeclared reference to 'unknown' (in container '')\n | unknown\n | ^"],
    ["number + text", "ERROR: <input>:1:8: found no matching overload for '_+_' applied to '(int, string)'"],
    ["number.startsWith('a')", "found no matching overload for 'startsWith' applied to 'int.(string)'"],
    ["[1, 'a']", "expected type 'int' but found 'string'"],
    ["duration('1 hour')", "ERROR: <input>:1:10: invalid duration argument"],
    ["timestamp('yesterday')", "invalid timestamp argument"],
    ["text.matches('(')", "invalid matches argument"],
    [
      "'%d'.format(['a'])",
      "ERROR: <input>:1:14: error during formatting: decimal clause can only be used on integers, was given string",
    ],
    ["'%s %s'.format(['a'])", "ERROR: <input>:1:15: index 1 out of range"],
    [
      "'%s'.format(['a', 'b'])",
      "ERROR: <input>:1:12: too many arguments supplied to string.format (expected 1, got 2)",
    ],
    ["'%z'.format([1])", 'could not parse formatting clause: unrecognized formatting clause "z"'],
    ["'%.f'.format([1.0])", 'strconv.Atoi: parsing "": invalid syntax'],
    ["'100%'.format([])", "unexpected end of string"],
    [
      "'%s'.format([[url('https://a')]])",
      "ERROR: <input>:1:18: error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given kubernetes.URL",
    ],
    ["text.find('[')", "error parsing regexp: missing closing ]: `[`"],
    ["int('x')", 'strconv.ParseInt: parsing "x": invalid syntax'],
    ["(1", "Syntax error: missing ')' at '<EOF>'"],
  ])("%s", (expression, message) => {
    const compilation = environment.compile(expression);
    expect(compilation.type === "program" ? "no message" : compilation.message).toContain(message);
  });
});

describe("Kubernetes' libraries", () => {
  test.each<readonly [string, unknown]>([
    ["[1, 2, 3].sum() == 6 && ['b', 'a'].min() == 'a' && [1.5, 2.5].max() == 2.5", true],
    ["[1, 3, 2].isSorted() || ['a', 'b'].isSorted()", true],
    [
      "[3, 1, 2].sort() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2] && [[1], [2]].flatten() == [1, 2]",
      true,
    ],
    ["[{'n': 2}, {'n': 1}].sortBy(e, e.n)[0].n", 1],
    ["[1, 2, 3, 4].slice(1, 3)", [2, 3]],
    ["[1, 2].slice(1, 3)", "error: cannot slice(1, 3), list is length 2"],
    ["[].max()", "error: max called on empty list"],
    ["sets.contains([1, 2], [2]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 1], [1])", true],
    ["'abc 123'.find('[0-9]+') == '123' && '123 abc 456'.findAll('[0-9]*', 1) == ['123']", true],
    ["'123 abc 456'.findAll('[0-9]+')", ["123", "456"]],
    ["url('https://user:pass@example.com:80/path?query=val#fragment').getHost()", "example.com:80"],
    ["url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]/').getHost() == '[::1]'", true],
    ["url('https://example.com/path with spaces/').getEscapedPath()", "/path%20with%20spaces/"],
    ["url('https://example.com/path?k1=a&k2=b&k2=c').getQuery()", { k1: ["a"], k2: ["b", "c"] }],
    ["isURL('../relative-path') || isURL('https://a:b:c/') || !isURL('/absolute-path')", false],
    [
      "url('../relative-path')",
      'error: URL parse error during conversion from string: parse "../relative-path": invalid URI for request',
    ],
    ["quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && quantity('200M') == quantity('0.2G')", true],
    ["quantity('50k').add(20).asInteger() == 50020 && sign(quantity('-1')) == -1", true],
    ["isQuantity('10 Mo') || !quantity('1500m').isInteger() == false", false],
    [
      "ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && ip('169.254.1.1').isLinkLocalUnicast()",
      true,
    ],
    ["ip.isCanonical('2001:DB8::ABCD') || isIP('1.2.3') || isIP('::ffff:1.2.3.4')", false],
    ["string(ip('2001:db8:0:0::1'))", "2001:db8::1"],
    [
      "cidr('192.168.0.0/24').containsIP('192.168.0.7') && !cidr('192.168.1.0/24').containsCIDR('192.168.2.0/24')",
      true,
    ],
    [
      "string(cidr('192.168.0.1/24').masked()) + ' ' + string(cidr('::1/128').prefixLength())",
      "192.168.0.0/24 128",
    ],
    [
      "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').compareTo(semver('1.0.0')) == -1",
      true,
    ],
    ["isSemver('v1.0') || !isSemver('v1.0', true) || semver('01.01.01', true).major() != 1", false],
    ["format.dns1123Label().validate('my-name') == optional.none()", true],
    [
      "format.named('dns1123Label').value().validate('contains a space').value()[0].contains('RFC 1123')",
      true,
    ],
    [
      "format.date().validate('2021-02-30').hasValue() && !format.datetime().validate('2021-01-01T00:00:00Z').hasValue()",
      true,
    ],
    ["'%s has %d of %s'.format([dyn('web'), 3, [dyn(1), 'a']])", 'web has 3 of [1, "a"]'],
    ["'%% %s'.format([dyn(1)])", "% 1"],
    ["'%.2f %e %x %b'.format([dyn(1234.5), 1052.03, 255, 5])", "1,234.50 1.052030\u202f×\u202f10⁰³ ff 101"],
    ["'a,b,c'.split(',', 2) == ['a', 'b,c'] && ['a', 'b'].join('-') == 'a-b' && ' x '.trim() == 'x'", true],
    ["'hello hello'.replace('he', 'we', 1) == 'wello hello' && 'abc'.replace('', '_') == '_a_b_c_'", true],
    ["strings.quote('a\"b')", '"a\\"b"'],
    ["timestamp('2023-01-01T00:30:00Z').getHours('America/New_York') == 19", true],
    ["timestamp('2023-03-01T00:00:00Z') - duration('24h') == timestamp('2023-02-28T00:00:00Z')", true],
    ["{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", { b: 20 }],
    ["[1, 2].transformList(i, v, i + v)", [1, 3]],
    ["optional.of(1).optMap(x, x + 1).value()", 2],
  ])("%s", (expression, expected) => {
    expect(run(expression)).toEqual(expected);
  });

  test("the authorizer is asked what the expression says", () => {
    const asked: AccessQuestion[] = [];
    const reviewer = (user: string): AccessReviewer => ({
      check: (question) => {
        asked.push(question);
        return { allowed: user === "system:serviceaccount:default:builder", reason: user };
      },
      asServiceAccount: (namespace, name) => reviewer(`system:serviceaccount:${namespace}:${name}`),
    });
    const question = {
      group: "",
      resource: "pods",
      subresource: "",
      namespace: "default",
      name: "web",
      fieldSelector: "",
      labelSelector: "",
    };
    const compilation = kubernetesEnvironment(36, {
      variables: { authorizer: authorizerType, requestResource: resourceCheckType },
    }).compile(
      "authorizer.serviceAccount('default', 'builder').group('apps').resource('deployments').labelSelector('a=b').check('list').allowed() && !requestResource.check('get').allowed()",
    );
    if (compilation.type !== "program") throw new Error(compilation.message);
    const authorizer = new AuthorizerValue(reviewer("jane"));
    const requestResource = new ResourceCheck(reviewer("jane"), question);
    expect(compilation.program.evaluate({ authorizer, requestResource })).toMatchObject({ value: true });
    expect(asked).toEqual([
      {
        ...question,
        type: "resource",
        group: "apps",
        resource: "deployments",
        namespace: "",
        name: "",
        labelSelector: "a=b",
        verb: "list",
      },
      { ...question, type: "resource", verb: "get" },
    ]);
  });

  test("older versions have fewer libraries", () => {
    const compiles = (minor: number, expression: string) =>
      kubernetesEnvironment(minor).compile(expression).type === "program";
    expect([27, 28].map((minor) => compiles(minor, "quantity('1').isInteger()"))).toEqual([false, true]);
    expect([33, 34].map((minor) => compiles(minor, "[2, 1].sort() == [1, 2]"))).toEqual([false, true]);
  });

  test("libraries may be added: bindings, JSON patches", () => {
    const more = kubernetesEnvironment(36, { libraries: [bindingsLibrary, jsonPatchLibrary] });
    const compilation = more.compile(
      "cel.bind(key, 'k8s.io/my~label', '/metadata/labels/' + jsonpatch.escapeKey(key))",
    );
    if (compilation.type !== "program") throw new Error(compilation.message);
    expect(compilation.program.evaluate({})).toMatchObject({ value: "/metadata/labels/k8s.io~1my~0label" });
  });
});

describe("types of objects come from a provider", () => {
  const fields: Readonly<Record<string, Readonly<Record<string, FieldDeclaration>>>> = {
    Widget: {
      size: { type: intType },
      weight: { type: { kind: "double", name: "double", parameters: [] } },
      created: { type: { kind: "timestamp", name: "google.protobuf.Timestamp", parameters: [] } },
      labels: { type: mapType(stringType, stringType) },
      parts: { type: listType(objectType("Part")) },
      tags: {
        type: listType(stringType),
        adapt: (raw) => new KeyedList(raw as readonly string[], undefined),
      },
    },
    Part: { name: { type: stringType } },
  };
  const provider: TypeProvider = {
    findType: (name): CelType | undefined => (Object.hasOwn(fields, name) ? objectType(name) : undefined),
    findField: (type, field) => fields[type]?.[field],
  };
  const typed = kubernetesEnvironment(36, { variables: { self: objectType("Widget") }, provider });
  const self = {
    size: 3,
    weight: 2,
    created: "2024-05-01T10:00:00Z",
    labels: { a: "b" },
    parts: [{ name: "x" }],
    tags: ["a", "b"],
  };

  test.each<readonly [string, unknown]>([
    ["self.size > 2 && self.labels.a == 'b'", true],
    ["self.weight / 4.0 == 0.5 && type(self.weight) == double", true],
    ["self.created.getFullYear() == 2024 && self.created < timestamp('2025-01-01T00:00:00Z')", true],
    ["self.parts.exists(p, p.name == 'x')", true],
    ["self.tags == ['b', 'a'] && self.tags + ['b', 'c'] == ['c', 'b', 'a']", true],
    ["Widget{size: 4, parts: [Part{name: 'y'}]}.parts[0].name", "y"],
  ])("%s", (expression, expected) => {
    const compilation = typed.compile(expression);
    if (compilation.type !== "program") throw new Error(compilation.message);
    expect(compilation.program.evaluate({ self })).toMatchObject({ type: "value", value: expected });
  });

  test.each<readonly [string, string]>([
    ["self.colour == 'red'", "ERROR: <input>:1:5: undefined field 'colour'"],
    ["self.size == 'a'", "found no matching overload for '_==_' applied to '(int, string)'"],
    ["Widget{size: 'a'}", "expected type of field 'size' is 'int' but provided type is 'string'"],
    ["self.parts[0].name > 1", "applied to '(string, int)'"],
  ])("%s is refused", (expression, message) => {
    const compilation = typed.compile(expression);
    expect(compilation.type === "program" ? "" : compilation.message).toContain(message);
  });
});

describe("hostile expressions", () => {
  const deep = (depth: number) => `${"[".repeat(depth)}1${"]".repeat(depth)}`;

  test.each<readonly [string, string, string]>([
    ["nesting", deep(1000), "expression recursion limit exceeded: 250"],
    ["sums", Array.from({ length: 1000 }, () => "1").join(" + "), "max recursion depth exceeded"],
    ["selections", `object${".a".repeat(1000)}`, "max recursion depth exceeded"],
    [
      "length",
      `'${"x".repeat(100_001)}'`,
      "expression code point size exceeds limit: size: 100003, limit 100000",
    ],
    ["errors", ") ".repeat(1000), "Syntax error"],
  ])("%s are bounded", (_, expression, message) => {
    const compilation = environment.compile(expression);
    expect(compilation.type === "program" ? "" : compilation.message).toContain(message);
  });

  test("thousands of terms of a logical operator are fine", () => {
    const terms = Array.from({ length: 5000 }, (_, index) => `number == ${index}`);
    expect(run(terms.join(" || "), { number: 4999 })).toBe(true);
  });

  test("of many errors the first hundred are told, without a line that is too long", () => {
    const compilation = environment.compile("😁 ".repeat(20_000));
    const lines = compilation.type === "invalid" ? compilation.message.split("\n") : [];
    expect(lines).toHaveLength(101);
    expect(lines[99]).toBe("ERROR: <input>:1:199: Syntax error: token recognition error at: '😁'");
    expect(lines[100]).toMatch(/^\d+ more errors were truncated$/);
  });

  test("patterns that make others run for years are matched in linear time", () => {
    const text = `${"a".repeat(50_000)}!`;
    expect(run("text.matches('^(a+)+$')", { text })).toBe(false);
    expect(run("text.matches('^(a|aa)*b')", { text })).toBe(false);
    expect(run("text.find('(x+x+)+y')", { text: "x".repeat(10_000) })).toBe("");
  });

  test("loops within loops end by their cost", () => {
    const numbers = Array.from({ length: 10_000 }, (_, index) => index);
    const compilation = environment.compile("object.all(a, object.all(b, object.all(c, a + b + c >= 0)))");
    if (compilation.type !== "program") throw new Error(compilation.message);
    const evaluation = compilation.program.evaluate({ object: numbers });
    expect(evaluation).toMatchObject({ type: "error", costExceeded: true });
    expect(evaluation.cost).toBeLessThan(perCallLimit + 100);
  });
});

test("a getter that fails is an error of the expression", () => {
  const compilation = kubernetesEnvironment(36, {
    variables: { variables: mapType(stringType, dynType) },
  }).compile("variables.broken == 1 || true");
  if (compilation.type !== "program") throw new Error(compilation.message);
  const variables = Object.defineProperty({}, "broken", {
    enumerable: true,
    get: () => {
      throw new EvaluationError("no such key: x");
    },
  });
  expect(compilation.program.evaluate({ variables })).toMatchObject({ value: true });
});

test("a cache answers the same program, and forgets what was not used", () => {
  const cache = new CelCache({ capacity: 2 });
  const other = createEnvironment({ libraries: [], variables: { flag: boolType } });
  const first = cache.compile(environment, "1 + 1");
  expect(cache.compile(environment, "1 + 1")).toBe(first);
  expect(cache.compile(other, "1 + 1")).not.toBe(first);
  cache.compile(environment, "1 + 1");
  cache.compile(other, "flag");
  expect(cache.compile(environment, "1 + 1")).toBe(first);
  cache.compile(other, "!flag");
  cache.compile(other, "flag || true");
  expect(cache.compile(environment, "1 + 1")).not.toBe(first);
});
