import { ApiError } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { applyMergePatch } from "../../apimachinery/patch/index.ts";
import type { Patch } from "../../api/index.ts";
import { schemas } from "../../api/index.ts";
import { groupResource } from "./context.ts";
import type { Core, RequestOptions, Written } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import { applyObject } from "./field-manager.ts";
import { decodePatched, json, patchedBy } from "./patched.ts";
import { updateScale } from "./scale.ts";
import type { ServedResource } from "./served.ts";
import { checkNames, modify } from "./update.ts";

export type PatchRequest = RequestOptions & { readonly key: ObjectKey; readonly patch: Patch };

/** A change of an object by a patch of any type. */
export function patch(
  core: Core,
  served: ServedResource,
  request: PatchRequest & { readonly subresource?: string },
): Promise<Written> {
  const { key, patch: body, subresource = "" } = request;
  const versionGiven = namesVersion(body);
  if (body.type === "apply") return apply(core, served, { ...request, patch: body, subresource });
  return modify(core, served, request, {
    key,
    subresource,
    versionGiven,
    createsMissing: false,
    change(old) {
      if (!old) throw ApiError.notFound(groupResource(served), key.name);
      const patched = patchedBy(served.type, json(old), body);
      const object = decodePatched(served, patched, { patch: body, request });
      checkNames(served, object, key);
      return object;
    },
  });
}

function apply(
  core: Core,
  served: ServedResource,
  request: RequestOptions & {
    readonly key: ObjectKey;
    readonly patch: Extract<Patch, { type: "apply" }>;
    readonly subresource: string;
  },
): Promise<Written> {
  const { key, patch: body, subresource } = request;
  return modify(core, served, request, {
    key,
    subresource,
    versionGiven: namesVersion(body),
    createsMissing: subresource === "",
    managed: true,
    change(old) {
      const object = applyObject(served, {
        old,
        config: body.body,
        force: body.force ?? false,
        now: core.clock.now(),
        table: core.served,
        subresource,
        request,
      });
      const { uid } = object.metadata;
      if (!old && uid) {
        const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
        throw ApiError.conflict(groupResource(served), key.name, why);
      }
      checkNames(served, object, key);
      return object;
    },
  });
}

/** A patch of the Scale of an object. */
export function patchScale(core: Core, served: ServedResource, request: PatchRequest): Promise<AnyObject> {
  const type = schemas.typeOf({ group: "autoscaling", version: "v1", kind: "Scale" });
  const { patch: body, key } = request;
  return updateScale(core, served, {
    ...request,
    key,
    scale(present) {
      if (body.type === "apply" || !type) {
        return applyMergePatch(json(present), json(body.body)) as unknown as AnyObject;
      }
      return patchedBy(type, json(present), body) as unknown as AnyObject;
    },
  });
}

/** Whether the patch says which version it is for. */
function namesVersion(patch: Patch): boolean {
  if (patch.type === "json") return false;
  const { metadata } = patch.body as { readonly metadata?: { readonly resourceVersion?: string } | null };
  return Boolean(metadata?.resourceVersion);
}
