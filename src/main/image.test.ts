import { expect, test } from "vitest";
import { fullName } from "./image.ts";

test.each([
  ["web", "docker.io/library/web:latest"],
  ["web:1", "docker.io/library/web:1"],
  ["shop/web", "docker.io/shop/web:latest"],
  ["example.org/web:1", "example.org/web:1"],
  ["localhost:5000/web", "localhost:5000/web:latest"],
])("%s is known as %s", (name, full) => {
  expect(fullName(name)).toBe(full);
});
