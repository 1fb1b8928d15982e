import type { Value } from "../values/value.ts";

/** Identifies a node; its place in the source is in `SourceInfo`. */
export type NodeId = number;

/** A constant of the source: its value is a CEL value. */
export interface Literal {
  readonly kind: "literal";
  readonly id: NodeId;
  readonly value: Value;
}

/** A name; a leading dot asks for the outermost one. */
export interface Identifier {
  readonly kind: "identifier";
  readonly id: NodeId;
  readonly name: string;
}

/** `operand.field`, or `has(operand.field)` when it only tests. */
export interface Select {
  readonly kind: "select";
  readonly id: NodeId;
  readonly operand: Expression;
  readonly field: string;
  readonly testOnly: boolean;
}

/** A function, operator or method call; operators have names such as `_+_`. */
export interface Call {
  readonly kind: "call";
  readonly id: NodeId;
  readonly name: string;
  readonly target?: Expression;
  readonly args: readonly Expression[];
}

/** `[a, ?b]`; the indices of optional elements are told apart. */
export interface ListLiteral {
  readonly kind: "list";
  readonly id: NodeId;
  readonly elements: readonly Expression[];
  readonly optionalIndices: readonly number[];
}

/** One `key: value` of a map literal. */
export interface MapEntry {
  readonly id: NodeId;
  readonly key: Expression;
  readonly value: Expression;
  readonly optional: boolean;
}

/** `{key: value}`. */
export interface MapLiteral {
  readonly kind: "map";
  readonly id: NodeId;
  readonly entries: readonly MapEntry[];
}

/** One `field: value` of an object literal. */
export interface StructField {
  readonly id: NodeId;
  readonly name: string;
  readonly value: Expression;
  readonly optional: boolean;
}

/** `Type{field: value}`. */
export interface StructLiteral {
  readonly kind: "struct";
  readonly id: NodeId;
  readonly typeName: string;
  readonly fields: readonly StructField[];
}

/** What the macros `all`, `exists`, `map` and their like become. */
export interface Comprehension {
  readonly kind: "comprehension";
  readonly id: NodeId;
  readonly range: Expression;
  readonly variable: string;
  readonly secondVariable?: string;
  readonly accumulator: string;
  readonly initial: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
}

/** A node of the syntax tree. */
export type Expression =
  | Literal
  | Identifier
  | Select
  | Call
  | ListLiteral
  | MapLiteral
  | StructLiteral
  | Comprehension;

/** Name of the variable in which macros gather their result; no user can write it. */
export const accumulatorName = "@result";

/** Names under which operators are declared and called. */
export const operators = {
  conditional: "_?_:_",
  and: "_&&_",
  or: "_||_",
  not: "!_",
  negate: "-_",
  index: "_[_]",
  optionalIndex: "_[?_]",
  optionalSelect: "_?._",
  add: "_+_",
  equals: "_==_",
  in: "@in",
  notStrictlyFalse: "@not_strictly_false",
} as const;

/** The dotted name that an expression of plain selections spells, if it is one. */
export function qualifiedNameOf(expression: Expression): string | undefined {
  if (expression.kind === "identifier") return expression.name;
  if (expression.kind !== "select" || expression.testOnly) return undefined;
  const prefix = qualifiedNameOf(expression.operand);
  return prefix === undefined ? undefined : `${prefix}.${expression.field}`;
}

/** The nodes directly below one. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "identifier":
      return [];
    case "select":
      return [expression.operand];
    case "call":
      return expression.target ? [expression.target, ...expression.args] : expression.args;
    case "list":
      return expression.elements;
    case "map":
      return expression.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return expression.fields.map(({ value }) => value);
    case "comprehension":
      return [expression.range, expression.initial, expression.condition, expression.step, expression.result];
  }
}

/** Calls back for a node and all below it, parents first. */
export function visit(expression: Expression, see: (node: Expression) => void): void {
  see(expression);
  for (const child of childrenOf(expression)) visit(child, see);
}
