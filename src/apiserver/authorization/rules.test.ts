import { expect, test } from "vitest";
import { ruleAllows } from "./rules.ts";

const get = (path: string) => ({ type: "path", user: { name: "u", groups: [] }, verb: "get", path }) as const;

test.each([
  ["/a", "/a", true],
  ["/a*", "/ab", true],
  ["/a***", "/ab", true],
  ["/a*b*", "/a*bc", true],
  ["/a*b", "/axb", false],
  [`${"*".repeat(300_000)}a*`, "/a", false],
])("the path %.20s for %s: %s", (url, path, allowed) => {
  expect(ruleAllows({ verbs: ["get"], nonResourceURLs: [url] }, get(path))).toBe(allowed);
});
