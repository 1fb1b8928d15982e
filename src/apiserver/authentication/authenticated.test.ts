import { expect, test } from "vitest";
import { authenticated } from "./authenticated.ts";

test.each([
  { name: "jane", groups: [], expected: ["system:authenticated"] },
  { name: "jane", groups: ["a"], expected: ["a", "system:authenticated"] },
  { name: "jane", groups: ["system:authenticated", "a"], expected: ["system:authenticated", "a"] },
  { name: "jane", groups: ["system:unauthenticated"], expected: ["system:unauthenticated"] },
  { name: "system:anonymous", groups: [], expected: [] },
])("$name of $groups is in $expected", ({ name, groups, expected }) => {
  const user = { name, groups };
  expect(authenticated(user).groups).toEqual(expected);
  expect(authenticated(user)).toBe(authenticated(user));
});
