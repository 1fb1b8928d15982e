import {
  operators,
  qualifiedNameOf,
  type Call,
  type Comprehension,
  type Expression,
  type Identifier,
  type ListLiteral,
  type MapLiteral,
  type NodeId,
  type Select,
  type StructLiteral,
} from "../syntax/ast.ts";
import type { Positions } from "../syntax/builder.ts";
import type { Issue, Source } from "../syntax/issues.ts";
import type { Value } from "../values/value.ts";
import { Double, Uint } from "../values/value.ts";
import type { FunctionDeclaration, Overload } from "./declarations.ts";
import { Scope, type Declarations } from "./scope.ts";
import {
  boolType,
  bytesType,
  doubleType,
  dynType,
  errorType,
  formatType,
  intType,
  isDyn,
  isDynOrError,
  isOptional,
  listType,
  mapType,
  nullType,
  optionalType,
  parameterType,
  sameType,
  stringType,
  uintType,
  withoutOptional,
  type CelType,
} from "./types.ts";
import { Mapping, assignable, mostGeneral, substitute } from "./unify.ts";

/** What a node refers to. */
export type Reference =
  | { readonly type: "identifier"; readonly name: string; readonly value?: Value }
  | {
      readonly type: "function";
      readonly declaration: FunctionDeclaration;
      readonly overloads: readonly Overload[];
      /** The target is a part of the function's name, not a value. */
      readonly namespaced: boolean;
    };

/** A parsed expression. */
export interface Unchecked {
  readonly expression: Expression;
  readonly positions: Positions;
  readonly source: Source;
}

/** Types and references of all nodes. */
export interface Checked {
  readonly expression: Expression;
  readonly types: ReadonlyMap<NodeId, CelType>;
  readonly references: ReadonlyMap<NodeId, Reference>;
  readonly issues: readonly Issue[];
}

/** Finds the types of an expression's nodes and what they refer to. */
export function check(unchecked: Unchecked, declarations: Declarations): Checked {
  const checker = new Checker(unchecked, declarations);
  checker.check(unchecked.expression);
  return checker.result();
}

class Checker {
  readonly #unchecked: Unchecked;
  readonly #scope: Scope;
  readonly #types = new Map<NodeId, CelType>();
  readonly #references = new Map<NodeId, Reference>();
  readonly #issues: Issue[] = [];
  readonly #mapping = new Mapping();
  #freeVariables = 0;

  constructor(unchecked: Unchecked, declarations: Declarations) {
    this.#unchecked = unchecked;
    this.#scope = new Scope(declarations);
  }

  result(): Checked {
    const types = new Map<NodeId, CelType>();
    for (const [id, type] of this.#types) types.set(id, substitute(this.#mapping, type, { freeToDyn: true }));
    return {
      expression: this.#unchecked.expression,
      types,
      references: this.#references,
      issues: this.#issues,
    };
  }

  check(node: Expression): CelType {
    const type = this.#typeOf(node);
    this.#types.set(node.id, type);
    return type;
  }

  #typeOf(node: Expression): CelType {
    switch (node.kind) {
      case "literal":
        return typeOfLiteral(node.value);
      case "identifier":
        return this.#identifier(node);
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

  #report(id: NodeId, message: string): CelType {
    const { positions, source } = this.#unchecked;
    this.#issues.push({ location: source.locationOf(positions.get(id) ?? 0), message });
    return errorType;
  }

  #undeclared(id: NodeId, name: string): CelType {
    const { container } = this.#scope.declarations;
    return this.#report(id, `undeclared reference to '${name}' (in container '${container}')`);
  }

