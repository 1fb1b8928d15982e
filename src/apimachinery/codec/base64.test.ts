import { expect, test } from "vitest";
import { corruptionOf } from "./base64.ts";

test.each<[string, number]>([
  ["no base64!", 2],
  ["YQ", 0],
  ["YWJjY", 4],
  ["YWJj\nYQ", 5],
  ["=", 0],
  ["Y===", 1],
  ["YQ=", 3],
  ["YQ=a", 2],
  ["YQ==YQ==", 4],
  ["YWI=\nYQ==", 5],
])("of %j, what is no base64 begins at %i", (text, position) => expect(corruptionOf(text)).toBe(position));
