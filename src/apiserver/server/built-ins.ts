import type { Resource } from "../../apimachinery/index.ts";
import { convert, definitionOf, storageVersionOf } from "../../api/index.ts";
import type { BuiltIns } from "./install.ts";

/** The rules of the built-in resources. */
export const builtInRules: Pick<BuiltIns, "definitionOf" | "convert" | "storageVersionOf"> = {
  definitionOf: (resource) => definitionOf(resource) ?? { resource },
  // A conversion keeps what an object is: KubernetesObject says less than what is known here.
  convert: (object, from, to) => convert(object, from, to) as ReturnType<BuiltIns["convert"]>,
  storageVersionOf: (resource: Resource) => storageVersionOf(resource) ?? resource,
};
