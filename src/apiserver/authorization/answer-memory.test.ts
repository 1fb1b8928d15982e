import { expect, test } from "vitest";
import { AnswerMemory } from "./answer-memory.ts";
import type { Question } from "./answer-memory.ts";

const resource = (parts: Partial<Question & { type: "resource" }> = {}): Question => ({
  type: "resource",
  verb: "get",
  group: "",
  resource: "pods",
  subresource: "",
  namespace: "a",
  ...parts,
});
const path = (of: string, verb = "get"): Question => ({ type: "path", path: of, verb });

test("an answer is found by whoever has the name and groups, for the very same question", () => {
  const memory = new AnswerMemory<string>();
  const user = { name: "jane", groups: ["a,b"] };
  const questions = [
    resource(),
    resource({ verb: "list" }),
    resource({ group: "metrics.k8s.io" }),
    resource({ subresource: "status" }),
    resource({ namespace: "" }),
    resource({ resource: "nodes" }),
    path("/healthz"),
    path("/healthz", "post"),
    path("pods"),
  ];
  for (const [index, question] of questions.entries()) {
    expect(memory.get(question, user)).toBeUndefined();
    memory.keep(`answer ${index}`, { question, user });
  }
  for (const [index, question] of questions.entries()) {
    expect(memory.get(question, user)).toBe(`answer ${index}`);
    expect(memory.get({ ...question }, { ...user })).toBe(`answer ${index}`);
    expect(memory.get(question, { name: "jane", groups: ["a", "b"] })).toBeUndefined();
    expect(memory.get(question, { name: "joe", groups: user.groups })).toBeUndefined();
  }
  memory.clear();
  expect(memory.get(questions[0]!, user)).toBeUndefined();
});

test("it forgets rather than to grow without end", () => {
  const memory = new AnswerMemory<number>();
  const user = { name: "jane", groups: [] };
  for (let count = 0; count < 5_000; count++) memory.keep(count, { question: path(`/${count}`), user });
  expect(memory.get(path("/0"), user)).toBeUndefined();
  expect(memory.get(path("/4999"), user)).toBe(4_999);
});
