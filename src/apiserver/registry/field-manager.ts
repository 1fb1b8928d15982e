import type { ObjectKey } from "../../apimachinery/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import { decodeObject } from "./coding.ts";
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

/** The object after a server-side apply of `config`, with its managers. */
export function applyObject(
  served: ServedResource,
  write: {
    readonly key: ObjectKey;
    readonly old: AnyObject | undefined;
    readonly config: object;
    readonly force: boolean;
    readonly now: number;
    readonly subresource: string;
    readonly request: RequestOptions;
  },
): AnyObject {
  if (write.old) throw ApiError.internal("apply is not ready");
  return decodeObject(served, write.config, write.request);
}
