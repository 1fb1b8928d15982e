import { sameType } from "../check/types.ts";
import { patternFactor, textFactor } from "../evaluate/call-cost.ts";
import type { CallEstimate, CostEstimator, EstimatedCall, EstimatedNode } from "./estimate.ts";
import { authorizationCost, nominal } from "./kubernetes.ts";
import { fixed, mostCounted, plus, scaled, times, union, type Range } from "./range.ts";

type SizeOf = (node: EstimatedNode) => Range;

const one = fixed(1);
const callCost = one;
const listCost = fixed(10);
/** Bytes of an address: of version 4 or 6. */
const addressSize: Range = { min: 4n, max: 16n };
/** The longest pattern of a named format, and the longest name. */
const longestFormatPattern = 128;
const longestFormatName = 64n;

const traversal = (size: Range, factor = 1): Range => scaled(size, factor * textFactor);

const estimated = (cost: Range, resultSize?: Range): CallEstimate => ({
  cost,
  ...(resultSize && { resultSize }),
});

/** The estimator of Kubernetes' functions, given one of sizes. */
export function kubernetesEstimator(sizes?: Pick<CostEstimator, "estimateSize">): CostEstimator {
  return {
    estimateSize: (node) => sizes?.estimateSize(node),
    estimateCall: (call, sizeOf) => estimateCall(call, sizeOf),
  };
}

function estimateCall(call: EstimatedCall, sizeOf: SizeOf): CallEstimate | undefined {
  const { functionName, target, args } = call;
  const [first] = args;
  if (functionName === "check") return estimated(fixed(authorizationCost));
  if (nominal.has(functionName)) return estimated(one);
  const ofList = estimateOfLists(call, sizeOf);
  if (ofList) return ofList;
  switch (functionName) {
    case "fieldSelector":
    case "labelSelector":
      return first && estimated(selectorCost(sizeOf(first)));
    case "isSorted":
    case "sum":
    case "max":
    case "min":
    case "indexOf":
    case "lastIndexOf":
      return target && estimated(searchCost(target, sizeOf));
    case "url":
    case "jsonpatch.escapeKey":
      return first && estimated(traversal(sizeOf(first)), sizeOf(first));
    case "lowerAscii":
    case "upperAscii":
    case "substring":
    case "trim":
      return target && estimated(traversal(sizeOf(target)), sizeOf(target));
    case "cidr":
    case "isIP":
    case "isCIDR":
    case "quantity":
    case "isQuantity":
    case "semver":
    case "isSemver":
      return first && estimated(traversal(sizeOf(first)));
    case "_==_":
      return equalityCost(args);
    default:
      return estimateText(call, sizeOf) ?? estimateNetwork(call, sizeOf);
  }
}

function selectorCost(length: Range): Range {
  return plus(listCost, traversal(length), scaled(scaled(length, 0.5), 50));
}

/** Each element is looked at; if it is text, all of it. */
function searchCost(target: EstimatedNode, sizeOf: SizeOf): Range {
  const [elementType] = target.type.parameters;
  if (!elementType) return traversal(sizeOf(target));
  const element: EstimatedNode = {
    path: target.path && [...target.path, "@items"],
    type: elementType,
    size: undefined,
  };
  const isText = elementType.kind === "string" || elementType.kind === "bytes";
  return times(sizeOf(target), isText ? plus(one, traversal(sizeOf(element))) : one);
}

function estimateText(
  { functionName, target, args }: EstimatedCall,
  sizeOf: SizeOf,
): CallEstimate | undefined {
  if (!target) return undefined;
  const size = sizeOf(target);
  const [first, second] = args;
  switch (functionName) {
    case "replace":
      if (!first || !second) return undefined;
      return estimated(traversal(size, 2), replacedSize(size, { old: sizeOf(first), by: sizeOf(second) }));
    case "split": {
      const literal = second?.expression?.kind === "literal" ? second.expression.value : undefined;
      const most = typeof literal === "number" && literal >= 0 ? BigInt(literal) : size.max;
      return estimated(traversal(size, 2), { min: 0n, max: most });
    }
    case "join": {
      const joined = joinedSize(target, { size, separator: first && sizeOf(first), sizeOf });
      return estimated(traversal(joined), joined);
    }
    case "find":
    case "findAll": {
      if (!first) return undefined;
      const cost = times(traversal(plus(size, one)), scaled(sizeOf(first), patternFactor));
      return estimated(cost, { min: 0n, max: size.max });
    }
    case "validate":
      return first && estimated(scaled(traversal(sizeOf(first)), longestFormatPattern * patternFactor));
    default:
      return undefined;
  }
}

function joinedSize(
  list: EstimatedNode,
  { size, separator, sizeOf }: { size: Range; separator: Range | undefined; sizeOf: SizeOf },
): Range {
  const [elementType] = list.type.parameters;
  const element = elementType && {
    path: list.path && [...list.path, "@items"],
    type: elementType,
    size: undefined,
  };
  const elements = element ? times(size, sizeOf(element)) : fixed(0);
  if (!separator) return elements;
  const gaps = { min: size.min > 0n ? size.min - 1n : 0n, max: size.max > 0n ? size.max - 1n : 0n };
  return plus(elements, times(separator, gaps));
}

