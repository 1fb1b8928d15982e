import { ignoreMissing } from "../../api/index.ts";
import { ApiError, timestampOf } from "../../apimachinery/index.ts";
import type { ObjectKey, ObjectMeta } from "../../apimachinery/index.ts";
import type { DeleteOptions } from "../../api/index.ts";
import { StoreError } from "../../store/index.ts";
import { validateAdmission } from "./admit.ts";
import { fromStoreError, groupResource, lockMessage, reserve } from "./context.ts";
import type { Core, RequestOptions } from "./context.ts";
import { encodeObject } from "./entry.ts";
import type { AnyObject, Entry } from "./entry.ts";
import { settled } from "./create.ts";
import type { ListRequest } from "./list-options.ts";
import { list } from "./read.ts";
import type { EntryList } from "./read.ts";
import type { ServedResource } from "./served.ts";
import { storageKey } from "./storage-path.ts";
import { untilCurrent } from "./versions.ts";
import { commit } from "./storage-use.ts";

const deleteAttempts = 16;
const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";

/** What became of the object: gone, or marked and waiting for its grace period or finalizers. */
export interface Deleted {
  readonly object: AnyObject;
  readonly gone: boolean;
}

export type DeleteRequest = RequestOptions & {
  readonly key: ObjectKey;
  readonly delete: DeleteOptions;
  /** How admission is told of it, unless by its name: as of one of many, or not at all. */
  readonly admission?: "unnamed" | "none";
};

/** Deletes one object, or marks it for deletion. */
export function remove(core: Core, served: ServedResource, request: DeleteRequest): Promise<Deleted> {
  warnOfDependents(served, request);
  return removeOne(core, served, request);
}

async function removeOne(core: Core, served: ServedResource, request: DeleteRequest): Promise<Deleted> {
  const path = storageKey(served.storage.prefix, request.key);
  for (let attempt = 1; ; attempt++) {
    const behind = untilCurrent(core, served);
    if (behind) await behind;
    const entry = served.storage.cache.get(path);
    if (!entry) throw ApiError.notFound(groupResource(served), request.key.name);
    if (served.remote) await served.remote.untilShown([entry.object]);
    const old = served.fromStored(entry.object);
    checkPreconditions(served, old, request.delete);
    if (request.admission !== "none") await askAdmission(core, served, { request, old });
    const plan = planDeletion(served, { old, options: request.delete, now: core.clock.now() });
    if (plan.type === "pending") return { object: old, gone: false };
    try {
      return await perform(core, served, { entry, old, plan, dryRun: request.dryRun ?? false });
    } catch (error) {
      const lost = error instanceof StoreError && error.type === "conflict";
      if (!lost) throw fromStoreError(error, { served, name: request.key.name });
      if (attempt >= deleteAttempts) {
        throw ApiError.conflict(groupResource(served), request.key.name, lockMessage);
      }
    }
  }
}

function askAdmission(
  core: Core,
  served: ServedResource,
  { request, old }: { readonly request: DeleteRequest; readonly old: AnyObject },
): void | Promise<void> {
  const key = request.admission === "unnamed" ? { ...request.key, name: "" } : request.key;
  return validateAdmission(
    core,
    { operation: "DELETE", served, subresource: "", key, options: request },
    { old },
  );
}

/** Deletes the objects that a list of the same options has; answers that list. */
export async function removeCollection(
  core: Core,
  served: ServedResource,
  request: RequestOptions & { readonly list: ListRequest; readonly delete: DeleteOptions },
): Promise<EntryList> {
  warnOfDependents(served, request);
  const chosen = await list(core, served, request.list);
  for (const { object } of chosen.entries) {
    const { name, namespace } = object.metadata;
    await ignoreMissing(
      removeOne(core, served, { ...request, admission: "unnamed", key: { name, namespace } }),
    );
  }
  return chosen;
}

function warnOfDependents(served: ServedResource, request: Omit<DeleteRequest, "key">): void {
  const { deletionWarning } = served.definition;
  if (deletionWarning === undefined || request.delete.propagationPolicy !== undefined) return;
  request.warn?.(deletionWarning);
}

/**
 * Whether an object is the one that a deletion is about. Upstream names the kind here, not the resource, but for
 * objects that it deletes in a way of their own.
 */
export function checkPreconditions(served: ServedResource, old: AnyObject, options: DeleteOptions): void {
  const { preconditions } = options;
  if (!preconditions) return;
  const { name, uid, resourceVersion } = old.metadata;
  const { group, kind } = served.storage.stored;
  const inItsOwnWay = served.definition.isHeld !== undefined;
  const about = inItsOwnWay ? groupResource(served) : { group, resource: kind };
  const check = (
    what: string,
    { given, found, why }: { given: string | undefined; found: string; why: string },
  ) => {
    if (given === undefined || given === found) return;
    const mismatch = inItsOwnWay
      ? `Precondition failed: ${what} in precondition: ${given}, ${what} in object meta: ${found}`
      : `the ${what} in the precondition (${given}) does not match the ${what} in record (${found}). ${why}`;
    throw ApiError.conflict(about, name, mismatch);
  };
  const recreated = "The object might have been deleted and then recreated";
  check("UID", { given: preconditions.uid, found: uid, why: recreated });
  const modified = "The object might have been modified";
  check("ResourceVersion", { given: preconditions.resourceVersion, found: resourceVersion, why: modified });
}

