import type { Overload } from "../check/declarations.ts";
import type { CelType } from "../check/types.ts";
import { operators, type Call, type Expression } from "../syntax/ast.ts";
import { PatternError } from "../regex/index.ts";
import { patternOf } from "../library/regex.ts";
import { EvaluationError, noSuchOverload } from "../values/errors.ts";
import { mapKeyOf } from "../values/maps.ts";
import {
  Double,
  Optional,
  OpaqueValue,
  elementsOf,
  isMap,
  typeNameOf,
  type MapKey,
  type Value,
} from "../values/value.ts";
import { priceOf, type CallCost } from "./call-cost.ts";
import { coercionOf } from "./coerce.ts";
import type { Frame, Step } from "./frame.ts";
import { constant, type Plan } from "./plan.ts";
import type { Planner } from "./planner.ts";

/** Functions whose calls with a constant are computed once. */
const conversions: ReadonlySet<string> = new Set(
  "bool bytes double duration dyn int string timestamp type uint".split(" "),
);

/** Compiles a call of an operator or a function. */
export function planCall(planner: Planner, node: Call): Plan {
  switch (node.name) {
    case operators.and:
      return planLogical(planner, node, false);
    case operators.or:
      return planLogical(planner, node, true);
    case operators.conditional:
      return planConditional(planner, node);
    case operators.notStrictlyFalse:
      return planNotStrictlyFalse(planner, node);
    default:
      return planFunction(planner, node);
  }
}

/** `&&` and `||`: one side that decides makes good the other's error. */
function planLogical(planner: Planner, node: Call, decisive: boolean): Plan {
  const [left, right] = node.args.map((arg) => planner.plan(arg).step) as [Step, Step];
  return {
    step: (frame) => {
      let failure: EvaluationError | undefined;
      try {
        const value = left(frame);
        if (value === decisive) return decisive;
        if (value !== !decisive) failure = noSuchOverload();
      } catch (error) {
        failure = absorbed(error);
      }
      try {
        const value = right(frame);
        if (value === decisive) return decisive;
        if (value !== !decisive) failure ??= noSuchOverload();
      } catch (error) {
        const other = absorbed(error);
        failure ??= other;
      }
      if (failure) throw failure;
      return !decisive;
    },
  };
}

/** An error that the other side may make good; others go on. */
function absorbed(error: unknown): EvaluationError {
  if (error instanceof EvaluationError && !error.fatal) return error;
  throw error;
}

function planConditional(planner: Planner, node: Call): Plan {
  const [condition, accepted, refused] = node.args.map((arg) => planner.plan(arg)) as [Plan, Plan, Plan];
  const coerce = coercionOf(planner.typeOf(node));
  const choose =
    (yes: Step, no: Step): Step =>
    (frame) => {
      const value = condition.step(frame);
      if (value === true) return yes(frame);
      if (value === false) return no(frame);
      throw noSuchOverload();
    };
  // A branch that is read from data does not pay for being read.
  const raw = choose(accepted.raw ?? accepted.step, refused.raw ?? refused.step);
  return { raw, step: coerce ? (frame) => coerce(raw(frame)) : raw };
}

function planNotStrictlyFalse(planner: Planner, node: Call): Plan {
  const { step } = planner.plan(node.args[0] as Expression);
  return {
    step: (frame) => {
      let value: Value = true;
      try {
        value = step(frame);
      } catch (error) {
        absorbed(error);
      }
      frame.charge(1);
      return value !== false;
    },
  };
}

function planFunction(planner: Planner, node: Call): Plan {
  const reference = planner.referenceOf(node.id);
  if (reference?.type !== "function") {
    return {
      step: () => {
        throw noSuchOverload(node.name);
      },
    };
  }
  const { declaration, overloads, namespaced } = reference;
  const operands = node.target && !namespaced ? [node.target, ...node.args] : node.args;
  const args = operands.map((operand) => planner.plan(operand));
  const lazy = planOptionalChoice(node, args);
  if (lazy) return lazy;
  const folded = planner.options.foldConstants && fold(node, { args, overloads });
  if (folded) return folded;
  const { name } = declaration;
  checkPattern(name, args);
  const evaluate = declaration.evaluate ?? chosen(name, overloads);
  const overloadId =
    name === "_!=_" || name === "_==_" || overloads.length === 1 ? (overloads[0]?.id ?? "") : "";
  const plan = planApplication(
    args.map(({ step }) => step),
    evaluate,
    priceOf(name, overloadId, planner.options.pricing),
  );
  const isConstant =
    planner.options.foldConstants && conversions.has(name) && args.every((arg) => arg.constant);
  return isConstant ? constant(evaluateOnce(plan.step)) : plan;
}