const saturatedNext = (value: bigint): bigint => (value < mostCounted ? value + 1n : value);
const divideUp = (value: bigint, by: bigint): bigint => BigInt(Math.ceil(Number(value) / Number(by)));

/** The shortest and the longest that replacing may leave. */
function replacedSize(size: Range, { old, by }: { old: Range; by: Range }): Range {
  const count = { min: 0n, max: 0n };
  const kept = { min: 0n, max: 0n };
  if (old.min === 0n) [count.max, kept.max] = [saturatedNext(size.max), size.max];
  else if (by.max <= old.min) kept.max = size.max;
  else count.max = divideUp(size.max, old.min);
  if (old.max === 0n) [count.min, kept.min] = [saturatedNext(size.min), size.min];
  else if (old.max <= by.min) kept.min = size.min;
  else count.min = divideUp(size.min, old.max);
  return plus(times(count, by), kept);
}

function estimateNetwork(
  { functionName, overloadId, target, args }: EstimatedCall,
  sizeOf: SizeOf,
): CallEstimate | undefined {
  const [first] = args;
  const comparison = traversal(plus(addressSize, addressSize));
  switch (functionName) {
    case "ip":
      return target ? estimated(one) : first && estimated(traversal(sizeOf(first)));
    case "ip.isCanonical":
      return first && estimated(traversal(sizeOf(first), 2));
    case "containsIP":
      if (!target || !first) return undefined;
      return estimated(
        overloadId === "cidr_contains_ip_string" ? plus(comparison, traversal(sizeOf(first))) : comparison,
      );
    case "containsCIDR": {
      if (!target || !first) return undefined;
      const cost = plus(comparison, traversal(addressSize), one);
      return estimated(
        overloadId === "cidr_contains_cidr_string" ? plus(cost, traversal(sizeOf(first))) : cost,
      );
    }
    default:
      return undefined;
  }
}

const cheapEquality: ReadonlySet<string> = new Set([
  "net.IP",
  "net.CIDR",
  "kubernetes.Quantity",
  "kubernetes.Semver",
  ...["Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision"].map(
    (name) => `kubernetes.authorization.${name}`,
  ),
]);

function equalityCost([left, right]: readonly EstimatedNode[]): CallEstimate | undefined {
  if (!left || !right || !sameType(left.type, right.type)) return undefined;
  const { name } = left.type;
  if (cheapEquality.has(name)) return estimated(one);
  if (name === "kubernetes.NamedFormat") return estimated(traversal({ min: 1n, max: longestFormatName }));
  if (name !== "kubernetes.URL") return undefined;
  const size = left.size && right.size ? union(right.size, right.size) : one;
  return estimated(traversal({ min: 1n, max: size.max }));
}

const literalOf = (node: EstimatedNode | undefined, otherwise: bigint): bigint => {
  const value = node?.expression?.kind === "literal" ? node.expression.value : undefined;
  return typeof value === "number" && value >= 0 ? BigInt(value) : otherwise;
};

/** A call that makes a list of a size, at a cost for each of its elements. */
function allocating(factor: number, size: Range): CallEstimate {
  return estimated(plus(scaled(size, factor), callCost, listCost), size);
}

function estimateOfLists(
  { overloadId, target, args }: EstimatedCall,
  sizeOf: SizeOf,
): CallEstimate | undefined {
  const [first, second] = args;
  if (overloadId.startsWith("list_sets_") && first && second) {
    const factor = overloadId === "list_sets_equivalent_list" ? 2 : 1;
    return estimated(plus(scaled(times(sizeOf(first), sizeOf(second)), factor), callCost));
  }
  if (overloadId === "lists_range") return allocating(1, fixed(literalOf(first, mostCounted)));
  if (!target) return undefined;
  const size = sizeOf(target);
  switch (overloadId) {
    case "list_slice": {
      const length = literalOf(second, size.max) - literalOf(first, 0n);
      return allocating(1, fixed(length < 0n ? 0n : length));
    }
    case "list_reverse":
      return allocating(1, size);
    case "list_flatten":
      return allocating(1, size);
    case "list_flatten_int":
      return allocating(Number(literalOf(first, mostCounted)), size);
    case "list_distinct":
      return allocating(2, times(size, size));
    default:
      return sortCost(overloadId, overloadId.endsWith("_sort") ? size : first && sizeOf(first));
  }
}

function sortCost(overloadId: string, size: Range | undefined): CallEstimate | undefined {
  const match = /^list_(.+)_(?:sort|sortByAssociatedKeys)$/.exec(overloadId);
  if (!match || !size) return undefined;
  const isText = match[1] === "string" || match[1] === "bytes";
  return allocating(isText ? 2 + textFactor : 2, times(size, size));
}
