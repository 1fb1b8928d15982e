import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "./index.ts";

test.each(["", "apps/v1/Deployment", "x".repeat(55), "x".repeat(56), "ü".repeat(100)])(
  "sha256 of %j",
  (text) => {
    const bytes = new TextEncoder().encode(text);
    expect([...sha256(bytes)]).toEqual([...createHash("sha256").update(bytes).digest()]);
  },
);
