import type { FieldError, KubernetesObject } from "../../apimachinery/index.ts";
import type { RequestContext, ResourceDefinition } from "../definition.ts";

type Check<T> = (object: T, old: T, context: RequestContext) => readonly FieldError[];

/** Checks of updates: `status` for those of the subresource, `other` for all the rest. */
export function updateChecks<T extends KubernetesObject>(checks: {
  readonly other?: Check<T>;
  readonly status?: Check<T>;
}): NonNullable<ResourceDefinition<T>["validateUpdate"]> {
  return (object, old, context) =>
    (context.subresource === "status" ? checks.status : checks.other)?.(object, old, context) ?? [];
}
