import type { Checked } from "../check/checker.ts";
import { dynType, type CelType } from "../check/types.ts";
import {
  accumulatorName,
  type Call,
  type Comprehension,
  type Expression,
  type NodeId,
} from "../syntax/ast.ts";
import { codePointLength } from "../syntax/issues.ts";
import { standardCallCost } from "./standard-calls.ts";
import { fixed, mostCounted, plus, times, union, unknown, zero, type Range } from "./range.ts";

/** A node as estimators see it. */
export interface EstimatedNode {
  /** The way through the declared types: a variable, then fields, `@items`, `@keys`, `@values`; nothing if there is none. */
  readonly path: readonly string[] | undefined;
  readonly type: CelType;
  /** Absent for the elements of a list. */
  readonly expression?: Expression;
  /** Its size as far as the expression tells. */
  readonly size: Range | undefined;
}

/** What a call costs, and how large its result is. */
export interface CallEstimate {
  readonly cost: Range;
  readonly resultSize?: Range;
}

/** A call whose cost is asked for. */
export interface EstimatedCall {
  readonly functionName: string;
  readonly overloadId: string;
  readonly target: EstimatedNode | undefined;
  readonly args: readonly EstimatedNode[];
}

/** Knows sizes of variable data, and costs of functions that the language does not price. */
export interface CostEstimator {
  estimateSize(node: EstimatedNode): Range | undefined;
  estimateCall?(call: EstimatedCall, sizeOf: (node: EstimatedNode) => Range): CallEstimate | undefined;
}

/** Sizes of what a container holds. */
interface EntrySize {
  readonly container: "list" | "map";
  readonly key: Range;
  readonly value: Range;
}

interface LocalVariable {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: EntrySize | undefined;
}

const listCost = fixed(10);
const mapCost = fixed(30);
const structCost = fixed(40);
const one = fixed(1);

/** The least and the most that evaluating an expression may cost. */
export function estimateCost(checked: Checked, estimator: CostEstimator): Range {
  return new Coster(checked, estimator).cost(checked.expression);
}

class Coster {
  readonly #checked: Checked;
  readonly #estimator: CostEstimator;
  readonly #paths = new Map<NodeId, readonly string[]>();
  readonly #sizes = new Map<NodeId, Range>();
  readonly #entries = new Map<NodeId, EntrySize>();
  readonly #locals = new Map<string, LocalVariable[]>();

  constructor(checked: Checked, estimator: CostEstimator) {
    this.#checked = checked;
    this.#estimator = estimator;
  }

