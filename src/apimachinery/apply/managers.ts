import type { ManagedFieldsEntry } from "../generated/meta-v1.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { difference, isEmptySet, parseFieldSet, setsEqual, union, type FieldSet } from "./field-set.ts";
import type { Comparisons } from "./versions.ts";
import { isJsonObject } from "./layout.ts";

/** Who owns which fields: one entry of `metadata.managedFields`. */
export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; empty when unknown. */
  readonly time: string;
  readonly set: FieldSet;
  /** The entry that it was read from, given back when nothing changes. */
  readonly entry?: ManagedFieldsEntry;
}

/** Managers by identity. */
export type Managers = ReadonlyMap<string, Manager>;

/** Entries of updates that an object may have; more are merged, the oldest first. */
const maximumUpdateManagers = 10;
const oldUpdatesManager = "ancient-changes";

/** Appliers have one entry whatever version they apply; updaters one for each version. */
export function identityOf(manager: Omit<Manager, "set" | "time" | "entry">): string {
  const version = manager.operation === "Apply" ? "" : manager.apiVersion;
  return `${manager.manager}\n${manager.operation}\n${version}\n${manager.subresource}`;
}

/** Entries that are malformed; their message is upstream's. */
export class ManagedFieldsError extends Error {
  override readonly name = "ManagedFieldsError";
}

/** Reads `metadata.managedFields`; `trusted` entries were written by this server. */
export function decodeManagers(
  entries: readonly ManagedFieldsEntry[],
  options: { readonly trusted: boolean },
): Managers {
  const managers = new Map<string, Manager>();
  for (const [index, entry] of entries.entries()) {
    const { operation, apiVersion = "", fieldsType = "", subresource = "", time = "" } = entry;
    if (operation !== "Apply" && operation !== "Update") {
      throw new ManagedFieldsError("operation must be `Apply` or `Update`");
    }
    if (apiVersion === "") throw new ManagedFieldsError("apiVersion must not be empty");
    if (fieldsType === "") {
      throw new ManagedFieldsError(`missing fieldsType in managed fields entry ${index}`);
    }
    if (fieldsType !== "FieldsV1") {
      throw new ManagedFieldsError(
        `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}`,
      );
    }
    const fields = entry.fieldsV1 ?? {};
    const set = options.trusted ? fields : checkedSet(fields);
    const manager: Manager = {
      manager: entry.manager ?? "",
      operation,
      apiVersion,
      subresource,
      time: time ?? "",
      set,
      ...(options.trusted ? { entry } : {}),
    };
    managers.set(identityOf(manager), manager);
  }
  return managers;
}

function checkedSet(fields: JsonObject): FieldSet {
  try {
    return parseFieldSet(fields);
  } catch (error) {
    throw new ManagedFieldsError(`error decoding set: ${error instanceof Error ? error.message : ""}`);
  }
}

/** The managers in the form and order of `metadata.managedFields`. */
export function encodeManagers(managers: Managers): readonly ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  const sorted = [...managers.values()];
  if (sorted.length > 1) sorted.sort(compareManagers);
  return sorted.map(entryOf);
}

function entryOf(manager: Manager): ManagedFieldsEntry {
  if (manager.entry !== undefined) return manager.entry;
  const { operation, apiVersion, time, subresource, set } = manager;
  const entry: { -readonly [Key in keyof ManagedFieldsEntry]: ManagedFieldsEntry[Key] } = {};
  if (manager.manager !== "") entry.manager = manager.manager;
  entry.operation = operation;
  entry.apiVersion = apiVersion;
  if (time !== "") entry.time = time;
  entry.fieldsType = "FieldsV1";
  entry.fieldsV1 = set;
  if (subresource !== "") entry.subresource = subresource;
  return entry;
}

const compareText = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);

function compareTimes(one: string, other: string): number {
  if (one === other) return 0;
  const seconds = (time: string) => (time === "" ? 0 : Math.floor(Date.parse(time) / 1000));
  return seconds(one) - seconds(other);
}

function compareManagers(one: Manager, other: Manager): number {
  return (
    compareText(one.operation, other.operation) ||
    compareTimes(one.time, other.time) ||
    compareText(one.manager, other.manager) ||
    compareText(one.apiVersion, other.apiVersion) ||
    compareText(one.subresource, other.subresource)
  );
}

/** A manager with another set; without the entry that it was read from. */
export function withSet(manager: Manager, set: FieldSet): Manager {
  if (set === manager.set) return manager;
  const { entry: _, ...rest } = manager;
  return { ...rest, set };
}

/**
 * Takes from every manager but one what changed and what was removed; those left with nothing go, and those of
 * versions that are not served any more.
 */
export function disown(managers: Managers, comparisons: Comparisons, except?: string): Map<string, Manager> {
  const result = new Map<string, Manager>();
  for (const [identity, manager] of managers) {
    if (identity === except) {
      if (!isEmptySet(manager.set)) result.set(identity, manager);
      continue;
    }
    const comparison = comparisons.of(manager.apiVersion);
    if (comparison === undefined) continue;
    const set = difference(difference(manager.set, comparison.changed), comparison.removed);
    if (!isEmptySet(set)) result.set(identity, withSet(manager, set));
  }
  return result;
}

/** Gives the manager the set, besides what it has. */
export function own(managers: Map<string, Manager>, manager: Manager): void {
  const identity = identityOf(manager);
  const previous = managers.get(identity);
  const set = previous === undefined ? manager.set : union(manager.set, previous.set);
  managers.set(identity, { ...manager, set });
}

/** Merges the oldest updates while there are too many. */
export function capUpdates(managers: Map<string, Manager>): void {
  const updates = [...managers].filter(([, manager]) => manager.operation === "Update");
  let excess = updates.length - maximumUpdateManagers;
  if (excess <= 0) return;
  updates.sort(
    ([identity, one], [otherIdentity, other]) =>
      compareTimes(one.time, other.time) || compareText(identity, otherIdentity),
  );
  const firstOfVersion = new Map<string, string>();
  for (const [identity, manager] of updates) {
    if (excess <= 0) return;
    const { apiVersion, time } = manager;
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) {
      firstOfVersion.set(apiVersion, identity);
      continue;
    }
    const bucket = { manager: oldUpdatesManager, operation: "Update", apiVersion, subresource: "" } as const;
    const bucketIdentity = identityOf(bucket);
    const other = identity !== bucketIdentity && managers.has(bucketIdentity) ? bucketIdentity : first;
    const collected = managers.get(other);
    managers.delete(other);
    managers.delete(identity);
    const set = collected === undefined ? manager.set : union(manager.set, collected.set);
    managers.set(bucketIdentity, { ...bucket, time, set });
    excess--;
  }
}

/** Whether both hold the same managers with the same sets, whatever their times. */
export function sameManagers(one: Managers, other: Managers): boolean {
  if (one.size !== other.size) return false;
  for (const [identity, manager] of one) {
    const counterpart = other.get(identity);
    if (counterpart === undefined || counterpart.apiVersion !== manager.apiVersion) return false;
    if (!setsEqual(manager.set, counterpart.set)) return false;
  }
  return true;
}

/** The entries in an object's metadata, if it has any. */
export function entriesOf(object: JsonObject | undefined): readonly ManagedFieldsEntry[] | undefined {
  const metadata: JsonValue | undefined = object?.["metadata"];
  const entries = isJsonObject(metadata) ? metadata["managedFields"] : undefined;
  return Array.isArray(entries) ? (entries as readonly ManagedFieldsEntry[]) : undefined;
}
