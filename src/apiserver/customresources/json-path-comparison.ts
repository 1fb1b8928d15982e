/** How the filters of paths compare. */
export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** Compares two values of one kind; undefined where they are not of one, or the comparison makes no sense of them. */
export function compareValues(comparison: Comparison, one: unknown, other: unknown): boolean | undefined {
  const kind = kindOf(one);
  if (kind === undefined || kind !== kindOf(other)) return undefined;
  const [left, right] = [one as number, other as number];
  if (comparison === "==") return left === right;
  if (comparison === "!=") return left !== right;
  if (kind === "boolean") return undefined;
  switch (comparison) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
      return undefined;
  }
}

function kindOf(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "string" || typeof value === "boolean" ? typeof value : undefined;
}
