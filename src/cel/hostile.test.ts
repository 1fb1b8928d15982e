import { expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import { admissionEnvironment, perCallLimit } from "./index.ts";

const environment = admissionEnvironment(36, { authorizer: true });
const size = 1_000;
const random = seededRandom(1);
const object = {
  numbers: Array.from({ length: size }, (_, index) => index),
  text: "x".repeat(1_000_000),
  random: Array.from({ length: 200_000 }, () => (random.next() < 0.5 ? "a" : "b")).join(""),
};
const outOfCost = "operation cancelled: actual cost limit exceeded";

/** A chain of values, each made of the one before it. */
function chain(length: number, first: string, step: (before: string) => string, last: string): string {
  let text = last.replaceAll("$", `v${length}`);
  for (let index = length; index >= 1; index--) text = `[${step(`v${index - 1}`)}].map(v${index}, ${text})`;
  return `[${first}].map(v0, ${text})`;
}

const twice = (value: string) => `${value} + ${value}`;

/** What these would take, their costs do not tell: it is cut off all the same. */
test.each([
  ["loops in loops", "object.numbers.all(a, object.numbers.all(b, object.numbers.all(c, a + b + c >= 0)))"],
  ["lists of lists", "object.numbers.map(a, object.numbers.map(b, object.numbers.map(c, a * b * c)))"],
  ["a list that doubles", chain(40, "object.numbers", twice, "$.size()")],
  [
    "lists that are joined again and again",
    "object.numbers.all(a, object.numbers.all(b, (object.numbers + object.numbers).size() > 0))",
  ],
  ["a text that doubles", chain(40, "object.text", twice, "$.size()")],
  [
    "a text that is quoted again and again",
    chain(40, "'\"'", (value) => `strings.quote(${value})`, "$.size()"),
  ],
  [
    "replacements that grow",
    chain(9, "'aaaaaaaaaa'", (value) => `${value}.replace('a', 'aaaaaaaaaa')`, "$.size()"),
  ],
  [
    "replacements of nothing",
    chain(9, "'aaaaaaaaaa'", (value) => `${value}.replace('', 'aaaaaaaaaa')`, "$.size()"),
  ],
  [
    "joins that grow",
    chain(
      30,
      "['aaaaaaaaaa', 'a']",
      (value) => `[${value}.join(${value}.join('aaaaaaaaaa')), ${value}.join('aaaaaaaaaa')]`,
      "$.size()",
    ),
  ],
  [
    "reading a long text again and again",
    "object.numbers.all(a, object.numbers.all(b, object.text.charAt(a) == 'x'))",
  ],
  ["a pattern that branches everywhere", "object.random.matches('(a*)*b.{500}!')"],
])("%s", (_, expression) => {
  const compilation = environment.compile(expression);
  if (compilation.type !== "program") throw new Error(compilation.message);
  const result = compilation.program.evaluate({ object });
  expect(result).toMatchObject({ type: "error", message: outOfCost, costExceeded: true });
  // What is over the limit was asked for at last, by one call.
  expect(result.cost).toBeLessThan(20 * perCallLimit);
});

test("a call that cannot be paid for is not begun", () => {
  const compilation = environment.compile("lists.range(1000).map(i, object.text).join()");
  if (compilation.type !== "program") throw new Error(compilation.message);
  expect(compilation.program.evaluate({ object })).toMatchObject({ message: outOfCost });
});

test.each(["(".repeat(99_999), "[".repeat(50_000), "a.b".repeat(30_000)])(
  "source that is deep is refused %#",
  (source) => {
    expect(environment.compile(source).type).toBe("invalid");
  },
);

test("a long text that is no number is refused at once", () => {
  const compilation = environment.compile("double(object.zeros) > 0.0");
  if (compilation.type !== "program") throw new Error(compilation.message);
  const zeros = `${"0".repeat(300_000)}!`;
  expect(compilation.program.evaluate({ object: { zeros } })).toMatchObject({ type: "error" });
});
