import type { Checked, Reference } from "../check/checker.ts";
import type { FieldDeclaration, TypeProvider } from "../check/declarations.ts";
import { dynType, withoutOptional, type CelType } from "../check/types.ts";
import {
  operators,
  type Call,
  type Comprehension,
  type Expression,
  type ListLiteral,
  type MapLiteral,
  type NodeId,
  type Select,
  type StructLiteral,
} from "../syntax/ast.ts";
import { EvaluationError } from "../values/errors.ts";
import { mapOf } from "../values/maps.ts";
import { Optional, type Value } from "../values/value.ts";
import { fieldReader, hasField, indexed, optionalField, optionalIndexed } from "./attributes.ts";
import { planCall } from "./calls.ts";
import type { CallPricing } from "./call-cost.ts";
import { coercionOf } from "./coerce.ts";
import { pending, type Step } from "./frame.ts";
import { planLoop } from "./loops.ts";
import { constant, type Plan } from "./plan.ts";

/** How expressions are compiled. */
export interface PlannerOptions {
  readonly provider: TypeProvider;
  readonly pricing?: CallPricing;
  /** Whether constant lists, maps and conversions are computed once; they then cost nothing. */
  readonly foldConstants: boolean;
}

const listCost = 10;
const mapCost = 30;
const structCost = 40;

interface LocalVariable {
  readonly name: string;
  readonly slot: number;
  /** Computes the value when it is first asked for. */
  readonly initial?: Step;
}

/** Compiles checked expressions to closures. */
export class Planner {
  readonly options: PlannerOptions;
  readonly #checked: Checked;
  readonly #locals: LocalVariable[] = [];
  #slots = 0;

  constructor(checked: Checked, options: PlannerOptions) {
    this.#checked = checked;
    this.options = options;
  }

  plan(node: Expression): Plan {
    switch (node.kind) {
      case "literal":
        return constant(node.value);
      case "identifier":
        return this.#identifier(node.id, node.name);
      case "select":
        return this.#select(node);
      case "call":
        return this.#call(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "struct":
        return this.#struct(node);
      case "comprehension":
        return this.#comprehension(node);
    }
  }

  typeOf(node: Expression): CelType {
    return this.#checked.types.get(node.id) ?? dynType;
  }

  referenceOf(id: NodeId): Reference | undefined {
    return this.#checked.references.get(id);
  }

  /** A place for a local variable. */
  slot(): number {
    return this.#slots++;
  }

  /** Plans with local variables. */
  with<Result>(locals: readonly LocalVariable[], body: () => Result): Result {
    this.#locals.push(...locals);
    const result = body();
    this.#locals.length -= locals.length;
    return result;
  }

  /** A value that is found in data: reading it costs one more than getting there, and its type may shape it. */
  attribute(node: Expression, raw: Step): Plan {
    const coerce = coercionOf(this.typeOf(node));
    const data: Step = (frame) => {
      const value = raw(frame);
      frame.charge(1);
      return value;
    };
    return { raw, data, step: coerce ? (frame) => coerce(data(frame)) : data };
  }

