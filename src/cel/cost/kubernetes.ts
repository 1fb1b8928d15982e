import {
  costSize,
  matchCost,
  patternFactor,
  smallerSize,
  textFactor,
  traversalCost,
  traversalOf,
  type CallCost,
  type CallPricing,
} from "../evaluate/call-cost.ts";
import { NamedFormat } from "../library/formats.ts";
import { OpaqueValue, elementsOf, typeNameOf, type Value } from "../values/value.ts";

/** Asking the authorizer: an expression can afford two questions. */
export const authorizationCost = 350_000;

/** Functions that cost one unit whatever they are called on. */
export const nominal: ReadonlySet<string> = new Set(
  [
    "serviceAccount path group resource subresource namespace name allowed reason error errored",
    "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast",
    "sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch",
    "getScheme getHostname getHost getPort getEscapedPath getQuery format.named",
  ].flatMap((names) => names.split(" ")),
);

/** Functions that look at all of their first argument once. */
const traversals: ReadonlySet<string> = new Set(
  "url lowerAscii upperAscii substring trim jsonpatch.escapeKey cidr isIP isCIDR quantity isQuantity semver isSemver".split(
    " ",
  ),
);

const wholeLists: ReadonlySet<string> = new Set("isSorted sum max min indexOf lastIndexOf".split(" "));

const callCost = 1;
const listCost = 10;
const costPerRequirement = 50;

/** A selector is parsed, and each two characters may be a requirement. */
const selectorCost = (length: number): number =>
  listCost + Math.ceil(length * textFactor) + Math.ceil(Math.ceil(length * 0.5) * costPerRequirement);

const listResult: CallCost = { ofResult: (result) => callCost + listCost + costSize(result) };

/** Two units of a text may be one character. */
const mostUnits = 2;

/** What is joined is as long as its parts: a text that is too long is never made. */
const joined: CallCost = {
  ofResult: (result) => Math.ceil(costSize(result) * 2 * textFactor),
  atLeast([parts = null, separator]) {
    const elements = elementsOf(parts) ?? [];
    const lengthOf = (part: Value | undefined) => (typeof part === "string" ? part.length : 0);
    const between = lengthOf(separator) * Math.max(0, elements.length - 1);
    const length = elements.reduce<number>((total, part) => total + lengthOf(part), between);
    return (length / mostUnits) * 2 * textFactor;
  },
};

const selfComparison =
  (index: 0 | 1): CallCost =>
  (args) => {
    const elements = elementsOf(args[index] ?? null) ?? [];
    const first = elements[0];
    const isText = first !== undefined && ["string", "bytes"].includes(typeNameOf(first));
    return callCost + listCost + Math.trunc(elements.length ** 2 * (isText ? 2 + textFactor : 2));
  };

const setCost =
  (factor: number): CallCost =>
  ([one, other]) =>
    callCost + Math.trunc(costSize(one) * costSize(other) * factor);

const flattenCost: CallCost = ([value, depth]) =>
  callCost + listCost + costSize(value) * (depth === undefined ? 1 : Number(depth));

/** Calls that are priced by their overload. */
const byOverload: Readonly<Record<string, CallCost>> = {
  list_slice: listResult,
  list_reverse: listResult,
  lists_range: listResult,
  list_flatten: flattenCost,
  list_flatten_int: flattenCost,
  list_distinct: selfComparison(0),
  list_sets_contains_list: setCost(1),
  list_sets_intersects_list: setCost(1),
  list_sets_equivalent_list: setCost(2),
};

const addressTraversal = (index: number): CallCost => traversalOf(index);

const containsIp =
  (isText: boolean): CallCost =>
  ([range, address]) =>
    Math.ceil(2 * costSize(range) * textFactor) + (isText ? Math.ceil(costSize(address) * textFactor) : 0);

const containsCidr =
  (isText: boolean): CallCost =>
  ([range, other]) =>
    Math.ceil(2 * costSize(range) * textFactor) +
    Math.ceil(costSize(range) * textFactor) +
    1 +
    (isText ? Math.ceil(costSize(other) * textFactor) : 0);

const validateCost: CallCost = ([format, value]) =>
  format instanceof NamedFormat
    ? Math.ceil((1 + costSize(value)) * textFactor) * Math.ceil(format.patternSize * patternFactor)
    : 1;

const equalityCost: CallCost = ([one, other]) =>
  one instanceof OpaqueValue ? 1 : Math.ceil(smallerSize(one, other) * textFactor);

/** What calls cost in Kubernetes. */
export const kubernetesPricing: CallPricing = (functionName, overloadId) => {
  if (functionName === "check") return authorizationCost;
  if (Object.hasOwn(byOverload, overloadId)) return byOverload[overloadId];
  if (overloadId.endsWith("_sort")) return selfComparison(0);
  if (overloadId.endsWith("_sortByAssociatedKeys")) return selfComparison(1);
  if (nominal.has(functionName)) return 1;
  if (traversals.has(functionName)) return traversalOf(0);
  if (wholeLists.has(functionName)) return ([value]) => traversalCost(value ?? null);
  switch (functionName) {
    case "fieldSelector":
    case "labelSelector":
      return (args) => selectorCost(costSize(args[1]));
    case "replace":
    case "split":
      return traversalOf(0, 2);
    case "join":
      return joined;
    case "find":
    case "findAll":
      return matchCost;
    case "ip":
      return overloadId === "cidr_ip" ? 1 : addressTraversal(0);
    case "ip.isCanonical":
      return traversalOf(0, 2);
    case "containsIP":
      return containsIp(overloadId === "cidr_contains_ip_string");
    case "containsCIDR":
      return containsCidr(overloadId === "cidr_contains_cidr_string");
    case "validate":
      return validateCost;
    case "_==_":
      return equalityCost;
    default:
      return undefined;
  }
};
