import { patternFactor, textFactor } from "../evaluate/call-cost.ts";
import type { CallEstimate, EstimatedCall, EstimatedNode } from "./estimate.ts";
import { fixed, plus, scaled, times, union, unknown, type Range } from "./range.ts";

const one = fixed(1);
const sizeOf = (node: EstimatedNode | undefined): Range => node?.size ?? unknown;

const ordered: ReadonlySet<string> = new Set([
  ...["less", "less_equals", "greater", "greater_equals"].flatMap((word) => [
    `${word}_string`,
    `${word}_bytes`,
  ]),
  "equals",
  "not_equals",
]);

/** What calls of the language's own functions cost. */
export function standardCallCost(
  { overloadId, target, args }: EstimatedCall,
  argCosts: readonly Range[],
): CallEstimate {
  const [first, second] = args;
  const withArgs = (cost: Range, resultSize?: Range): CallEstimate => ({
    cost: plus(cost, ...argCosts),
    ...(resultSize && { resultSize }),
  });
  switch (overloadId) {
    case "string_format":
      return withArgs(scaled(sizeOf(target), textFactor));
    case "string_to_bytes": {
      const size = sizeOf(first);
      return withArgs(scaled(size, textFactor), { min: size.min, max: times(size, fixed(4)).max });
    }
    case "bytes_to_string": {
      const size = sizeOf(first);
      return withArgs(scaled(size, textFactor), { min: size.min / 4n, max: size.max });
    }
    case "strings_quote": {
      const size = sizeOf(first);
      const most = plus(times(size, fixed(2)), fixed(2)).max;
      return withArgs(scaled(size, textFactor), { min: plus(size, fixed(2)).min, max: most });
    }
    case "starts_with_string":
    case "ends_with_string":
      return withArgs(scaled(sizeOf(first), textFactor));
    case "in_list":
      return withArgs(sizeOf(second));
    case "matches_string":
      return withArgs(
        times(scaled(plus(sizeOf(target), one), textFactor), scaled(sizeOf(first), patternFactor)),
      );
    case "contains_string":
      return withArgs(times(scaled(sizeOf(target), textFactor), scaled(sizeOf(first), textFactor)));
    case "add_string":
    case "add_bytes":
    case "add_list": {
      const size = plus(sizeOf(first), sizeOf(second));
      return withArgs(overloadId === "add_list" ? one : scaled(size, textFactor), size);
    }
    default:
      if (ordered.has(overloadId)) return withArgs(comparisonCost(sizeOf(first), sizeOf(second)));
      return controlCost({ overloadId, args }, argCosts) ?? withArgs(one);
  }
}

function comparisonCost(one: Range, other: Range): Range {
  const max = one.max < other.max ? one.max : other.max;
  return scaled({ min: max > 0n ? 1n : 0n, max }, textFactor);
}

/** Operators that do not evaluate all their arguments. */
function controlCost(
  { overloadId, args }: Pick<EstimatedCall, "overloadId" | "args">,
  argCosts: readonly Range[],
): CallEstimate | undefined {
  const [first, second, third] = argCosts;
  if (!first || !second) return undefined;
  if (overloadId === "logical_or" || overloadId === "logical_and") {
    return { cost: { min: first.min, max: plus(first, second).max } };
  }
  if (overloadId !== "conditional" || !third) return undefined;
  return { cost: plus(first, union(second, third)), resultSize: union(sizeOf(args[1]), sizeOf(args[2])) };
}
