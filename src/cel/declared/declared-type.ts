import type { FieldDeclaration, TypeProvider } from "../check/declarations.ts";
import {
  boolType,
  doubleType,
  intType,
  listType,
  mapType,
  objectType,
  type CelType,
} from "../check/types.ts";
import type { CostEstimator } from "../cost/estimate.ts";
import type { Value } from "../values/value.ts";

/** A type with what is known of how large its values get. */
export interface DeclaredType {
  readonly type: CelType;
  /** The most bytes of text, elements of a list or entries of a map that fit into a request. */
  readonly mostElements: number;
  /** The fewest bytes that a value takes as JSON. */
  readonly leastSize: number;
  /** Elements of a list, values of a map. */
  readonly element?: DeclaredType;
  readonly key?: DeclaredType;
  readonly fields?: ReadonlyMap<string, DeclaredField>;
  /** Entries of the map are as large as declared also where a field selects them. */
  readonly selectsEntries?: true;
  /** Makes a value of what JSON holds, where the type alone does not say how. */
  readonly adapt?: (raw: unknown) => Value;
}

/** A field of a declared object. */
export interface DeclaredField {
  readonly type: DeclaredType;
  /** Its name in JSON. */
  readonly property: string;
}

/** Quotes, brackets or braces around nothing. */
const smallest = 2;
const smallestBool = 4;

export const declaredBool: DeclaredType = { type: boolType, mostElements: 0, leastSize: smallestBool };
export const declaredInt: DeclaredType = { type: intType, mostElements: 0, leastSize: 1 };
export const declaredDouble: DeclaredType = { type: doubleType, mostElements: 0, leastSize: 1 };

/** Text, or what is written as text. */
export const declaredText = (type: CelType, mostElements: number, leastSize = smallest): DeclaredType => ({
  type,
  mostElements,
  leastSize,
});

/** A list of at most so many elements. */
export const declaredList = (element: DeclaredType, mostElements: number): DeclaredType => ({
  type: listType(element.type),
  mostElements,
  leastSize: smallest,
  element,
});

/** A map of at most so many entries. */
export const declaredMap = (
  key: DeclaredType,
  element: DeclaredType,
  mostElements: number,
): DeclaredType => ({
  type: mapType(key.type, element.type),
  mostElements,
  leastSize: smallest,
  key,
  element,
});

/** An object of a named type. */
export const declaredObject = (
  name: string,
  fields: ReadonlyMap<string, DeclaredField>,
  leastSize = smallest,
): DeclaredType => ({ type: objectType(name), mostElements: 0, leastSize, fields });

/** Answers for the object types within declared ones. */
export function declaredProvider(types: readonly DeclaredType[]): TypeProvider {
  const known = new Map<string, ReadonlyMap<string, DeclaredField>>();
  const visit = ({ type, element, key, fields }: DeclaredType): void => {
    if (element) visit(element);
    if (key) visit(key);
    if (!fields || known.has(type.name)) return;
    known.set(type.name, fields);
    for (const field of fields.values()) visit(field.type);
  };
  types.forEach(visit);
  return {
    findType: (name) => (known.has(name) ? objectType(name) : undefined),
    findField(typeName, name): FieldDeclaration | undefined {
      const field = known.get(typeName)?.get(name);
      if (!field) return undefined;
      const { type, adapt } = field.type;
      return { type, property: field.property, ...(adapt && { adapt }) };
    },
  };
}

/** Sizes of what variables of declared types hold. */
export function declaredSizes(
  variables: Readonly<Record<string, DeclaredType>>,
): Pick<CostEstimator, "estimateSize"> {
  return {
    estimateSize({ path }) {
      const [root = "", ...steps] = path ?? [];
      let current = Object.hasOwn(variables, root) ? variables[root] : undefined;
      for (const step of steps) current = current && stepInto(current, step);
      return current && { min: 0n, max: BigInt(current.mostElements) };
    },
  };
}

function stepInto(type: DeclaredType, step: string): DeclaredType | undefined {
  if (step === "@keys") return type.key;
  if (step === "@items" || step === "@values") return type.element;
  return type.selectsEntries ? type.element : type.fields?.get(step)?.type;
}
