import { EvaluationError, costExceeded } from "../values/errors.ts";
import { adapt, type Value } from "../values/value.ts";

/** Values of variables by their names. A getter is asked each time its variable is used. */
export type Activation = Readonly<Record<string, unknown>>;

/** Elements of lists and characters that one evaluation may make at fixed costs: some seconds at worst. */
const mostLabour = 20_000_000;
/** So many characters are read in the time in which one is made. */
const readingFactor = 8;

/** Stands for the value of a variable that is computed when first used. */
export const pending = Symbol("pending");

/** What a local variable holds: errors too, as loops go on after them. */
export type Local = Value | EvaluationError | typeof pending;

/** One evaluation: its variables and what it has cost so far. */
export class Frame {
  readonly variables: Activation;
  readonly locals: Local[] = [];
  readonly #limit: number;
  #labour = 0;
  cost = 0;

  constructor(variables: Activation, limit: number) {
    this.variables = variables;
    this.#limit = limit;
  }

  /** Adds to the cost; ends the evaluation when that is too high. */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#limit) throw costExceeded();
  }

  /** Ends the evaluation before something is done that it cannot pay for. */
  demand(cost: number): void {
    if (this.cost + cost > this.#limit) this.charge(cost);
  }

  /** Counts what a call took at a fixed cost: texts that were read or made, lists that were copied. */
  labour(result: Value, one: Value, other?: Value): void {
    if (typeof one === "string") this.#labour += one.length / readingFactor;
    if (typeof other === "string") this.#labour += other.length / readingFactor;
    if (typeof result === "string" || Array.isArray(result)) this.#labour += result.length;
    if (this.#labour > mostLabour) throw costExceeded();
  }

  variable(name: string): Value {
    const value = this.variables[name];
    if (value === undefined || (name in Object.prototype && !Object.hasOwn(this.variables, name))) {
      throw new EvaluationError(`no such attribute(s): ${name}`);
    }
    return adapt(value);
  }

  local(index: number): Value {
    const value = this.locals[index] as Local;
    if (value instanceof EvaluationError) throw value;
    return value as Value;
  }
}

/** A compiled node. */
export type Step = (frame: Frame) => Value;
