import type { Expression, Identifier, NodeId } from "./ast.ts";
import { accumulatorName } from "./ast.ts";
import type { Value } from "../values/value.ts";

/** Places of nodes in the source: offsets by id. */
export type Positions = ReadonlyMap<NodeId, number>;

/** Makes nodes, gives them ids and remembers where they stand. */
export class NodeBuilder {
  readonly positions = new Map<NodeId, number>();
  #last = 0;

  id(offset: number): NodeId {
    const id = ++this.#last;
    this.positions.set(id, offset);
    return id;
  }

  offsetOf(id: NodeId): number {
    return this.positions.get(id) ?? 0;
  }
}

/** Makes the nodes of a macro, all of them standing where the macro is called. */
export class MacroBuilder {
  readonly #nodes: NodeBuilder;
  readonly offset: number;

  constructor(nodes: NodeBuilder, offset: number) {
    this.#nodes = nodes;
    this.offset = offset;
  }

  id(): NodeId {
    return this.#nodes.id(this.offset);
  }

  literal(value: Value): Expression {
    return { kind: "literal", id: this.id(), value };
  }

  identifier(name: string): Identifier {
    return { kind: "identifier", id: this.id(), name };
  }

  accumulator(): Identifier {
    return this.identifier(accumulatorName);
  }

  call(name: string, ...args: readonly Expression[]): Expression {
    return { kind: "call", id: this.id(), name, args };
  }

  memberCall(name: string, target: Expression, ...args: readonly Expression[]): Expression {
    return { kind: "call", id: this.id(), name, target, args };
  }

  list(...elements: readonly Expression[]): Expression {
    return { kind: "list", id: this.id(), elements, optionalIndices: [] };
  }

  /** The same expression under ids of its own. */
  copy(expression: Expression): Expression {
    const id = this.#nodes.id(this.#nodes.offsetOf(expression.id));
    const copyAll = (all: readonly Expression[]) => all.map((each) => this.copy(each));
    switch (expression.kind) {
      case "literal":
      case "identifier":
        return { ...expression, id };
      case "select":
        return { ...expression, id, operand: this.copy(expression.operand) };
      case "call":
        return {
          ...expression,
          id,
          args: copyAll(expression.args),
          ...(expression.target && { target: this.copy(expression.target) }),
        };
      case "list":
        return { ...expression, id, elements: copyAll(expression.elements) };
      case "map": {
        const entries = expression.entries.map((entry) => ({
          ...entry,
          id: this.#nodes.id(this.#nodes.offsetOf(entry.id)),
          key: this.copy(entry.key),
          value: this.copy(entry.value),
        }));
        return { ...expression, id, entries };
      }
      case "struct": {
        const fields = expression.fields.map((field) => ({
          ...field,
          id: this.#nodes.id(this.#nodes.offsetOf(field.id)),
          value: this.copy(field.value),
        }));
        return { ...expression, id, fields };
      }
      case "comprehension":
        return {
          ...expression,
          id,
          range: this.copy(expression.range),
          initial: this.copy(expression.initial),
          condition: this.copy(expression.condition),
          step: this.copy(expression.step),
          result: this.copy(expression.result),
        };
    }
  }
}
