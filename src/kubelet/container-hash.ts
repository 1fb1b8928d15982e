import { createHash } from "node:crypto";
import type { Container } from "../api/types/core-v1.ts";

const cache = new WeakMap<object, string>();

/** Changes when a container must be restarted to follow its definition: with its name or image, as these alone are mutable. */
export function containerHash(container: Pick<Container, "name" | "image">): string {
  const known = cache.get(container);
  if (known !== undefined) return known;
  const text = JSON.stringify([container.name, container.image]);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  cache.set(container, hash);
  return hash;
}
