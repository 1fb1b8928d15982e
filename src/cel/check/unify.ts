import { dynType, isDyn, isDynOrError, sameType, type CelType } from "./types.ts";

/** What type variables stand for. */
export class Mapping {
  readonly #types = new Map<string, CelType>();
  /** What the variables of the present attempt stood for before it. */
  #changed: (readonly [name: string, before: CelType | undefined])[] = [];

  get(name: string): CelType | undefined {
    return this.#types.get(name);
  }

  set(name: string, type: CelType): void {
    this.#changed.push([name, this.#types.get(name)]);
    this.#types.set(name, type);
  }

  /** Does what may fail: nothing is bound then. */
  attempt(action: () => boolean): boolean {
    this.#changed = [];
    if (action()) return true;
    for (const [name, before] of this.#changed.toReversed()) {
      if (before) this.#types.set(name, before);
      else this.#types.delete(name);
    }
    return false;
  }
}

/** The type with its variables replaced; those that stand for nothing become dyn if asked. */
export function substitute(
  mapping: Mapping,
  type: CelType,
  options?: { readonly freeToDyn: boolean },
): CelType {
  if (type.kind === "parameter") {
    const bound = mapping.get(type.name);
    if (bound) return substitute(mapping, bound, options);
    return options?.freeToDyn ? dynType : type;
  }
  if (type.parameters.length === 0) return type;
  const parameters = type.parameters.map((parameter) => substitute(mapping, parameter, options));
  return parameters.every((parameter, index) => parameter === type.parameters[index])
    ? type
    : { ...type, parameters };
}

/** Whether values of the second types may stand where the first are; variables are bound if so. */
export const assignable = (
  mapping: Mapping,
  targets: readonly CelType[],
  types: readonly CelType[],
): boolean => mapping.attempt(() => allAssignable(mapping, targets, types));

function allAssignable(mapping: Mapping, ones: readonly CelType[], others: readonly CelType[]): boolean {
  return (
    ones.length === others.length &&
    ones.every((one, index) => isAssignable(mapping, one, others[index] as CelType))
  );
}

function isAssignable(mapping: Mapping, one: CelType, other: CelType): boolean {
  if (other.kind === "parameter") {
    const { valid, bound } = bind(mapping, other, one);
    if (valid) return true;
    if (bound) return false;
  }
  if (one.kind === "parameter") return bind(mapping, one, other).valid;
  if (isDynOrError(one) || isDynOrError(other)) return true;
  if (one.kind === "null") return isNullable(other);
  if (other.kind === "null") return isNullable(one);
  if (one.kind !== other.kind) return false;
  if (one.kind === "type") return true;
  return one.name === other.name && allAssignable(mapping, one.parameters, other.parameters);
}

const isNullable = ({ kind }: CelType): boolean =>
  kind === "opaque" || kind === "object" || kind === "null" || kind === "timestamp" || kind === "duration";

/** Lets a variable stand for a type, or for the more general of it and what it stands for already. */
function bind(mapping: Mapping, variable: CelType, type: CelType): { valid: boolean; bound: boolean } {
  if (sameType(variable, type)) return { valid: true, bound: true };
  const current = mapping.get(variable.name);
  if (current) {
    if (sameType(current, type)) return { valid: true, bound: true };
    if (!isAssignable(mapping, type, current)) return { valid: false, bound: true };
    const general = mostGeneral(type, current);
    if (!occursIn(mapping, variable, general)) mapping.set(variable.name, general);
    return { valid: true, bound: true };
  }
  if (occursIn(mapping, variable, type)) return { valid: false, bound: false };
  mapping.set(variable.name, type);
  return { valid: true, bound: false };
}

function occursIn(mapping: Mapping, variable: CelType, type: CelType): boolean {
  if (sameType(variable, type)) return true;
  if (type.kind === "parameter") {
    const bound = mapping.get(type.name);
    return bound !== undefined && occursIn(mapping, variable, bound);
  }
  return type.parameters.some((parameter) => occursIn(mapping, variable, parameter));
}

/** The more general of two types that are known to agree. */
export function mostGeneral(one: CelType, other: CelType): CelType {
  return isEqualOrLessSpecific(one, other) ? one : other;
}

function isEqualOrLessSpecific(one: CelType, other: CelType): boolean {
  if (isDyn(one) || one.kind === "parameter") return true;
  if (isDyn(other) || other.kind === "parameter") return false;
  if (one.kind !== other.kind) return false;
  if (one.kind === "type") return true;
  return (
    one.name === other.name &&
    one.parameters.length === other.parameters.length &&
    one.parameters.every((parameter, index) =>
      isEqualOrLessSpecific(parameter, other.parameters[index] as CelType),
    )
  );
}
