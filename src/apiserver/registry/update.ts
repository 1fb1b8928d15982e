import { ApiError, fieldErrors, FieldPath } from "../../apimachinery/index.ts";
import type { ObjectKey, ObjectMeta } from "../../apimachinery/index.ts";
import type { RequestContext } from "../../api/index.ts";
import { StoreError } from "../../store/index.ts";
import { admit, validateAdmission } from "./admit.ts";
import type { AdmissionSubject } from "./admit.ts";
import { tracksGeneration, validateChange } from "./coding.ts";
import { authorize, fromStoreError, groupResource, lockMessage, reserve } from "./context.ts";
import type { Core, RequestOptions, Reservation, Written } from "./context.ts";
import { create, otherNamespace, settled } from "./create.ts";
import { encodeObject } from "./entry.ts";
import type { AnyObject, Entry } from "./entry.ts";
import { deepEqual } from "./equal.ts";
import { manageWrite } from "./field-manager.ts";
import type { ServedResource } from "./served.ts";
import { withSharedSpec } from "./shared-spec.ts";
import { storageKey } from "./storage-path.ts";
import { subresourceUpdate } from "./subresource-update.ts";
import { untilCurrent } from "./versions.ts";
import { commit } from "./storage-use.ts";

/** How often a change is made anew on a newer version before the client is told of the conflict. */
const updateAttempts = 16;

/** A change to one object: `change` makes the new state of what is there, and may be called again. */
export interface Change {
  readonly key: ObjectKey;
  readonly subresource: string;
  readonly change: (old: AnyObject | undefined) => AnyObject | Promise<AnyObject>;
  /** The client named the version that it replaces: no second try on a newer one. */
  readonly versionGiven: boolean;
  /** The new state is the client's own, whose identity it names. */
  readonly replaces?: true;
  /** The new state already carries its managers (server-side apply). */
  readonly managed?: true;
  /** The server's own change: no admission, no strategy, no validation. */
  readonly direct?: true;
  /** What is not there is created from `change(undefined)`. */
  readonly createsMissing: boolean;
  /** Refuses the state that is there. */
  readonly precondition?: (old: AnyObject) => void;
}

/** Replaces an object, or the part of it that a subresource shows. */
export function update(
  core: Core,
  served: ServedResource,
  request: RequestOptions & {
    readonly key: ObjectKey;
    readonly object: AnyObject;
    readonly subresource?: string;
  },
): Promise<Written> {
  const { object } = request;
  checkNames(served, object, request.key);
  return modify(core, served, request, {
    key: request.key,
    subresource: request.subresource ?? "",
    change: () => object,
    replaces: true,
    versionGiven: Boolean(object.metadata.resourceVersion),
    createsMissing: !request.subresource && served.definition.createsOnUpdate === true,
  });
}