/** `or` and `orValue` evaluate their argument only where it is needed, and cost nothing themselves. */
function planOptionalChoice(node: Call, args: readonly Plan[]): Plan | undefined {
  if (!node.target || args.length !== 2 || (node.name !== "or" && node.name !== "orValue")) return undefined;
  const [first, second] = args as [Plan, Plan];
  const wrapped = node.name === "or";
  return {
    step: (frame) => {
      const value = first.step(frame);
      if (!(value instanceof Optional)) throw noSuchOverload();
      if (value.value !== undefined) return wrapped ? value : value.value;
      return second.step(frame);
    },
  };
}

/** Membership in a constant list is a lookup, which costs nothing. */
function fold(
  node: Call,
  { args, overloads }: { readonly args: readonly Plan[]; readonly overloads: readonly Overload[] },
): Plan | undefined {
  if (node.name !== operators.in || overloads.length !== 1 || overloads[0]?.id !== "in_list")
    return undefined;
  const elements = args[1]?.constant && elementsOf(args[1].constant.value);
  if (!elements) return undefined;
  if (elements.length === 0) return constant(false);
  const keys = new Set<MapKey | undefined>(elements.map((element) => setKeyOf(element)));
  if (keys.has(undefined)) return undefined;
  const { step } = args[0] as Plan;
  return {
    step: (frame) => {
      const key = setKeyOf(step(frame));
      return key !== undefined && keys.has(key);
    },
  };
}

const setKeyOf = (value: Value): MapKey | undefined =>
  value instanceof Double && !Number.isInteger(value.value) ? `double ${value.value}` : mapKeyOf(value);

/** A constant pattern that is none is told when the program is made. */
function checkPattern(name: string, args: readonly Plan[]): void {
  if (name !== "matches" && name !== "find" && name !== "findAll") return;
  const pattern = args[1]?.constant?.value;
  if (typeof pattern !== "string") return;
  try {
    patternOf(pattern);
  } catch (error) {
    throw error instanceof PatternError ? new EvaluationError(error.message) : error;
  }
}

function evaluateOnce(step: Step): Value {
  const frame = { charge: () => {}, demand: () => {}, labour: () => {} };
  return step(frame as unknown as Frame);
}

type Evaluate = (...args: Value[]) => Value;

const apply = (evaluate: Evaluate, args: readonly Value[]): Value => evaluate(...args);

/** The implementation of the only signature, or of that which the values fit. */
function chosen(name: string, overloads: readonly Overload[]): Evaluate {
  const only = overloads.length === 1 ? overloads[0]?.evaluate : undefined;
  if (only) return only;
  return (...args) => {
    const fitting = overloads.find(
      ({ parameters, evaluate }) =>
        evaluate &&
        parameters.length === args.length &&
        parameters.every((parameter, index) => fits(parameter, args[index] as Value)),
    );
    if (!fitting?.evaluate) throw noSuchOverload(`${name}(${args.map(typeNameOf).join(", ")})`);
    return apply(fitting.evaluate, args);
  };
}

function fits(type: CelType, value: Value): boolean {
  switch (type.kind) {
    case "dyn":
    case "parameter":
      return true;
    case "map":
      return isMap(value);
    case "object":
      return value instanceof OpaqueValue ? value.typeName === type.name : isMap(value);
    default:
      return typeNameOf(value) === type.name;
  }
}

function planApplication(args: readonly Step[], evaluate: unknown, cost: CallCost): Plan {
  const apply = evaluate as Evaluate;
  const run = runner(apply, cost);
  if (args.length === 1 && typeof cost === "number") {
    const [first] = args as [Step];
    return {
      step: (frame) => {
        const one = first(frame);
        const result = apply(one);
        frame.charge(cost);
        frame.labour(result, one);
        return result;
      },
    };
  }
  if (args.length === 2) {
    const [first, second] = args as [Step, Step];
    return {
      step: (frame) => {
        const one = first(frame);
        const other = second(frame);
        if (typeof cost !== "number") return run(frame, [one, other]);
        const result = apply(one, other);
        frame.charge(cost);
        frame.labour(result, one, other);
        return result;
      },
    };
  }
  return {
    step: (frame) => {
      const values = args.map((arg) => arg(frame));
      return run(frame, values);
    },
  };
}

/** Calls and pays; what cannot be paid for is not begun. */
function runner(apply: Evaluate, cost: CallCost): (frame: Frame, values: readonly Value[]) => Value {
  if (typeof cost === "number") {
    return (frame, values) => {
      const result = apply(...values);
      frame.charge(cost);
      frame.labour(result, values[0] ?? null);
      return result;
    };
  }
  if (typeof cost === "function") {
    return (frame, values) => {
      const price = cost(values);
      frame.demand(price);
      const result = apply(...values);
      frame.charge(price);
      return result;
    };
  }
  return (frame, values) => {
    if (cost.atLeast) frame.demand(cost.atLeast(values));
    const result = apply(...values);
    frame.charge(cost.ofResult(result));
    return result;
  };
}
