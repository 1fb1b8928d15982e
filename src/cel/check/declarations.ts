import type { Value } from "../values/value.ts";
import type { CelType } from "./types.ts";

/** What a function does; those with fewer parameters ignore the rest. */
export type Implementation = (first: Value, second: Value, third: Value, fourth: Value) => Value;

/** One signature of a function. */
export interface Overload {
  readonly id: string;
  /** Called as a method; its first parameter is what it is called on. */
  readonly member: boolean;
  readonly parameters: readonly CelType[];
  readonly result: CelType;
  /** Absent where the evaluator itself knows what to do. */
  readonly evaluate?: Implementation;
}

/** A function by all its signatures. */
export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** One implementation for all signatures, which looks at the values itself. */
  readonly evaluate?: Implementation;
}

/** A field of an object type. */
export interface FieldDeclaration {
  readonly type: CelType;
  /** Makes a value of what JSON holds, where the type alone does not say how. */
  readonly adapt?: (raw: unknown) => Value;
  /** Its name in JSON, where expressions cannot write that. */
  readonly property?: string;
}

/** Knows the object types of an environment. */
export interface TypeProvider {
  /** The type of a name, if there is one. */
  findType(name: string): CelType | undefined;
  findField(typeName: string, field: string): FieldDeclaration | undefined;
  /** Makes an object of a type from its fields; without it objects are plain. */
  construct?(typeName: string, fields: Readonly<Record<string, Value>>): Value;
}

/** A function's signature called like a function. */
export function overload(
  id: string,
  signature: { readonly parameters: readonly CelType[]; readonly result: CelType },
  evaluate?: Implementation,
): Overload {
  return { id, member: false, ...signature, ...(evaluate && { evaluate }) };
}

/** A function's signature called on its first parameter. */
export function memberOverload(
  id: string,
  signature: { readonly parameters: readonly CelType[]; readonly result: CelType },
  evaluate?: Implementation,
): Overload {
  return { ...overload(id, signature, evaluate), member: true };
}