  cost(node: Expression): Range {
    switch (node.kind) {
      case "literal":
        return zero;
      case "identifier":
        return this.#identifier(node.id, node.name);
      case "select":
        return this.#select(node);
      case "call":
        return this.#call(node);
      case "list": {
        const costs = node.elements.map((element) => this.cost(element));
        this.#setEntries(node.id, { container: "list", key: one, value: this.#unionOfSizes(node.elements) });
        return plus(...costs, listCost);
      }
      case "map": {
        const keys = node.entries.map(({ key }) => key);
        const values = node.entries.map(({ value }) => value);
        const costs = node.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)]);
        const entries = { key: this.#unionOfSizes(keys), value: this.#unionOfSizes(values) };
        this.#setEntries(node.id, { container: "map", ...entries });
        return plus(...costs, mapCost);
      }
      case "struct":
        return plus(...node.fields.map(({ value }) => this.cost(value)), structCost);
      case "comprehension":
        return this.#comprehension(node);
    }
  }

  #unionOfSizes(nodes: readonly Expression[]): Range {
    if (nodes.length === 0) return zero;
    return nodes.map((node) => this.#sizeOrUnknown(node)).reduce(union, { min: mostCounted, max: 0n });
  }

  #identifier(id: NodeId, name: string): Range {
    const reference = this.#checked.references.get(id);
    const resolved = reference?.type === "identifier" ? reference.name : name;
    this.#paths.set(id, this.#local(resolved)?.path ?? [resolved]);
    return one;
  }

  #select(node: Extract<Expression, { kind: "select" }>): Range {
    if (this.#checked.references.has(node.id)) return this.#identifier(node.id, node.field);
    const operand = this.cost(node.operand);
    // Kubernetes keeps tests for presence free, as they once were.
    if (node.testOnly) return operand;
    this.#paths.set(node.id, [...this.#pathOf(node.operand), node.field]);
    const isData = ["map", "object", "parameter"].includes(this.#typeOf(node.operand).kind);
    return isData ? plus(operand, one) : operand;
  }

  #call(node: Call): Range {
    if (node.name === "dyn" && node.args[0]) {
      const cost = plus(one, this.cost(node.args[0]));
      this.#copySizes(node, node.args[0]);
      return cost;
    }
    const argCosts = node.args.map((arg) => this.cost(arg));
    const reference = this.#checked.references.get(node.id);
    if (reference?.type !== "function" || reference.overloads.length === 0) return zero;
    const args = node.args.map((arg) => this.#nodeOf(arg));
    const isMember = node.target !== undefined && !reference.namespaced;
    const targetCost = isMember ? this.cost(node.target) : zero;
    const target = isMember ? this.#nodeOf(node.target) : undefined;
    let cost: Range | undefined;
    let size: Range | undefined;
    for (const { id } of reference.overloads) {
      const call = { functionName: reference.declaration.name, overloadId: id, target, args };
      const estimate = this.#callCost(node, call, argCosts);
      cost = cost ? union(cost, estimate.cost) : estimate.cost;
      if (estimate.resultSize) size = size ? union(size, estimate.resultSize) : estimate.resultSize;
      if (id === "index_list" || id === "index_map") size = this.#indexed(node, id);
      size ??= this.#sizeOf(node);
    }
    if (size) this.#sizes.set(node.id, size);
    return plus(targetCost, cost ?? zero);
  }

  #indexed(node: Call, overloadId: string): Range | undefined {
    const container = node.args[0] as Expression;
    const part = overloadId === "index_list" ? "@items" : "@values";
    this.#paths.set(node.id, [...this.#pathOf(container), part]);
    return this.#entriesOf(container)?.value;
  }

  #callCost(node: Call, call: EstimatedCall, argCosts: readonly Range[]): CallEstimate {
    const sizeOf = (each: EstimatedNode) => each.size ?? this.#estimator.estimateSize(each) ?? unknown;
    const given = this.#estimator.estimateCall?.(call, sizeOf);
    if (given) return { ...given, cost: plus(given.cost, ...argCosts) };
    this.#gatherEntries(node, call.overloadId);
    return standardCallCost(call, argCosts);
  }

  /** What a sum or a choice of containers holds is known if it is known of both. */
  #gatherEntries(node: Call, overloadId: string): void {
    const isChoice = overloadId === "conditional";
    if (!isChoice && !["add_string", "add_bytes", "add_list"].includes(overloadId)) return;
    const [first, second] = isChoice ? node.args.slice(1) : node.args;
    const ones = first && this.#entriesOf(first);
    const others = second && this.#entriesOf(second);
    if (!ones || !others) return;
    const entries = { key: union(ones.key, others.key), value: union(ones.value, others.value) };
    this.#setEntries(node.id, { container: ones.container, ...entries });
  }

  #comprehension(node: Comprehension): Range {
    const rangeCost = this.cost(node.range);
    const initialCost = this.cost(node.initial);
    const accumulator: LocalVariable = {
      path: this.#pathOf(node.initial),
      size: this.#sizeOf(node.initial),
      entries: this.#entriesOf(node.initial),
    };
    const isBinding =
      node.range.kind === "list" &&
      node.range.elements.length === 0 &&
      node.condition.kind === "literal" &&
      node.condition.value === false &&
      node.accumulator !== accumulatorName;
    if (isBinding) {
      const resultCost = this.#with([[node.accumulator, accumulator]], () => this.cost(node.result));
      this.#copySizes(node, node.result);
      return plus(rangeCost, initialCost, resultCost);
    }
    const { loopCost, resultCost } = this.#with([[node.accumulator, accumulator]], () => ({
      loopCost: this.#with(this.#loopVariables(node), () =>
        plus(this.cost(node.condition), this.cost(node.step)),
      ),
      resultCost: this.cost(node.result),
    }));
    const count = this.#sizeOrUnknown(node.range);
    this.#sizeOfLoop(node, count);
    return plus(rangeCost, initialCost, resultCost, times(count, loopCost));
  }

  #sizeOfLoop(node: Comprehension, count: Range): void {
    if (node.initial.kind === "literal") {
      const size = this.#sizeOf(node.initial);
      if (size) this.#sizes.set(node.id, size);
    } else if (node.initial.kind === "list" || node.initial.kind === "map") {
      this.#sizes.set(node.id, count);
      const entries = this.#entriesOf(node.step);
      if (entries) this.#setEntries(node.id, entries);
    }
  }

  #loopVariables(node: Comprehension): [string, LocalVariable][] {
    const entries = this.#entriesOf(node.range);
    const path = this.#pathOf(node.range);
    const isList = (entries?.container ?? this.#typeOf(node.range).kind) === "list";
    const at = (part: string, size: Range | undefined): LocalVariable => ({
      path: [...path, part],
      size,
      entries: undefined,
    });
    const value = at(isList ? "@items" : "@values", entries?.value);
    const key = at(isList ? "@indices" : "@keys", entries?.key);
    if (node.secondVariable === undefined) return [[node.variable, isList ? value : key]];
    return [
      [node.variable, key],
      [node.secondVariable, value],
    ];
  }

  #with<Result>(locals: readonly [string, LocalVariable][], body: () => Result): Result {
    for (const [name, local] of locals) this.#locals.set(name, [...(this.#locals.get(name) ?? []), local]);
    const result = body();
    for (const [name] of locals) this.#locals.get(name)?.pop();
    return result;
  }

  #local(name: string): LocalVariable | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #nodeOf(expression: Expression): EstimatedNode {
    const path = this.#pathOf(expression);
    return {
      // Only what begins at a variable of the environment is a path.
      path: path.length === 0 || path[0] === accumulatorName ? undefined : path,
      type: this.#typeOf(expression),
      expression,
      size: this.#sizeOf(expression),
    };
  }

  #typeOf(expression: Expression): CelType {
    return this.#checked.types.get(expression.id) ?? dynType;
  }

  #pathOf(expression: Expression): readonly string[] {
    const local = expression.kind === "identifier" ? this.#local(expression.name) : undefined;
    return local?.path ?? this.#paths.get(expression.id) ?? [];
  }

  #sizeOrUnknown(expression: Expression): Range {
    return this.#sizeOf(expression) ?? unknown;
  }

  #sizeOf(expression: Expression): Range | undefined {
    const known = this.#sizes.get(expression.id) ?? sizeOfLiteral(expression);
    if (known) return known;
    const type = this.#typeOf(expression);
    const estimated = this.#estimator.estimateSize({
      path: this.#pathOf(expression),
      type,
      expression,
      size: undefined,
    });
    if (estimated) {
      this.#sizes.set(expression.id, estimated);
      return estimated;
    }
    if (isScalar(type)) return one;
    return expression.kind === "identifier" ? this.#local(expression.name)?.size : undefined;
  }

  #entriesOf(expression: Expression): EntrySize | undefined {
    const known = this.#entries.get(expression.id);
    if (known) return known;
    return expression.kind === "identifier" ? this.#local(expression.name)?.entries : undefined;
  }

  #setEntries(id: NodeId, entries: EntrySize): void {
    this.#entries.set(id, entries);
  }

  #copySizes(to: Expression, from: Expression): void {
    const size = this.#sizeOf(from);
    if (size) this.#sizes.set(to.id, size);
    const entries = this.#entriesOf(from);
    if (entries) this.#setEntries(to.id, entries);
  }
}

function sizeOfLiteral(expression: Expression): Range | undefined {
  switch (expression.kind) {
    case "literal": {
      const { value } = expression;
      if (typeof value === "string") return fixed(codePointLength(value));
      return value instanceof Uint8Array ? fixed(value.length) : one;
    }
    case "list":
      return fixed(expression.elements.length);
    case "map":
      return fixed(expression.entries.length);
    default:
      return undefined;
  }
}

function isScalar(type: CelType): boolean {
  if (type.kind === "opaque" && type.name === "optional_type") return isScalar(type.parameters[0] ?? dynType);
  return ["bool", "double", "duration", "int", "timestamp", "uint"].includes(type.kind);
}
