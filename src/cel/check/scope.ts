import type { Value } from "../values/value.ts";
import { TypeValue } from "../values/value.ts";
import type { FunctionDeclaration, TypeProvider } from "./declarations.ts";
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  optionalType,
  stringType,
  timestampType,
  typeType,
  uintType,
  type CelType,
} from "./types.ts";

/** What a name stands for. */
export interface IdentifierDeclaration {
  readonly name: string;
  readonly type: CelType;
  /** Known already when the expression is checked: a type. */
  readonly value?: Value;
}

/** All that expressions of an environment may refer to. */
export interface Declarations {
  readonly container: string;
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: ReadonlyMap<string, FunctionDeclaration>;
  readonly provider: TypeProvider;
  /** Whether the elements of a list literal must have one type. */
  readonly homogeneousLiterals: boolean;
  /** Whether `optional_type` is a name. */
  readonly optionals: boolean;
}

const typeNames: ReadonlyMap<string, CelType> = new Map([
  ...[
    boolType,
    bytesType,
    doubleType,
    durationType,
    intType,
    nullType,
    stringType,
    timestampType,
    uintType,
  ].map((type) => [type.name, type] as const),
  ["list", listType(dynType)],
  ["map", mapType(dynType, dynType)],
  ["type", typeType()],
  ["dyn", dynType],
]);

/** Names by which an identifier may be declared, the innermost first. */
export function candidateNames(container: string, name: string): readonly string[] {
  if (name.startsWith(".")) return [name.slice(1)];
  const names: string[] = [];
  for (
    let prefix = container;
    prefix !== "";
    prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf(".")))
  ) {
    names.push(`${prefix}.${name}`);
  }
  return [...names, name];
}

/** Looks up names: variables of loops first, then those of the environment, then types. */
export class Scope {
  readonly declarations: Declarations;
  readonly #locals: { readonly name: string; readonly type: CelType }[] = [];

  constructor(declarations: Declarations) {
    this.declarations = declarations;
  }

  /** Declares variables while `body` runs. */
  with<Result>(
    locals: readonly { readonly name: string; readonly type: CelType }[],
    body: () => Result,
  ): Result {
    this.#locals.push(...locals);
    const result = body();
    this.#locals.length -= locals.length;
    return result;
  }

  findIdentifier(name: string): IdentifierDeclaration | undefined {
    const local = this.#locals.findLast((each) => each.name === name);
    if (local) return local;
    const { container, variables } = this.declarations;
    for (const candidate of candidateNames(container, name)) {
      const type = variables.get(candidate);
      if (type) return { name: candidate, type };
      const named = this.#findType(candidate);
      if (named) return { name: candidate, type: typeType(named), value: new TypeValue(candidate) };
    }
    return undefined;
  }

  #findType(name: string): CelType | undefined {
    if (name === "optional_type" && this.declarations.optionals) return optionalType(dynType);
    return typeNames.get(name) ?? this.declarations.provider.findType(name);
  }

  findFunction(name: string): FunctionDeclaration | undefined {
    const { container, functions } = this.declarations;
    for (const candidate of candidateNames(container, name)) {
      const found = functions.get(candidate);
      if (found) return found;
    }
    return undefined;
  }
}
