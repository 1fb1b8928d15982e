import { randomSuffix } from "../../base/index.ts";
import { ApiError, zeroOfStruct, timestampOf } from "../../apimachinery/index.ts";
import type { ObjectMeta } from "../../apimachinery/index.ts";
import type { RequestContext } from "../../api/index.ts";
import { StoreError } from "../../store/index.ts";
import { admit, validateAdmission } from "./admit.ts";
import type { AdmissionSubject } from "./admit.ts";
import { tracksGeneration, validateNew } from "./coding.ts";
import { groupResource, fromStoreError, reserve } from "./context.ts";
import type { Core, RequestOptions, Written } from "./context.ts";
import { encodeObject, Entry } from "./entry.ts";
import type { AnyObject } from "./entry.ts";
import { manageWrite } from "./field-manager.ts";
import type { ServedResource } from "./served.ts";
import { withSharedSpec } from "./shared-spec.ts";
import { storageKey } from "./storage-path.ts";
import { untilCurrent } from "./versions.ts";
import { commit } from "./storage-use.ts";

/** How often a generated name is drawn again when it is taken. */
const generatedNameAttempts = 8;
const generatedNameBase = 58;

export interface CreateRequest {
  readonly namespace?: string | undefined;
  /** Decoded and with its defaults. */
  readonly object: AnyObject;
  /** The object has its managers already: from a server-side apply. */
  readonly managed?: true;
}

/** Creates an object of any resource; a generated name that is taken is drawn again. */
export async function create(
  core: Core,
  served: ServedResource,
  request: CreateRequest & RequestOptions,
): Promise<Written> {
  if (!served.verbs.includes("get")) throw ApiError.methodNotSupported(groupResource(served), "create");
  const located = locate(served, request.object, request.namespace);
  const now = core.clock.now();
  const fresh = await admitted(core, served, { object: located, request, now });
  const { generateName: base, name: own } = fresh.object.metadata;
  if (own && base) {
    // Upstream takes any name beside a base for one that it made itself.
    return createNamed(core, fresh).catch((error: unknown) => {
      throw ApiError.is(error, "AlreadyExists") ? notGenerated(error) : error;
    });
  }
  if (own || !base) return createNamed(core, fresh);
  for (let attempt = 1; ; attempt++) {
    const name = base.slice(0, generatedNameBase) + randomSuffix(core.random);
    try {
      return await createNamed(core, withName(fresh, name));
    } catch (error) {
      if (!ApiError.is(error, "AlreadyExists")) throw error;
      if (attempt >= generatedNameAttempts) throw notGenerated(error);
    }
  }
}

/** An object on its way to be created, as admission leaves it; a name may still have to be made. */
interface Fresh {
  readonly object: AnyObject;
  readonly subject: AdmissionSubject;
  readonly request: CreateRequest & RequestOptions;
  readonly now: number;
}

/** What changes objects sees a new one as the client sent it, before it is given a name. */
async function admitted(
  core: Core,
  served: ServedResource,
  {
    object,
    request,
    now,
  }: {
    readonly object: AnyObject;
    readonly request: CreateRequest & RequestOptions;
    readonly now: number;
  },
): Promise<Fresh> {
  const { name, generateName, namespace } = object.metadata;
  const named = name || generateName ? object : nameless(core, served, object);
  const key = { namespace, name: named.metadata.name ?? "" };
  const subject: AdmissionSubject = { operation: "CREATE", served, subresource: "", key, options: request };
  // What admission adds is nobody's.
  const managing = request.managed
    ? named
    : manageWrite(core, served, { object: named, old: undefined, now, request });
  const managed = managing instanceof Promise ? await managing : managing;
  const result = await admit(core, subject, { object: managed });
  if (result === managed) return { object: result, subject, request, now };
  return { object: locate(served, result, namespace), subject, request, now };
}

function withName(fresh: Fresh, name: string): Fresh {
  const { object, subject } = fresh;
  return {
    ...fresh,
    object: { ...object, metadata: { ...object.metadata, name } },
    subject: { ...subject, key: { ...subject.key, name } },
  };
}

/** An object that came without a name, with the one that kinds give which name themselves. */
function nameless({ random }: Core, { definition }: ServedResource, object: AnyObject): AnyObject {
  if (!definition.namesItself) return object;
  return { ...object, metadata: { ...object.metadata, name: random.uuid() } };
}

async function createNamed(core: Core, { object, subject, request, now }: Fresh): Promise<Written> {
  const { served } = subject;
  const context: RequestContext = { now, operation: "create", user: request.user };
  const prepared = prepare(served, object, { core, context });
  const dryRun = request.dryRun ?? false;
  const reservation = await reserve(core, served, { object: prepared, old: undefined, dryRun });
  const final = withSharedSpec(served, reservation?.object ?? prepared);
  let written = false;
  try {
    const found = validateNew(served, final, context);
    const errors = found.length > 0 ? found : ((await served.definition.verify?.(final)) ?? []);
    if (errors.length > 0) throw ApiError.invalid(served.storage.stored, final.metadata.name ?? "", errors);
    for (const warning of served.definition.warnings?.(final, undefined) ?? []) request.warn?.(warning);
    await validateAdmission(core, subject, { object: final });
    if (!dryRun) requireVersionless(request.object);
    const result = await commitNew(core, served, { object: final, dryRun });
    written = result.entry !== undefined;
    return result;
  } finally {
    if (reservation) await reservation.settle(written);
  }
}