export type DeletionPlan =
  /** Already on its way: nothing to write. */
  | { readonly type: "pending" }
  | { readonly type: "mark"; readonly object: AnyObject }
  | { readonly type: "remove"; readonly object: AnyObject };

/** What a delete does to the object that is there. */
export function planDeletion(
  served: Pick<ServedResource, "definition">,
  given: { readonly old: AnyObject; readonly options: DeleteOptions; readonly now: number },
): DeletionPlan {
  const { old, options, now } = given;
  const { definition } = served;
  const finalizers = finalizersAfter(served, old, options);
  const waiting = finalizers.length > 0 || (definition.isHeld?.(old) ?? false);
  const marked = { ...old, metadata: withFinalizers(old.metadata, finalizers) } as AnyObject;
  const grace = definition.gracePeriodSeconds;
  if (grace) {
    const requested = options.gracePeriodSeconds;
    const wanted = requested !== undefined && requested < 0 ? 1 : requested;
    const { deletionTimestamp, deletionGracePeriodSeconds: current } = old.metadata;
    if (deletionTimestamp !== undefined) {
      if (current === undefined || current === 0 || wanted === undefined || wanted >= current) {
        if (!waiting && (current ?? 0) === 0) return { type: "remove", object: old };
        return { type: "pending" };
      }
      const due = Date.parse(deletionTimestamp) - (current - wanted) * 1_000;
      const shortened = withDeletion(marked, { at: due, grace: wanted, raises: false });
      return wanted > 0 || waiting
        ? { type: "mark", object: shortened }
        : { type: "remove", object: shortened };
    }
    const seconds = Math.max(grace(old, wanted), 0);
    const dying = withDeletion(marked, { at: now + seconds * 1_000, grace: seconds, raises: true });
    return seconds > 0 || waiting ? { type: "mark", object: dying } : { type: "remove", object: dying };
  }
  if (!waiting) return { type: "remove", object: old };
  if (old.metadata.deletionTimestamp === undefined) {
    const dying = withDeletion(marked, { at: now, grace: 0, raises: true });
    return { type: "mark", object: (definition.prepareForDeletion?.(dying) ?? dying) as AnyObject };
  }
  const same =
    finalizers.length === (old.metadata.finalizers?.length ?? 0) &&
    finalizers.every((name) => old.metadata.finalizers?.includes(name));
  return same ? { type: "pending" } : { type: "mark", object: marked };
}

function withDeletion(
  object: AnyObject,
  deletion: { readonly at: number; readonly grace: number; readonly raises: boolean },
): AnyObject {
  const { generation } = object.metadata;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(deletion.raises && generation !== undefined ? { generation: generation + 1 } : {}),
      deletionTimestamp: timestampOf(deletion.at),
      deletionGracePeriodSeconds: deletion.grace,
    },
  };
}

function withFinalizers(metadata: ObjectMeta, finalizers: readonly string[]): ObjectMeta {
  const { finalizers: _, ...rest } = metadata;
  return finalizers.length > 0 ? { ...rest, finalizers } : rest;
}

/** The object's finalizers with those of the garbage collector as the delete's propagation wants them. */
function finalizersAfter(
  served: Pick<ServedResource, "definition">,
  old: AnyObject,
  options: DeleteOptions,
): readonly string[] {
  const present = old.metadata.finalizers ?? [];
  if (served.definition.hasNoDependents) return withoutPolicies(present);
  const policy = options.propagationPolicy;
  const orphan =
    policy === undefined
      ? present.includes(orphanFinalizer) ||
        (served.definition.orphansByDefault === true && !present.includes(foregroundFinalizer))
      : policy === "Orphan";
  const foreground = policy === undefined ? present.includes(foregroundFinalizer) : policy === "Foreground";
  const kept = withoutPolicies(present);
  if (orphan) kept.push(orphanFinalizer);
  if (foreground) kept.push(foregroundFinalizer);
  return kept;
}

const withoutPolicies = (finalizers: readonly string[]) =>
  finalizers.filter((name) => name !== orphanFinalizer && name !== foregroundFinalizer);

async function perform(
  core: Core,
  served: ServedResource,
  write: {
    entry: Entry;
    old: AnyObject;
    plan: Exclude<DeletionPlan, { readonly type: "pending" }>;
    dryRun: boolean;
  },
): Promise<Deleted> {
  const { entry, old, plan, dryRun } = write;
  const gone = plan.type === "remove";
  if (dryRun) return { object: plan.object, gone };
  const { key } = entry;
  if (!gone) {
    const { remote } = served;
    if (remote) await remote.untilStorable(plan.object);
    const stored = served.toStored(plan.object);
    const value = encodeObject(stored);
    const revision = await commit(core, served, { type: "update", key, value, ifModified: entry.revision });
    const current = await settled(core, { served, key, value, revision, stored });
    if (remote) await remote.untilShown([current.object]);
    return { object: served.fromStored(current.object), gone };
  }
  const reservation = await reserve(core, served, { object: undefined, old, dryRun });
  let written = false;
  try {
    const revision = await commit(core, served, { type: "delete", key, ifModified: entry.revision });
    written = true;
    const behind = core.caches.reached(revision);
    if (behind) await behind;
  } finally {
    if (reservation) await reservation.settle(written);
  }
  return { object: plan.object, gone };
}
