import { timestampOf } from "../timestamp.ts";
import type { ManagedFieldsEntry } from "../generated/meta-v1.ts";
import type { JsonObject } from "../json.ts";
import type { StructType } from "../schema/types.ts";
import { compareObjects, type Comparison } from "./compare.ts";
import { isEmptySet, recursiveDifference, type FieldSet } from "./field-set.ts";
import { isJsonObject } from "./layout.ts";
import {
  capUpdates,
  decodeManagers,
  disown,
  encodeManagers,
  entriesOf,
  ManagedFieldsError,
  own,
  type Managers,
} from "./managers.ts";

export interface ManagedFieldsUpdate {
  /** The object as stored; absent for a create. */
  readonly old?: JsonObject | undefined;
  /** The object to be stored, after defaulting and admission. */
  readonly object: JsonObject;
  /** Absent when nothing is known of the kind. */
  readonly type: StructType | undefined;
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Fields that a write of this kind does not change, e.g. `statusFields` for the main resource. */
  readonly resetFields?: FieldSet | undefined;
}

const none: Managers = new Map();
const unknownManager = "unknown";

/**
 * The managed fields of an object after a create, update or patch: the manager owns what changed, and nobody else
 * does. Undefined when the object is not tracked.
 */
export function updateManagedFields(update: ManagedFieldsUpdate): readonly ManagedFieldsEntry[] | undefined {
  const managers = currentManagers(update);
  if (managers.size === 0 && uidOf(update.old) !== "") return undefined;
  const comparison = withoutReset(compareObjects(update.old, update.object, update.type), update.resetFields);
  const result = disown(managers, comparison);
  if (!isEmptySet(comparison.changed)) {
    own(result, {
      manager: update.manager === "" ? unknownManager : update.manager,
      operation: "Update",
      apiVersion: update.apiVersion,
      subresource: update.subresource ?? "",
      time: timestampOf(update.now),
      set: comparison.changed,
    });
    capUpdates(result);
  }
  return encodeManagers(result);
}

/** A comparison without the fields that the write resets. */
export function withoutReset(comparison: Comparison, resetFields: FieldSet | undefined): Comparison {
  if (resetFields === undefined) return comparison;
  return {
    changed: recursiveDifference(comparison.changed, resetFields),
    removed: recursiveDifference(comparison.removed, resetFields),
  };
}

/** Clients may write managed fields, but of the main resource only; what they cannot mean is ignored. */
function currentManagers(update: ManagedFieldsUpdate): Managers {
  const [oldEntries, entries] = [entriesOf(update.old), entriesOf(update.object)];
  if ((update.subresource ?? "") !== "" || entries === undefined || entries === oldEntries) {
    return stored(oldEntries);
  }
  if (isReset(entries)) return none;
  const trusted = update.old !== undefined && JSON.stringify(entries) === JSON.stringify(oldEntries);
  if (trusted) return stored(oldEntries);
  try {
    return decodeManagers(entries, { trusted: false });
  } catch (error) {
    if (!(error instanceof ManagedFieldsError)) throw error;
    return stored(oldEntries);
  }
}

function stored(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  if (entries === undefined) return none;
  try {
    return decodeManagers(entries, { trusted: true });
  } catch (error) {
    if (!(error instanceof ManagedFieldsError)) throw error;
    return none;
  }
}

/** An empty list, or a list of one empty entry, asks to forget all managers. */
const isReset = (entries: readonly ManagedFieldsEntry[]) =>
  entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0);

/** The object's unique identity; empty before it is created. */
export function uidOf(object: JsonObject | undefined): string {
  const metadata = object?.["metadata"];
  const uid = isJsonObject(metadata) ? metadata["uid"] : undefined;
  return typeof uid === "string" ? uid : "";
}
