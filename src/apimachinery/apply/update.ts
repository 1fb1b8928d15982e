import { timestampOf } from "../timestamp.ts";
import type { ManagedFieldsEntry } from "../generated/meta-v1.ts";
import type { JsonObject } from "../json.ts";
import { jsonEquals } from "../patch/index.ts";
import { isEmptySet, leaf } from "./field-set.ts";
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
import { Comparisons, type VersionedWrite } from "./versions.ts";

export interface ManagedFieldsUpdate extends VersionedWrite {
  /** The object as stored; absent for a create. */
  readonly old?: JsonObject | undefined;
  /** The object to be stored, after defaulting and admission. */
  readonly object: JsonObject;
  readonly manager: string;
  readonly subresource?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
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
  const comparisons = new Comparisons(update, update.old, update.object);
  const result = disown(managers, comparisons);
  const changed = comparisons.of(update.apiVersion)?.changed ?? leaf;
  if (!isEmptySet(changed)) {
    own(result, {
      manager: update.manager === "" ? unknownManager : update.manager,
      operation: "Update",
      apiVersion: update.apiVersion,
      subresource: update.subresource ?? "",
      time: timestampOf(update.now),
      set: changed,
    });
    capUpdates(result);
  }
  return encodeManagers(result);
}

/** Clients may write managed fields, but of the main resource only; what they cannot mean is ignored. */
function currentManagers(update: ManagedFieldsUpdate): Managers {
  const [oldEntries, entries] = [entriesOf(update.old), entriesOf(update.object)];
  if ((update.subresource ?? "") !== "" || entries === undefined || entries === oldEntries) {
    return stored(oldEntries);
  }
  if (isReset(entries)) return none;
  if (oldEntries !== undefined && sameEntries(entries, oldEntries)) return stored(oldEntries);
  try {
    return decodeManagers(entries, { trusted: false });
  } catch (error) {
    if (!(error instanceof ManagedFieldsError)) throw error;
    return stored(oldEntries);
  }
}

/** Whether a client sent back what it had read. */
function sameEntries(entries: readonly ManagedFieldsEntry[], old: readonly ManagedFieldsEntry[]): boolean {
  return jsonEquals(entries as unknown as readonly JsonObject[], old as unknown as readonly JsonObject[]);
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