/** Why an object is not the one that the client means, as upstream's storage says it. */
function otherIdentity(
  served: ServedResource,
  key: ObjectKey,
  uids: { readonly wanted: string; readonly found: string },
): string {
  const path = storageKey(served.storage.prefix, key);
  const why = `Precondition failed: UID in precondition: ${uids.wanted}, UID in object meta: ${uids.found}`;
  return `StorageError: invalid object, Code: 4, Key: ${path}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
}

/** A version of something that is gone says nothing, an identity does. */
function requireNoIdentity(served: ServedResource, key: ObjectKey, { metadata }: AnyObject): void {
  if (!metadata.uid) return;
  const why = otherIdentity(served, key, { wanted: metadata.uid, found: "" });
  throw ApiError.conflict(groupResource(served), key.name, why);
}

/** The name and namespace in the body must be those of the path. */
export function checkNames(served: ServedResource, object: AnyObject, key: ObjectKey): void {
  const { name, namespace } = object.metadata as Partial<ObjectMeta>;
  if (namespace && served.resource.namespaced && namespace !== key.namespace) throw otherNamespace();
  if (!name) {
    throw ApiError.badRequest(
      `the name of the object (${key.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (name !== key.name) {
    throw ApiError.badRequest(
      `the name of the object (${name}) does not match the name on the URL (${key.name})`,
    );
  }
}

/** The one path by which an existing object changes. */
export async function modify(
  core: Core,
  served: ServedResource,
  options: RequestOptions,
  change: Change,
): Promise<Written> {
  const path = storageKey(served.storage.prefix, change.key);
  for (let attempt = 1; ; attempt++) {
    const behind = untilCurrent(core, served);
    if (behind) await behind;
    const entry = served.storage.cache.get(path);
    if (!entry) {
      if (change.createsMissing) return createMissing(core, served, options, change);
      if (change.replaces) requireNoIdentity(served, change.key, await change.change(undefined));
      throw ApiError.notFound(groupResource(served), change.key.name);
    }
    const { remote } = served;
    if (remote) await remote.untilShown([entry.object]);
    const old = served.fromStored(entry.object);
    change.precondition?.(old);
    const next = await nextState(core, served, { old, options, change });
    try {
      return await commitChange(core, served, {
        entry,
        old,
        ...next,
        dryRun: options.dryRun ?? false,
      });
    } catch (error) {
      const lost = error instanceof StoreError && error.type === "conflict";
      if (!lost) throw fromStoreError(error, { served, name: change.key.name });
      if (change.versionGiven || attempt >= updateAttempts) {
        throw ApiError.conflict(groupResource(served), change.key.name, lockMessage);
      }
    }
  }
}

async function createMissing(
  core: Core,
  served: ServedResource,
  options: RequestOptions,
  change: Change,
): Promise<Written> {
  const { resource } = served;
  authorize(core, {
    type: "resource",
    user: options.user,
    verb: "create",
    group: resource.group,
    version: resource.version,
    resource: resource.plural,
    subresource: "",
    namespace: change.key.namespace ?? "",
    name: change.key.name,
  });
  const wanted = await change.change(undefined);
  if (change.replaces) requireNoIdentity(served, change.key, wanted);
  const { resourceVersion: _, uid: __, ...metadata } = wanted.metadata;
  return create(core, served, {
    ...options,
    object: { ...wanted, metadata } as AnyObject,
    namespace: change.key.namespace,
    ...(change.managed ? { managed: true } : {}),
  });
}

/** What an object is to become, and what was set aside for that. */
interface NextState {
  readonly object: AnyObject;
  readonly reservation: Reservation | undefined;
}

async function nextState(
  core: Core,
  served: ServedResource,
  { old, options, change }: { old: AnyObject; options: RequestOptions; change: Change },
): Promise<NextState> {
  const now = core.clock.now();
  const subject: AdmissionSubject = {
    operation: "UPDATE",
    served,
    subresource: change.subresource,
    key: change.key,
    options,
  };
  const changed = await change.change(old);
  const wanted = versionOf(changed);
  if (wanted === "" && served.definition.requiresVersion) {
    // Upstream names the resource here, not its kind.
    const { group, plural: kind } = served.storage.stored;
    throw ApiError.invalid({ group, kind }, change.key.name, [
      fieldErrors.invalid(
        FieldPath.root("metadata").child("resourceVersion"),
        0,
        "must be specified for an update",
      ),
    ]);
  }
  if (wanted !== "" && wanted !== old.metadata.resourceVersion) {
    throw ApiError.conflict(groupResource(served), change.key.name, lockMessage);
  }
  const uid = changed.metadata.uid;
  if (change.replaces && uid && uid !== old.metadata.uid) {
    throw ApiError.conflict(
      groupResource(served),
      change.key.name,
      otherIdentity(served, change.key, { wanted: uid, found: old.metadata.uid }),
    );
  }
  const managed = (object: AnyObject) =>
    change.managed
      ? object
      : manageWrite(core, served, {
          object,
          old,
          now,
          request: { subresource: change.subresource, ...options },
        });
  if (change.direct) {
    const managing = managed(changed);
    const object = managing instanceof Promise ? await managing : managing;
    return { object, reservation: undefined };
  }
  const scoped = subresourceUpdate(served, { object: changed, old, subresource: change.subresource });
  // What admission adds is nobody's.
  const managing = managed(withSystemMetadata(scoped, old));
  const complete = managing instanceof Promise ? await managing : managing;
  const context: RequestContext = {
    now,
    operation: "update",
    user: options.user,
    ...(change.subresource === "" ? {} : { subresource: change.subresource }),
  };
  const admitted = await admit(core, subject, { object: complete, old });
  // What admission changes besides, the request cannot either.
  const confined =
    admitted === complete
      ? complete
      : withSystemMetadata(
          subresourceUpdate(served, { object: admitted, old, subresource: change.subresource }),
          old,
        );
  const prepared = prepareChange(served, confined, { old, context });
  return checked(core, subject, { object: prepared, old, context });
}

/** The prepared object with what it is given, once it has passed all checks. */
async function checked(
  core: Core,
  subject: AdmissionSubject,
  { object, old, context }: { object: AnyObject; old: AnyObject; context: RequestContext },
): Promise<NextState> {
  const { served, options, key } = subject;
  const { dryRun = false, warn } = options;
  const reservation =
    context.subresource === undefined ? await reserve(core, served, { object, old, dryRun }) : undefined;
  const reserved = reservation?.object ?? object;
  const final = reserved["spec"] === old["spec"] ? reserved : withSharedSpec(served, reserved);
  try {
    const errors = validateChange(served, { object: final, old, context });
    if (errors.length > 0) throw ApiError.invalid(served.storage.stored, key.name, errors);
    const { warnings, statusWarnings } = served.definition;
    // Whoever reports a status cannot mend what the other warnings are of.
    const heard = context.subresource === "status" ? statusWarnings?.(final) : warnings?.(final, old);
    for (const warning of heard ?? []) warn?.(warning);
    await validateAdmission(core, subject, { object: final, old });
    return { object: final, reservation };
  } catch (error) {
    if (reservation) await reservation.settle(false);
    throw error;
  }
}

/** The version that the client replaces; none where it names none or the one that stands for none. */
function versionOf({ metadata }: AnyObject): string {
  const { resourceVersion = "" } = metadata as Partial<ObjectMeta>;
  if (resourceVersion === "" || /^0+$/.test(resourceVersion)) return "";
  if (/^\d+$/.test(resourceVersion)) return resourceVersion;
  const message = `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`;
  throw new ApiError({ message, code: 500 });
}

/** Metadata that only the server sets, taken over where the client left it out. */
function withSystemMetadata(object: AnyObject, old: AnyObject): AnyObject {
  const before = old.metadata;
  const metadata = withOwnNamespace(withKnownGeneration(object.metadata, before), before);
  return {
    ...object,
    metadata: {
      ...metadata,
      name: metadata.name || before.name,
      ...(before.namespace ? { namespace: metadata.namespace || before.namespace } : {}),
      uid: metadata.uid || before.uid,
      resourceVersion: before.resourceVersion,
      creationTimestamp: before.creationTimestamp,
      ...(before.deletionTimestamp && !metadata.deletionTimestamp
        ? { deletionTimestamp: before.deletionTimestamp }
        : {}),
      ...(before.deletionGracePeriodSeconds !== undefined && metadata.deletionGracePeriodSeconds === undefined
        ? { deletionGracePeriodSeconds: before.deletionGracePeriodSeconds }
        : {}),
    },
  };
}

/** The metadata without the namespace that an object of the cluster may come with. */
function withOwnNamespace(metadata: Partial<ObjectMeta>, before: ObjectMeta): Partial<ObjectMeta> {
  if (before.namespace || !metadata.namespace) return metadata;
  const { namespace: _, ...rest } = metadata;
  return rest;
}

/** The metadata with the generation that only the server counts. */
function withKnownGeneration(metadata: Partial<ObjectMeta>, before: ObjectMeta): Partial<ObjectMeta> {
  if (metadata.generation === before.generation) return metadata;
  const { generation: _, ...rest } = metadata;
  return before.generation === undefined ? rest : { ...rest, generation: before.generation };
}

/** What the server keeps and sets on a changed object. */
function prepareChange(
  served: ServedResource,
  object: AnyObject,
  { old, context }: { old: AnyObject; context: RequestContext },
): AnyObject {
  const { definition } = served;
  if (context.subresource === "status") {
    return (definition.prepareForStatusUpdate?.(object, old, context) ?? object) as AnyObject;
  }
  const kept = served.hasStatus && context.subresource === undefined ? withStatusOf(object, old) : object;
  const prepared = (definition.prepareForUpdate?.(kept, old, context) ?? kept) as AnyObject;
  if (!tracksGeneration(served) || sameIntent(prepared, old)) return prepared;
  const generation = (old.metadata.generation ?? 0) + 1;
  return { ...prepared, metadata: { ...prepared.metadata, generation } };
}

function withStatusOf(object: AnyObject, old: AnyObject): AnyObject {
  if (old["status"] !== undefined) return { ...object, status: old["status"] };
  if (object["status"] === undefined) return object;
  const { status: _, ...rest } = object;
  return rest;
}

/** Whether all but metadata and status is the same: what `generation` counts. */
function sameIntent(object: AnyObject, old: AnyObject): boolean {
  return deepEqual(intentOf(object), intentOf(old));
}

function intentOf(object: AnyObject): Readonly<Record<string, unknown>> {
  return { ...object, metadata: undefined, status: undefined, kind: undefined, apiVersion: undefined };
}

/** Whether the change removes the last finalizer of an object that is being deleted. */
function endsDeletion({ definition }: ServedResource, object: AnyObject, old: AnyObject): boolean {
  if (object.metadata.finalizers?.length || !old.metadata.deletionTimestamp) return false;
  if ((old.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  return !definition.isHeld?.(object);
}

async function commitChange(
  core: Core,
  served: ServedResource,
  write: NextState & { entry: Entry; old: AnyObject; dryRun: boolean },
): Promise<Written> {
  const { entry, old, object, dryRun, reservation } = write;
  const gone = endsDeletion(served, object, old);
  const release = gone ? await reserve(core, served, { object: undefined, old, dryRun }) : undefined;
  let written = false;
  try {
    const { remote } = served;
    if (remote && !gone) await remote.untilStorable(object);
    const stored = remote && gone ? object : served.toStored(object);
    // What a store does not keep is no change, and is not shown by dry runs either.
    const kept = stored === object || remote ? object : served.fromStored(stored);
    // What another converts, and perhaps not without loss, is compared as it is stored.
    const isSame = remote ? deepEqual(stored, entry.object) : deepEqual(kept, old);
    if (!gone && isSame) return { object: old, entry, created: false };
    if (dryRun) {
      if (remote) await remote.untilShown([stored]);
      return { object: remote ? served.fromStored(stored) : kept, entry: undefined, created: false };
    }
    const { key } = entry;
    if (gone) {
      const revision = await commit(core, served, { type: "delete", key, ifModified: entry.revision });
      written = true;
      const behind = core.caches.reached(revision);
      if (behind) await behind;
      return { object, entry: undefined, created: false };
    }
    const value = encodeObject(stored);
    const revision = await commit(core, served, { type: "update", key, value, ifModified: entry.revision });
    written = true;
    const current = await settled(core, { served, key, value, revision, stored });
    if (remote) await remote.untilShown([current.object]);
    return { object: served.fromStored(current.object), entry: current, created: false };
  } finally {
    if (reservation) await reservation.settle(written && !gone);
    if (release) await release.settle(written);
  }
}
