import type { RequestOptions } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import type { ServedResource } from "./served.ts";

/** The object with its managedFields as this write leaves them. */
export function manageUpdate(
  served: ServedResource,
  write: {
    readonly object: AnyObject;
    readonly old: AnyObject | undefined;
    readonly now: number;
    readonly request: Pick<RequestOptions, "fieldManager"> & { readonly subresource?: string };
  },
): AnyObject {
  void served;
  return write.object;
}