  #refer(id: NodeId, { name, value }: { readonly name: string; readonly value?: Value }): void {
    this.#references.set(id, { type: "identifier", name, ...(value !== undefined && { value }) });
  }

  #identifier(node: Identifier): CelType {
    const found = this.#scope.findIdentifier(node.name);
    if (!found) return this.#undeclared(node.id, node.name);
    this.#refer(node.id, found);
    return found.type;
  }

  #select(node: Select): CelType {
    const qualified = qualifiedNameOf(node);
    const found = qualified === undefined ? undefined : this.#scope.findIdentifier(qualified);
    if (found) {
      this.#refer(node.id, found);
      return found.type;
    }
    const type = this.#field(node.id, node.operand, node.field);
    return node.testOnly ? boolType : substitute(this.#mapping, type);
  }

  /** The type of a field; that of a field of an optional is optional. */
  #field(id: NodeId, operand: Expression, field: string): CelType {
    const operandType = substitute(this.#mapping, this.check(operand));
    const type = this.#fieldOf(id, withoutOptional(operandType), field);
    return isOptional(operandType) ? optionalType(type) : type;
  }

  #fieldOf(id: NodeId, type: CelType, field: string): CelType {
    switch (type.kind) {
      case "map":
        return type.parameters[1] ?? dynType;
      case "object":
        return this.#lookUpField(id, type.name, field) ?? errorType;
      case "parameter":
        this.#isAssignable(dynType, type);
        return dynType;
      default: {
        const message = `type '${formatType(type)}' does not support field selection`;
        if (!isDynOrError(type)) this.#report(id, message);
        return dynType;
      }
    }
  }

  #lookUpField(id: NodeId, typeName: string, field: string): CelType | undefined {
    const { provider } = this.#scope.declarations;
    if (!provider.findType(typeName)) {
      this.#report(id, `unexpected failed resolution of '${typeName}'`);
      return undefined;
    }
    const found = provider.findField(typeName, field);
    if (!found) this.#report(id, `undefined field '${field}'`);
    return found?.type;
  }

  #call(node: Call): CelType {
    if (node.name === operators.optionalSelect) return this.#optionalSelect(node);
    const argTypes = node.args.map((arg) => this.check(arg));
    if (!node.target) {
      const found = this.#scope.findFunction(node.name);
      if (!found) return this.#undeclared(node.id, node.name);
      return this.#resolve(node, found, { argTypes, namespaced: false });
    }
    const prefix = qualifiedNameOf(node.target);
    const namespaced = prefix === undefined ? undefined : this.#scope.findFunction(`${prefix}.${node.name}`);
    if (namespaced) return this.#resolve(node, namespaced, { argTypes, namespaced: true });
    const targetType = this.check(node.target);
    const found = this.#scope.findFunction(node.name);
    if (!found) return this.#undeclared(node.id, node.name);
    return this.#resolve(node, found, { targetType, argTypes, namespaced: false });
  }

  #optionalSelect(node: Call): CelType {
    const [operand, field] = node.args as [Expression, Expression];
    const name = field.kind === "literal" ? field.value : undefined;
    if (typeof name !== "string") return this.#report(field.id, "unsupported optional field selection");
    const type = substitute(this.#mapping, this.#field(node.id, operand, name));
    const declaration = this.#scope.findFunction(operators.optionalSelect);
    if (declaration) {
      this.#references.set(node.id, {
        type: "function",
        declaration,
        overloads: declaration.overloads,
        namespaced: false,
      });
    }
    return isOptional(type) ? type : optionalType(type);
  }

  #resolve(
    node: Call,
    declaration: FunctionDeclaration,
    call: {
      readonly targetType?: CelType;
      readonly argTypes: readonly CelType[];
      readonly namespaced: boolean;
    },
  ): CelType {
    const { targetType, namespaced } = call;
    const argTypes = targetType ? [targetType, ...call.argTypes] : call.argTypes;
    const candidates = declaration.overloads.filter(({ member }) => member === (targetType !== undefined));
    const refer = (overloads: readonly Overload[]) =>
      this.#references.set(node.id, { type: "function", declaration, overloads, namespaced });
    if (node.name === operators.and || node.name === operators.or) {
      refer(candidates);
      return this.#logical(node, argTypes);
    }
    const matching: Overload[] = [];
    let result: CelType | undefined;
    for (const candidate of candidates) {
      const type = this.#match(candidate, argTypes);
      if (!type) continue;
      matching.push(candidate);
      if (!result) result = type;
      else if (!isDyn(result) && !sameType(result, type)) result = dynType;
    }
    if (!result)
      return this.#noOverload(node, declaration.name, { argTypes, member: targetType !== undefined });
    refer(matching);
    return result;
  }

  #logical(node: Call, argTypes: readonly CelType[]): CelType {
    let failed = false;
    argTypes.forEach((type, index) => {
      if (this.#isAssignable(type, boolType)) return;
      failed = true;
      this.#mismatch(node.args[index] as Expression, boolType, type);
    });
    return failed ? errorType : boolType;
  }

  /** The result of a signature if it takes the arguments. */
  #match(candidate: Overload, argTypes: readonly CelType[]): CelType | undefined {
    const fresh = new Mapping();
    const instance = (type: CelType): CelType => {
      collectVariables(type, (name) => {
        if (!fresh.get(name)) fresh.set(name, this.#freeVariable());
      });
      return substitute(fresh, type);
    };
    const parameters = candidate.parameters.map(instance);
    const result = instance(candidate.result);
    if (!assignable(this.#mapping, argTypes, parameters)) return undefined;
    return substitute(this.#mapping, result);
  }

  #noOverload(
    node: Call,
    name: string,
    { argTypes, member }: { readonly argTypes: readonly CelType[]; readonly member: boolean },
  ): CelType {
    const shown = argTypes.map((type) => formatType(substitute(this.#mapping, type, { freeToDyn: true })));
    const signature = member ? `${shown[0]}.(${shown.slice(1).join(", ")})` : `(${shown.join(", ")})`;
    return this.#report(node.id, `found no matching overload for '${name}' applied to '${signature}'`);
  }

  #list(node: ListLiteral): CelType {
    let elementType: CelType | undefined;
    node.elements.forEach((element, index) => {
      const type = this.#element(element, node.optionalIndices.includes(index));
      elementType = this.#join(element, elementType, type);
    });
    return listType(elementType ?? this.#freeVariable());
  }

  /** The type of an element; an optional one stands for what it holds. */
  #element(node: Expression, optional: boolean): CelType {
    const type = this.check(node);
    if (!optional) return type;
    const held = withoutOptional(type);
    if (!isOptional(type) && !isDyn(type)) this.#mismatch(node, optionalType(type), type);
    return held;
  }

  #map(node: MapLiteral): CelType {
    let keyType: CelType | undefined;
    let valueType: CelType | undefined;
    for (const { key, value, optional } of node.entries) {
      keyType = this.#join(key, keyType, this.check(key));
      valueType = this.#join(value, valueType, this.#element(value, optional));
    }
    return mapType(keyType ?? this.#freeVariable(), valueType ?? this.#freeVariable());
  }

  #join(node: Expression, previous: CelType | undefined, current: CelType): CelType {
    if (!previous) return current;
    if (this.#isAssignable(previous, current)) return mostGeneral(previous, current);
    if (!this.#scope.declarations.homogeneousLiterals) return dynType;
    return this.#mismatch(node, previous, current);
  }

  #struct(node: StructLiteral): CelType {
    const found = this.#scope.findIdentifier(node.typeName);
    if (!found) return this.#undeclared(node.id, node.typeName);
    this.#refer(node.id, { name: found.name });
    let type = errorType;
    if (found.type.kind !== "type") {
      if (found.type.kind !== "error") this.#report(node.id, `'${formatType(found.type)}' is not a type`);
    } else {
      type = found.type.parameters[0] ?? errorType;
      if (type.kind !== "object") {
        this.#report(node.id, `'${formatType(type)}' is not a message type`);
        type = errorType;
      }
    }
    for (const field of node.fields) {
      const valueType = this.#element(field.value, field.optional);
      const fieldType =
        type.kind === "object" ? this.#lookUpField(field.id, type.name, field.name) : undefined;
      if (fieldType && !this.#isAssignable(fieldType, valueType)) {
        const [wanted, given] = [formatType(fieldType), formatType(valueType)];
        const message = `expected type of field '${field.name}' is '${wanted}' but provided type is '${given}'`;
        this.#report(field.id, message);
      }
    }
    return type;
  }

  #comprehension(node: Comprehension): CelType {
    const rangeType = substitute(this.#mapping, this.check(node.range));
    const accumulatorType = this.check(node.initial);
    const [first, second] = this.#loopTypes(node, rangeType);
    const accumulator = { name: node.accumulator, type: accumulatorType };
    return this.#scope.with([accumulator], () => {
      const variables = [{ name: node.variable, type: first }];
      if (node.secondVariable !== undefined) variables.push({ name: node.secondVariable, type: second });
      this.#scope.with(variables, () => {
        this.check(node.condition);
        this.#assertType(node.condition, boolType);
        this.check(node.step);
        this.#assertType(node.step, accumulatorType);
      });
      return substitute(this.#mapping, this.check(node.result));
    });
  }

  #loopTypes(node: Comprehension, range: CelType): readonly [CelType, CelType] {
    const [first = dynType, second = dynType] = range.parameters;
    switch (range.kind) {
      case "list":
        return node.secondVariable === undefined ? [first, first] : [intType, first];
      case "map":
        return [first, second];
      case "dyn":
      case "error":
      case "parameter":
        this.#isAssignable(dynType, range);
        return [dynType, dynType];
      default: {
        const shown = formatType(range);
        this.#report(
          node.range.id,
          `expression of type '${shown}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [errorType, errorType];
      }
    }
  }

  #assertType(node: Expression, wanted: CelType): void {
    const type = this.#types.get(node.id) ?? errorType;
    if (!this.#isAssignable(wanted, type)) this.#mismatch(node, wanted, type);
  }

  #mismatch(node: Expression, wanted: CelType, found: CelType): CelType {
    return this.#report(node.id, `expected type '${formatType(wanted)}' but found '${formatType(found)}'`);
  }

  #isAssignable(one: CelType, other: CelType): boolean {
    return assignable(this.#mapping, [one], [other]);
  }

  #freeVariable(): CelType {
    return parameterType(`_var${this.#freeVariables++}`);
  }
}

function collectVariables(type: CelType, see: (name: string) => void): void {
  if (type.kind === "parameter") see(type.name);
  for (const parameter of type.parameters) collectVariables(parameter, see);
}

function typeOfLiteral(value: Value): CelType {
  if (value === null) return nullType;
  if (typeof value === "boolean") return boolType;
  if (typeof value === "string") return stringType;
  if (value instanceof Double) return doubleType;
  if (value instanceof Uint) return uintType;
  return value instanceof Uint8Array ? bytesType : intType;
}
