import type { FunctionDeclaration, Implementation, Overload } from "../check/declarations.ts";
import { memberOverload, overload } from "../check/declarations.ts";
import type { CelType } from "../check/types.ts";
import type { Macro } from "../syntax/macros.ts";

/** Functions, types and macros that an environment may have. */
export interface Library {
  readonly name: string;
  readonly functions: readonly FunctionDeclaration[];
  /** Types that are names: `net.IP`. */
  readonly types?: readonly CelType[];
  readonly macros?: readonly Macro[];
}

/** A function by its signatures. */
export const fn = (name: string, ...overloads: readonly Overload[]): FunctionDeclaration => ({
  name,
  overloads,
});

/** A function whose one implementation looks at the values itself. */
export const dispatched = (
  name: string,
  evaluate: Implementation,
  ...overloads: readonly Overload[]
): FunctionDeclaration => ({ name, overloads, evaluate });

/** A signature in a row: its parameters, then its result. */
export function signature(id: string, types: readonly CelType[], evaluate?: Implementation): Overload {
  return overload(id, split(types), evaluate);
}

/** A method's signature in a row: what it is called on, its parameters, its result. */
export function method(id: string, types: readonly CelType[], evaluate?: Implementation): Overload {
  return memberOverload(id, split(types), evaluate);
}

function split(types: readonly CelType[]): { parameters: readonly CelType[]; result: CelType } {
  return { parameters: types.slice(0, -1), result: types[types.length - 1] as CelType };
}
