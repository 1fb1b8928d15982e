import { expect, test } from "vitest";
import { hashPassword, matchesPassword } from "./bcrypt.ts";

test("hashes are those of other implementations", async () => {
  const known: readonly [string, string][] = [
    ["U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
    ["", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."],
  ];
  for (const [password, hash] of known) {
    expect(await matchesPassword(password, hash)).toBe(true);
    expect(await matchesPassword(`${password}x`, hash)).toBe(false);
  }
});

test("a password matches the hash made of it, and no text that is none", async () => {
  const hash = await hashPassword("secret", 4);
  expect(hash).toMatch(/^\$2a\$04\$/);
  expect(await matchesPassword("secret", hash)).toBe(true);
  expect(await matchesPassword("", "")).toBe(false);
});
