import { ApiError } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { Patch } from "../../api/index.ts";
import { decodeObject } from "./coding.ts";
import type { Core, RequestOptions, Written } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import type { ServedResource } from "./served.ts";
import { checkNames, modify } from "./update.ts";

/** A change of an object by a patch of any type. */
export function patch(
  core: Core,
  served: ServedResource,
  request: RequestOptions & {
    readonly key: ObjectKey;
    readonly subresource?: string;
    readonly patch: Patch;
  },
): Promise<Written> {
  const { key } = request;
  const body = request.patch;
  return modify(core, served, request, {
    key,
    subresource: request.subresource ?? "",
    versionGiven: false,
    createsMissing: false,
    change(old) {
      if (body.type === "json") throw ApiError.unsupportedMediaType("json patch");
      const patched = merge(old, body.body) as object;
      const object = decodeObject(served, patched, request);
      checkNames(served, object, key);
      return object;
    },
  });
}

function merge(target: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const result: Record<string, unknown> = { ...(target as object) };
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}

export type { AnyObject };
