import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  subtractQuantities,
  type Quantity,
} from "./quantity.ts";

/** Amounts by resource name, e.g. `{ cpu: "500m", memory: "1Gi" }`. */
export type ResourceList = Readonly<Record<string, string>>;

const none: Quantity = { nanos: 0n, format: "DecimalSI" };

const amountOf = (list: ResourceList, name: string): Quantity => {
  const text = list[name];
  return text === undefined ? none : parseQuantity(text);
};

function combine(
  one: ResourceList,
  other: ResourceList,
  operation: (left: Quantity, right: Quantity) => Quantity,
): ResourceList {
  const result: Record<string, string> = { ...one };
  for (const name of Object.keys(other)) {
    result[name] = formatQuantity(operation(amountOf(one, name), amountOf(other, name)));
  }
  return result;
}

/** The sum, resource by resource. */
export function addResources(one: ResourceList, other: ResourceList): ResourceList {
  return combine(one, other, addQuantities);
}

/** What is left of `one`; a resource that only `other` has becomes negative. */
export function subtractResources(one: ResourceList, other: ResourceList): ResourceList {
  return combine(one, other, subtractQuantities);
}

/** The larger amount, resource by resource. */
export function maxResources(one: ResourceList, other: ResourceList): ResourceList {
  const larger = (left: Quantity, right: Quantity) => (compareQuantities(left, right) >= 0 ? left : right);
  const result: Record<string, string> = { ...one };
  for (const [name, amount] of Object.entries(other)) {
    result[name] =
      one[name] === undefined ? amount : formatQuantity(larger(amountOf(one, name), parseQuantity(amount)));
  }
  return result;
}

/** The resources of `requested` that `available` has too little of, sorted; a resource it lacks counts as zero. */
export function insufficientResources(requested: ResourceList, available: ResourceList): readonly string[] {
  return Object.keys(requested)
    .filter((name) => compareQuantities(amountOf(requested, name), amountOf(available, name)) > 0)
    .sort();
}

/** Whether all that is requested is available. */
export function fits(requested: ResourceList, available: ResourceList): boolean {
  return insufficientResources(requested, available).length === 0;
}
