import { share } from "../../apimachinery/index.ts";
import type { AnyObject } from "./entry.ts";
import type { ServedResource } from "./served.ts";

/** The object, with the spec that others have too where its kind has such. */
export function withSharedSpec(
  { definition }: Pick<ServedResource, "definition">,
  object: AnyObject,
): AnyObject {
  const spec = object["spec"];
  if (!definition.sharesSpec || typeof spec !== "object" || spec === null) return object;
  const shared = share(spec);
  return shared === spec ? object : { ...object, spec: shared };
}
