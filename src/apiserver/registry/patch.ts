import { invariant } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { JsonObject, ObjectKey } from "../../apimachinery/index.ts";
import { warningsOf } from "../../apimachinery/codec/index.ts";
import type { Patch } from "../../api/index.ts";
import { groupResource } from "./context.ts";
import type { Core, RequestOptions, Written } from "./context.ts";
import type { AnyObject } from "./entry.ts";
import { applyObject } from "./field-manager.ts";
import { decodePatched, patchedBy } from "./patched.ts";
import { subresourceKind } from "./recognize.ts";
import { whenConverted } from "./remote-conversion.ts";
import { scaleKind, scaleOf, updateScale, withReplicas } from "./scale.ts";
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
      const object = decodePatched(served, patched, { old: json(old), patch: body, request });
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
      const applied = whenConverted(served, (identify) =>
        applyObject(served, {
          old,
          config: body.body,
          force: body.force ?? false,
          now: core.clock.now(),
          table: core.served,
          subresource,
          request,
          identify,
        }),
      );
      const check = (object: AnyObject) => checkApplied(served, object, { old, request });
      return applied instanceof Promise ? applied.then(check) : check(applied);
    },
  });
}

function checkApplied(
  served: ServedResource,
  object: AnyObject,
  {
    old,
    request,
  }: {
    readonly old: AnyObject | undefined;
    readonly request: RequestOptions & {
      readonly key: ObjectKey;
      readonly patch: Extract<Patch, { type: "apply" }>;
    };
  },
): AnyObject {
  const { key, patch: body } = request;
  const { uid } = object.metadata;
  if (!old && uid) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw ApiError.conflict(groupResource(served), key.name, why);
  }
  checkNames(served, object, key);
  checkText(body, request);
  return object;
}

/** What strict decoding found in the text of an applied configuration. */
function checkText({ problems = [] }: Extract<Patch, { type: "apply" }>, request: RequestOptions): void {
  for (const problem of problems) {
    if (request.fieldValidation === "Strict") {
      throw ApiError.badRequest(`error strict decoding YAML: error converting YAML to JSON: ${problem}`);
    }
    for (const warning of warningsOf(problem)) request.warn?.(warning);
  }
}

/** A patch of the Scale of an object. */
export async function patchScale(
  core: Core,
  served: ServedResource,
  request: PatchRequest,
): Promise<AnyObject> {
  const { patch: body, key } = request;
  if (body.type === "apply") return applyScale(core, served, { ...request, patch: body });
  const kind = subresourceKind(served, scaleKind);
  invariant(kind !== undefined, "no type of scales");
  return updateScale(core, served, {
    ...request,
    key,
    scale(present) {
      const patched = patchedBy(kind.type, json(present), body);
      const scale = decodePatched(kind, patched, { old: json(present), patch: body, request });
      checkNames(served, scale, key);
      return scale;
    },
  });
}

/** What is applied to the Scale of an object is applied to the object's replicas. */
async function applyScale(
  core: Core,
  served: ServedResource,
  request: RequestOptions & {
    readonly key: ObjectKey;
    readonly patch: Extract<Patch, { type: "apply" }>;
  },
): Promise<AnyObject> {
  const { key, patch: body } = request;
  const { apiVersion = "", kind = "", metadata, spec } = body.body as Partial<AnyObject>;
  if (apiVersion !== "autoscaling/v1" || kind !== scaleKind.kind) {
    const given = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`;
    throw ApiError.badRequest(`invalid object type: ${given}, Kind=${kind}`);
  }
  const { replicas } = (spec ?? {}) as { readonly replicas?: number };
  const { kind: parentKind } = served.resource;
  const named = {
    apiVersion: served.apiVersion,
    kind: parentKind,
    metadata: { name: key.name, ...metadata },
  };
  const config = withReplicas(served, named as unknown as AnyObject, replicas);
  const written = await apply(core, served, {
    ...request,
    patch: { ...body, body: config },
    subresource: "scale",
  });
  return scaleOf(served, written.object);
}

/** Objects of the API are JSON; their types only say more. */
function json(object: object): JsonObject {
  return object as JsonObject;
}

/** Whether the patch says which version it is for. */
function namesVersion(patch: Patch): boolean {
  if (patch.type === "json") return false;
  const { metadata } = patch.body as { readonly metadata?: { readonly resourceVersion?: string } | null };
  return Boolean(metadata?.resourceVersion);
}