/** What is to be created has no version yet; one that is no number is passed over. */
function requireVersionless({ metadata }: AnyObject): void {
  if (!/^0*[1-9]\d*$/.test(metadata.resourceVersion ?? "")) return;
  throw new ApiError({
    message: "resourceVersion should not be set on objects to be created",
    code: 500,
  });
}

function notGenerated({ status, message }: ApiError): ApiError {
  return new ApiError({
    ...status,
    message: `${message}, the server was not able to generate a unique name for the object`,
    details: { ...status.details, retryAfterSeconds: 1 },
  });
}

/** Why a name cannot be used: the object that has it may be on its way out. */
function taken(served: ServedResource, name: string, present: AnyObject | undefined): ApiError {
  const error = ApiError.alreadyExists(groupResource(served), name);
  if (present?.metadata.deletionTimestamp === undefined) return error;
  return new ApiError({ ...error.status, message: `object is being deleted: ${error.message}` });
}

/** A body in another namespace than the path. */
export function otherNamespace(): ApiError {
  return ApiError.badRequest(
    "the namespace of the provided object does not match the namespace sent on the request",
  );
}

/** The object in the namespace that the request names. */
function locate(served: ServedResource, object: AnyObject, namespace: string | undefined): AnyObject {
  const own = object.metadata.namespace ?? "";
  if (!served.resource.namespaced) {
    if (own === "") return object;
    const { namespace: _, ...metadata } = object.metadata;
    return { ...object, metadata };
  }
  const wanted = namespace ?? own;
  if (own !== "" && own !== wanted) throw otherNamespace();
  if (own === wanted) return object;
  return { ...object, metadata: { ...object.metadata, namespace: wanted } };
}

/** What the server sets on a new object. */
function prepare(
  served: ServedResource,
  object: AnyObject,
  { core, context }: { core: Core; context: RequestContext },
): AnyObject {
  const { definition } = served;
  const {
    name,
    generateName: base,
    namespace,
    labels,
    annotations,
    ownerReferences,
    finalizers,
    managedFields,
  } = object.metadata as Partial<ObjectMeta>;
  const allFinalizers = [...new Set([...(finalizers ?? []), ...(definition.defaultFinalizers ?? [])])];
  const metadata = {
    name: name ?? "",
    ...(base ? { generateName: base } : {}),
    ...(namespace ? { namespace } : {}),
    uid: core.random.uuid(),
    ...(tracksGeneration(served) ? { generation: 1 } : {}),
    creationTimestamp: timestampOf(context.now),
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
    ...(ownerReferences?.length ? { ownerReferences } : {}),
    ...(allFinalizers.length > 0 ? { finalizers: allFinalizers } : {}),
    ...(managedFields?.length ? { managedFields } : {}),
  } as unknown as ObjectMeta;
  const filled: AnyObject = { ...object, metadata };
  const reset = served.hasStatus && !definition.keepsStatusOnCreate ? withoutStatus(served, filled) : filled;
  return (definition.prepareForCreate?.(reset, context) ?? reset) as AnyObject;
}

function withoutStatus(served: ServedResource, object: AnyObject): AnyObject {
  if (object["status"] === undefined) return object;
  const { status: _, ...rest } = object;
  const field = served.type.field("status");
  if (field?.type.kind !== "struct" || field.omitEmpty || field.pointer || served.custom) return rest;
  return { ...rest, status: zeroOfStruct(field.type) };
}

async function commitNew(
  core: Core,
  served: ServedResource,
  write: { readonly object: AnyObject; readonly dryRun: boolean },
): Promise<Written> {
  const { name, namespace } = write.object.metadata;
  const key = storageKey(served.storage.prefix, { name, namespace });
  // What is not seen yet the store refuses; what is seen may be gone.
  const behind = served.storage.cache.get(key) && untilCurrent(core, served);
  if (behind) await behind;
  const present = served.storage.cache.get(key);
  if (present) throw taken(served, name, present.object);
  const { remote } = served;
  if (remote) await remote.untilStorable(write.object);
  const stored = served.toStored(write.object);
  if (write.dryRun) {
    if (remote) await remote.untilShown([stored]);
    return { object: served.fromStored(stored), entry: undefined, created: true };
  }
  const value = encodeObject(stored);
  try {
    const revision = await commit(core, served, { type: "create", key, value });
    const entry = await settled(core, { served, key, value, revision, stored });
    if (remote) await remote.untilShown([entry.object]);
    return { object: served.fromStored(entry.object), entry, created: true };
  } catch (error) {
    if (error instanceof StoreError && error.type === "conflict") throw taken(served, name, undefined);
    throw fromStoreError(error, { served, name });
  }
}

/** The entry of a write that has just been committed. */
export async function settled(
  core: Core,
  write: {
    readonly served: ServedResource;
    readonly key: string;
    readonly value: Uint8Array;
    readonly revision: number;
    readonly stored: AnyObject;
  },
): Promise<Entry> {
  const behind = core.caches.reached(write.revision);
  if (behind) await behind;
  const entry = write.served.storage.cache.get(write.key);
  if (entry?.revision === write.revision) return entry;
  const { key, value, revision, stored } = write;
  return new Entry({ key, value, revision, decoded: stored });
}
