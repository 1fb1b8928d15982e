import { fnv32a } from "../../base/index.ts";
/** Whether two JSON values are equal; members that are undefined count as absent. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => equalJson(item, right[index]));
  }
  const [a, b] = [left as Record<string, unknown>, right as Record<string, unknown>];
  for (const name in a) if (!equalJson(a[name], b[name])) return false;
  for (const name in b) if (b[name] !== undefined && a[name] === undefined) return false;
  return true;
}

/** A status without what counts as absent: zeros and empty values. */
export function withoutZeros(status: object | undefined): object {
  return Object.fromEntries(
    Object.entries(status ?? {}).filter(([, value]) => value !== 0 && value !== "" && !equalJson(value, {})),
  );
}

/** JSON with the members in order, so that equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

const safeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A stable hash of a value, written so that no words can arise; `collisionCount` gives another. */
export function hashOf(value: unknown, collisionCount = 0): string {
  const hash = fnv32a(canonicalJson(value) + (collisionCount === 0 ? "" : `#${collisionCount}`));
  return Array.from(String(hash))
    .map((digit) => safeAlphabet[digit.charCodeAt(0) % safeAlphabet.length])
    .join("");
}
