import type { TypeFacts } from "../facts.ts";
import type { StructType, Type } from "./types.ts";

/** What a struct needs of the registry that made it: to find the types that its fields name. */
export interface TypeResolver {
  /** The facts of a qualified Go type name. */
  factsOf(name: string): TypeFacts | undefined;
  struct(packageName: string, typeName: string, structType?: "granular" | "atomic"): StructType;
  /** The type that a Go type expression means in a package. */
  resolve(go: string, packageName: string, apply?: ApplyMarkers): Type;
}

/** What a field says of how server-side apply treats its value. */
export interface ApplyMarkers {
  readonly listType?: "atomic" | "set" | "map" | undefined;
  readonly mapKeys?: readonly string[] | undefined;
  readonly mapType?: "granular" | "atomic" | undefined;
  readonly structType?: "granular" | "atomic" | undefined;
}

/** What a struct is made from. */
export interface FactsStructSource {
  readonly registry: TypeResolver;
  readonly packageName: string;
  readonly typeName: string;
  readonly facts: TypeFacts;
  readonly structType: "granular" | "atomic";
}

/** The package and the type of a qualified name. */
export function splitName(name: string): [packageName: string, typeName: string] {
  const cut = name.lastIndexOf(".");
  return [name.slice(0, cut), name.slice(cut + 1)];
}
