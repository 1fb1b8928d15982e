import {
  QuantityError,
  addQuantities,
  compareQuantities,
  parseQuantity,
  subtractQuantities,
  type Quantity,
} from "../../apimachinery/index.ts";
import { boolType, doubleType, intType, objectType, stringType } from "../check/types.ts";
import { int, text } from "../values/arguments.ts";
import { EvaluationError, noSuchOverload } from "../values/errors.ts";
import { Double, OpaqueValue, fitsInt, intOf, type Value } from "../values/value.ts";
import { fn, method, signature, type Library } from "./library.ts";

const quantityType = objectType("kubernetes.Quantity");
const nanosPerUnit = 1_000_000_000n;

class QuantityValue extends OpaqueValue {
  readonly typeName = quantityType.name;
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0;
  }
}

function parse(value: string): Quantity | QuantityError {
  try {
    return parseQuantity(value);
  } catch (error) {
    if (error instanceof QuantityError) return error;
    throw error;
  }
}

function toQuantity(value: Value): Value {
  const parsed = parse(text(value));
  if (parsed instanceof QuantityError) throw new EvaluationError(parsed.message);
  return new QuantityValue(parsed);
}

function quantity(value: Value): Quantity {
  if (!(value instanceof QuantityValue)) throw noSuchOverload();
  return value.quantity;
}

const ofInt = (value: Value): Quantity => ({ nanos: int(value) * nanosPerUnit, format: "DecimalExponent" });

/** Whole units, if the quantity is whole and fits. */
function integer({ nanos }: Quantity): bigint | undefined {
  const units = nanos / nanosPerUnit;
  return nanos % nanosPerUnit === 0n && fitsInt(units) ? units : undefined;
}

const compared = (one: Value, other: Value): number => compareQuantities(quantity(one), quantity(other));

const q = quantityType;

/** `quantity`, `isQuantity` and what quantities can do. */
export const quantityLibrary: Library = {
  name: "kubernetes.quantity",
  types: [quantityType],
  functions: [
    fn("quantity", signature("string_to_quantity", [stringType, q], toQuantity)),
    fn(
      "isQuantity",
      signature(
        "is_quantity_string",
        [stringType, boolType],
        (value) => !(parse(text(value)) instanceof QuantityError),
      ),
    ),
    fn(
      "sign",
      signature("quantity_sign", [q, intType], (value) => {
        const { nanos } = quantity(value);
        return nanos > 0n ? 1 : nanos < 0n ? -1 : 0;
      }),
    ),
    fn(
      "isGreaterThan",
      method("quantity_is_greater_than", [q, q, boolType], (one, other) => compared(one, other) > 0),
    ),
    fn(
      "isLessThan",
      method("quantity_is_less_than", [q, q, boolType], (one, other) => compared(one, other) < 0),
    ),
    fn("compareTo", method("quantity_compare_to", [q, q, intType], compared)),
    fn(
      "asApproximateFloat",
      method(
        "quantity_get_float",
        [q, doubleType],
        (value) => new Double(Number(quantity(value).nanos) / 1e9),
      ),
    ),
    fn(
      "asInteger",
      method("quantity_get_int", [q, intType], (value) => {
        const whole = integer(quantity(value));
        if (whole === undefined) throw new EvaluationError("cannot convert value to integer");
        return intOf(whole);
      }),
    ),
    fn(
      "isInteger",
      method("quantity_is_integer", [q, boolType], (value) => integer(quantity(value)) !== undefined),
    ),
    fn(
      "add",
      method(
        "quantity_add",
        [q, q, q],
        (one, other) => new QuantityValue(addQuantities(quantity(one), quantity(other))),
      ),
      method(
        "quantity_add_int",
        [q, intType, q],
        (one, other) => new QuantityValue(addQuantities(quantity(one), ofInt(other))),
      ),
    ),
    fn(
      "sub",
      method(
        "quantity_sub",
        [q, q, q],
        (one, other) => new QuantityValue(subtractQuantities(quantity(one), quantity(other))),
      ),
      method(
        "quantity_sub_int",
        [q, intType, q],
        (one, other) => new QuantityValue(subtractQuantities(quantity(one), ofInt(other))),
      ),
    ),
  ],
};
