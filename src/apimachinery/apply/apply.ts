import { timestampOf } from "../timestamp.ts";
import { ApiError } from "../api-error.ts";
import type { ManagedFieldsEntry } from "../generated/meta-v1.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { jsonEquals } from "../patch/index.ts";
import { compareObjects, strippedFields } from "./compare.ts";
import { conflictError, type Conflict } from "./conflict.ts";
import {
  difference,
  intersection,
  isEmptySet,
  leaf,
  recursiveDifference,
  setsEqual,
  type FieldSet,
} from "./field-set.ts";
import { fieldsOf } from "./fields-of.ts";
import { lastAppliedOf, withLastApplied } from "./last-applied.ts";
import { isJsonObject } from "./layout.ts";
import {
  capUpdates,
  decodeManagers,
  disown,
  encodeManagers,
  entriesOf,
  identityOf,
  ManagedFieldsError,
  own,
  sameManagers,
  type Manager,
  type Managers,
} from "./managers.ts";
import { mergeApplied } from "./merge.ts";
import { prune } from "./prune.ts";
import { Comparisons, type VersionedWrite } from "./versions.ts";
import { appliedProblems, problemsText } from "./validate.ts";

export interface ApplyRequest extends VersionedWrite {
  /** The object as stored; absent when apply creates it. */
  readonly live?: JsonObject | undefined;
  /** The configuration as sent. */
  readonly applied: JsonObject;
  readonly manager: string;
  /** Whether to take fields from other managers. */
  readonly force?: boolean | undefined;
  readonly kind: string;
  readonly subresource?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Applied {
  /** The merged object, before defaulting; the live one itself when nothing changes. Its managed fields are the result's. */
  readonly object: JsonObject;
  readonly managedFields: readonly ManagedFieldsEntry[] | undefined;
}

/** The manager whose client-side applies are taken over. */
const kubectl = "kubectl";
const beforeFirstApply = "before-first-apply";

/**
 * Server-side apply: merges a configuration into the live object, removes what the manager applied before and
 * nobody owns now, and settles who owns what. Throws a Conflict when others own what it would change.
 */
export function applyPatch(request: ApplyRequest): Applied {
  checkRequest(request);
  const live = withoutManagedFields(request.live ?? {});
  const known = liveManagers(request);
  const managers = known.size === 0 ? firstManagers(request, live) : known;
  const claimed = fieldsOf(request.applied, request.type);
  const applier: Manager = {
    manager: request.manager,
    operation: "Apply",
    apiVersion: request.apiVersion,
    subresource: request.subresource ?? "",
    time: timestampOf(request.now),
    set: ownedOf(claimed, request),
  };
  const identity = identityOf(applier);
  const everything = mergeApplied(live, request.applied, request.type);
  const repeated = everything === live && repeats({ request, live, known, applier });
  if (request.live !== undefined && repeated) {
    return { object: request.live, managedFields: entriesOf(request.live) };
  }
  const last = managers.get(identity);
  const next = new Map(managers).set(identity, applier);
  const merged = prune(everything, { last, applied: claimed, managers: next, write: request });
  const result = settleOwners({ request, live, merged, managers: next, applier: identity });
  return settled({ request, live, merged, known, result });
}

/** Who owns what then. Throws a Conflict when others own what would change. */
function settleOwners(state: {
  readonly request: ApplyRequest;
  readonly live: JsonObject;
  readonly merged: JsonObject;
  readonly managers: Managers;
  readonly applier: string;
}): Managers {
  const { request, live, merged, managers, applier } = state;
  const comparisons = new Comparisons(request, live, merged);
  const conflicts = conflictsOf(managers, { comparisons, except: applier });
  if (conflicts.length > 0 && request.force !== true) refuseUnlessTakenOver(conflicts, request, live);
  const result = disown(managers, comparisons, applier);
  capUpdates(result);
  return result;
}

/** Whether the manager applies what it applied last: the usual case, told at little cost. */
function repeats(state: {
  readonly request: ApplyRequest;
  readonly live: JsonObject;
  readonly known: Managers;
  readonly applier: Manager;
}): boolean {
  const { request, live, known, applier } = state;
  const last = known.get(identityOf(applier));
  if (last === undefined || last.apiVersion !== applier.apiVersion || isEmptySet(last.set)) return false;
  if (!setsEqual(last.set, applier.set)) return false;
  for (const { set } of known.values()) if (isEmptySet(set)) return false;
  return request.manager !== kubectl || withLastApplied(live, request.applied) === live;
}

/** The result; an apply that changes nothing leaves the object and the times as they were. */
function settled(outcome: {
  readonly request: ApplyRequest;
  readonly live: JsonObject;
  readonly merged: JsonObject;
  readonly known: Managers;
  readonly result: Managers;
}): Applied {
  const { request, live, merged, known, result } = outcome;
  const annotated = request.manager === kubectl ? withLastApplied(merged, request.applied) : merged;
  if (request.live !== undefined && jsonEquals(live, annotated) && sameManagers(known, result)) {
    return { object: request.live, managedFields: entriesOf(request.live) };
  }
  const managedFields = encodeManagers(result);
  const metadata = isJsonObject(annotated["metadata"]) ? annotated["metadata"] : {};
  const object: JsonObject = {
    ...annotated,
    metadata: managedFields === undefined ? metadata : { ...metadata, managedFields: asJson(managedFields) },
  };
  return { object, managedFields };
}

const asJson = (entries: readonly ManagedFieldsEntry[]) => entries as unknown as readonly JsonObject[];

const textOf = (value: JsonValue | undefined) => (typeof value === "string" ? value : "");

function checkRequest({ applied, apiVersion, kind, type }: ApplyRequest): void {
  const [version, name] = [textOf(applied["apiVersion"]), textOf(applied["kind"])];
  if (version !== apiVersion || name !== kind) {
    throw ApiError.badRequest(`invalid object type: ${kindText(version, name)}`);
  }
  const metadata = isJsonObject(applied["metadata"]) ? applied["metadata"] : {};
  if ((metadata["managedFields"] ?? undefined) !== undefined) {
    throw ApiError.badRequest("metadata.managedFields must be nil");
  }
  const problems = type === undefined ? [] : appliedProblems(applied, type);
  if (problems.length === 0) return;
  throw failed(`failed to create typed patch object (${objectText(applied)}): ${problemsText(problems)}`);
}

/** A group, version and kind as Go prints them. */
const kindText = (apiVersion: string, kind: string) =>
  `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

/** An object as upstream's failures name it. */
export function objectText(object: JsonObject): string {
  const metadata = isJsonObject(object["metadata"]) ? object["metadata"] : {};
  const name = `${textOf(metadata["namespace"])}/${textOf(metadata["name"])}`;
  return `${name}; ${kindText(textOf(object["apiVersion"]), textOf(object["kind"]))}`;
}

/** A failure that upstream reports without a reason. */
const failed = (message: string) => new ApiError({ message, code: 500 });

function withoutManagedFields(object: JsonObject): JsonObject {
  const metadata = object["metadata"];
  if (!isJsonObject(metadata) || metadata["managedFields"] === undefined) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}

function liveManagers(request: ApplyRequest): Managers {
  try {
    return decodeManagers(entriesOf(request.live) ?? [], { trusted: true });
  } catch (error) {
    if (!(error instanceof ManagedFieldsError)) throw error;
    throw failed(`failed to decode managed fields: ${error.message}`);
  }
}

/** What an object that was not tracked holds belongs to a manager of its own. */
function firstManagers(request: ApplyRequest, live: JsonObject): Managers {
  const managers = new Map<string, Manager>();
  const changed = new Comparisons(request, undefined, live).of(request.apiVersion)?.changed ?? leaf;
  if (isEmptySet(changed)) return managers;
  own(managers, {
    manager: beforeFirstApply,
    operation: "Update",
    apiVersion: request.apiVersion,
    subresource: request.subresource ?? "",
    time: timestampOf(request.now),
    set: changed,
  });
  return managers;
}

/** What of the applied fields the manager owns. */
function ownedOf(claimed: FieldSet, { resetFields }: ApplyRequest): FieldSet {
  const set = difference(claimed, strippedFields);
  return resetFields === undefined ? set : recursiveDifference(set, resetFields);
}

function conflictsOf(
  managers: Managers,
  options: { readonly comparisons: Comparisons; readonly except: string },
): readonly Conflict[] {
  const conflicts: Conflict[] = [];
  for (const [identity, manager] of managers) {
    if (identity === options.except) continue;
    const changed = options.comparisons.of(manager.apiVersion)?.changed ?? leaf;
    const set = intersection(manager.set, changed);
    if (!isEmptySet(set)) conflicts.push({ identity, manager, set });
  }
  return conflicts;
}

/** Fields that client-side apply set and nobody has changed since go to kubectl's server-side apply. */
function refuseUnlessTakenOver(
  conflicts: readonly Conflict[],
  request: ApplyRequest,
  live: JsonObject,
): void {
  const lastApplied = request.manager === kubectl ? lastAppliedOf(live, request.apiVersion) : undefined;
  if (lastApplied === undefined) throw conflictError(conflicts);
  const { changed, removed } = compareObjects(lastApplied, live, request.type);
  const allowed = difference(difference(fieldsOf(lastApplied, request.type), changed), removed);
  const left = conflicts
    .map((conflict) => ({ ...conflict, set: difference(conflict.set, allowed) }))
    .filter((conflict) => !isEmptySet(conflict.set));
  if (left.length > 0) throw conflictError(left);
}
