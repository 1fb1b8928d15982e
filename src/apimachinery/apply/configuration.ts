import type { JsonObject, JsonValue } from "../json.ts";
import type { StructType, Type } from "../schema/types.ts";
import { isJsonObject, shapeOf } from "./layout.ts";
import { mergeApplied } from "./merge.ts";
import { appliedProblems, problemsText } from "./validate.ts";

/** An object with a configuration laid over it, or why that cannot be. */
export type Configured =
  | { readonly type: "merged"; readonly object: JsonObject }
  | { readonly type: "refused"; readonly message: string };

/**
 * Lays a configuration over an object of which nobody asks whose the fields are, as MutatingAdmissionPolicies do. What
 * is replaced as a whole may not be in it: whoever names some of its fields would remove the others unknowingly.
 */
export function applyConfiguration(
  live: JsonObject,
  configuration: JsonObject,
  type: StructType,
): Configured {
  const problems = appliedProblems(configuration, type);
  if (problems.length > 0) {
    return refused(`failed to convert patch object to typed object: ${problemsText(problems)}`);
  }
  const atomics = atomicsIn(configuration, type, "");
  if (atomics.length > 0) {
    return refused(
      `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(", ")}`,
    );
  }
  return { type: "merged", object: mergeApplied(live, configuration, type) };
}

const refused = (message: string): Configured => ({ type: "refused", message });

/** Paths of all objects and lists that are replaced as a whole; values of maps are not looked into. */
function atomicsIn(value: JsonValue, type: Type | undefined, path: string): readonly string[] {
  const isList = Array.isArray(value);
  if (!isList && !isJsonObject(value)) return [];
  const shape = shapeOf(type);
  const here = shape === "leaf" || (isList && shape !== "list") ? [path] : [];
  if (isList) {
    const element = type?.kind === "list" ? type.element : undefined;
    const elements = value as readonly JsonValue[];
    return [
      ...here,
      ...(element ? elements.flatMap((each, index) => atomicsIn(each, element, `${path}[${index}]`)) : []),
    ];
  }
  if (type?.kind !== "struct") return here;
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const known = type.field(name);
    return known && field !== undefined ? atomicsIn(field, known.type, `${path}.${name}`) : [];
  });
  return [...here, ...fields];
}