  #identifier(id: NodeId, written: string): Plan {
    const reference = this.referenceOf(id);
    const name = reference?.type === "identifier" ? reference.name : written;
    const node: Expression = { kind: "identifier", id, name };
    const local = this.#locals.findLast((each) => each.name === name);
    if (local) return this.attribute(node, readLocal(local));
    if (reference?.type === "identifier" && reference.value !== undefined) return constant(reference.value);
    return this.attribute(node, (frame) => frame.variable(name));
  }

  #select(node: Select): Plan {
    if (this.referenceOf(node.id)) return this.#identifier(node.id, node.field);
    const operand = this.plan(node.operand);
    const target = operand.raw ?? operand.step;
    const { property = node.field, adapt } = this.#declarationOf(node.operand, node.field) ?? {};
    if (node.testOnly) {
      const test: Step = (frame) => {
        const value = target(frame);
        frame.charge(1);
        return hasField(value, property);
      };
      return { step: test };
    }
    const read = fieldReader(property);
    return this.attribute(node, (frame) => {
      const value = target(frame);
      frame.charge(1);
      return adapt ? adapted(read(value), adapt) : read(value);
    });
  }

  #declarationOf(operand: Expression, field: string): FieldDeclaration | undefined {
    const type = withoutOptional(this.typeOf(operand));
    return type.kind === "object" ? this.options.provider.findField(type.name, field) : undefined;
  }

  #call(node: Call): Plan {
    switch (node.name) {
      case operators.index:
      case operators.optionalIndex:
        return this.#index(node);
      case operators.optionalSelect: {
        const [operand, field] = node.args as [Expression, Expression];
        const target = this.plan(operand);
        const name = field.kind === "literal" && typeof field.value === "string" ? field.value : "";
        const read = target.raw ?? target.step;
        const { property = name, adapt } = this.#declarationOf(operand, name) ?? {};
        return this.attribute(node, (frame) => {
          const value = read(frame);
          frame.charge(1);
          const found = optionalField(value, property);
          return adapt ? adapted(found, adapt) : found;
        });
      }
      default:
        return planCall(this, node);
    }
  }

  #index(node: Call): Plan {
    const [operand, index] = node.args as [Expression, Expression];
    const target = this.plan(operand);
    const key = this.plan(index);
    const read = target.raw ?? target.step;
    const keyOf = key.step;
    // What is read by an attribute has paid for itself, so have the branches of a condition.
    const charge = (key.data ?? key.raw) ? 0 : 1;
    const get = node.name === operators.index ? indexed : optionalIndexed;
    return this.attribute(node, (frame) => {
      const value = read(frame);
      const at = keyOf(frame);
      frame.charge(charge);
      return get(value, at);
    });
  }

  #list(node: ListLiteral): Plan {
    const elements = node.elements.map((element) => this.plan(element));
    const optional = new Set(node.optionalIndices);
    if (this.options.foldConstants && optional.size === 0) {
      const values = constantsOf(elements);
      if (values) return constant(values);
    }
    const steps = elements.map(({ step }) => step);
    return {
      step: (frame) => {
        const values: Value[] = [];
        for (let index = 0; index < steps.length; index++) {
          const value = (steps[index] as Step)(frame);
          if (!optional.has(index)) values.push(value);
          else if (heldBy(value) !== undefined) values.push(heldBy(value) as Value);
        }
        frame.charge(listCost);
        return values;
      },
    };
  }

  #map(node: MapLiteral): Plan {
    const keys = node.entries.map(({ key }) => this.plan(key));
    const values = node.entries.map(({ value }) => this.plan(value));
    if (this.options.foldConstants && !node.entries.some(({ optional }) => optional)) {
      const known = [constantsOf(keys), constantsOf(values)] as const;
      if (known[0] && known[1]) {
        const entries = known[0].map((key, index) => [key, known[1]?.[index] as Value] as const);
        return constant(mapOf(entries));
      }
    }
    return {
      step: (frame) => {
        const entries: (readonly [Value, Value])[] = [];
        node.entries.forEach(({ optional }, index) => {
          const key = (keys[index] as Plan).step(frame);
          const value = (values[index] as Plan).step(frame);
          const held = optional ? heldBy(value) : value;
          if (held !== undefined) entries.push([key, held]);
        });
        frame.charge(mapCost);
        return mapOf(entries);
      },
    };
  }

  #struct(node: StructLiteral): Plan {
    const fields = node.fields.map((field) => ({ ...field, plan: this.plan(field.value) }));
    const { provider } = this.options;
    const reference = this.referenceOf(node.id);
    const typeName = reference?.type === "identifier" ? reference.name : node.typeName;
    return {
      step: (frame) => {
        const entries: (readonly [string, Value])[] = [];
        for (const { name, optional, plan } of fields) {
          const value = plan.step(frame);
          const held = optional ? heldBy(value) : value;
          if (held !== undefined) entries.push([name, held]);
        }
        frame.charge(structCost);
        const object = Object.fromEntries(entries);
        return provider.construct ? provider.construct(typeName, object) : object;
      },
    };
  }

  #comprehension(node: Comprehension): Plan {
    const isBinding =
      node.range.kind === "list" && node.condition.kind === "literal" && node.condition.value === false;
    if (!isBinding) return planLoop(this, node);
    const slot = this.slot();
    const initial = this.plan(node.initial).step;
    const result = this.with([{ name: node.accumulator, slot, initial }], () => this.plan(node.result));
    const within =
      (step: Step): Step =>
      (frame) => {
        frame.locals[slot] = pending;
        return step(frame);
      };
    return { step: within(result.step) };
  }
}

function readLocal({ slot, initial }: LocalVariable): Step {
  if (!initial) return (frame) => frame.local(slot);
  return (frame) => {
    if (frame.locals[slot] !== pending) return frame.local(slot);
    const value = initial(frame);
    frame.locals[slot] = value;
    return value;
  };
}

/** The values of plans if all are known. */
function constantsOf(plans: readonly Plan[]): readonly Value[] | undefined {
  const values: Value[] = [];
  for (const plan of plans) {
    if (!plan.constant) return undefined;
    values.push(plan.constant.value);
  }
  return values;
}

function heldBy(value: Value): Value | undefined {
  if (!(value instanceof Optional)) {
    throw new EvaluationError("cannot initialize optional entry from non-optional value");
  }
  return value.value;
}

function adapted(value: Value, adapt: (raw: unknown) => Value): Value {
  if (!(value instanceof Optional)) return adapt(value);
  return value.value === undefined ? value : new Optional(adapt(value.value));
}
