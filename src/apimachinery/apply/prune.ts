import type { JsonObject } from "../json.ts";
import { difference, intersection, isEmptySet, leaf, union, type FieldSet } from "./field-set.ts";
import { fieldsOf, withNamedFields } from "./fields-of.ts";
import type { Manager, Managers } from "./managers.ts";
import { removeFields } from "./merge.ts";
import { asOf, type Versioned, type VersionedWrite } from "./versions.ts";

/** Removes what the manager applied last time, but not what anyone (it too) owns now. */
export function prune(
  merged: JsonObject,
  options: {
    readonly last: Manager | undefined;
    /** All that is applied now, fields that nobody owns included: they stay too. */
    readonly applied: FieldSet;
    /** All managers, the applier with what it applies now. */
    readonly managers: Managers;
    readonly write: VersionedWrite;
  },
): JsonObject {
  const { last, applied, managers, write } = options;
  if (last === undefined || isEmptySet(last.set)) return merged;
  const given = last.apiVersion === write.apiVersion && isEmptySet(difference(last.set, applied));
  if (given) return merged;
  const then = asOf(write, merged, last.apiVersion);
  if (then === undefined) return merged;
  const { type } = then;
  const lastSet = withNamedFields(last.set, type);
  const kept = withOwned(then, removeFields(then.object, lastSet, type), {
    owned: ownedByVersion(managers, { applied, apiVersion: write.apiVersion }),
    version: last.apiVersion,
    write: asOfVersion(write, last.apiVersion, type),
  });
  const gone = intersection(difference(namedFields(then), namedFields({ object: kept, type })), lastSet);
  const pruned = removeFields(then.object, gone, type);
  if (last.apiVersion === write.apiVersion) return pruned;
  return asOf(asOfVersion(write, last.apiVersion, type), pruned, write.apiVersion)?.object ?? merged;
}

const namedFields = ({ object, type }: Versioned) => withNamedFields(fieldsOf(object, type), type);

const asOfVersion = (
  write: VersionedWrite,
  apiVersion: string,
  type: VersionedWrite["type"],
): VersionedWrite => ({ ...write, apiVersion, type });

function ownedByVersion(
  managers: Managers,
  now: { readonly applied: FieldSet; readonly apiVersion: string },
): ReadonlyMap<string, FieldSet> {
  const owned = new Map<string, FieldSet>([[now.apiVersion, now.applied]]);
  for (const { apiVersion, set } of managers.values()) {
    owned.set(apiVersion, union(owned.get(apiVersion) ?? leaf, set));
  }
  return owned;
}

/** The stripped object with what managers own of it put back, version by version; as of the version that was stripped. */
function withOwned(
  merged: Versioned,
  stripped: JsonObject,
  options: {
    readonly owned: ReadonlyMap<string, FieldSet>;
    readonly version: string;
    readonly write: VersionedWrite;
  },
): JsonObject {
  const { owned, version, write } = options;
  const others = [...owned.keys()].filter((other) => other !== version);
  let kept = stripped;
  // What conversion needs is put back before anything is converted.
  for (const apiVersion of [version, ...others]) {
    const set = owned.get(apiVersion);
    const before = asOf(write, merged.object, apiVersion);
    const after = asOf(write, kept, apiVersion);
    if (set === undefined || before === undefined || after === undefined) continue;
    const ownedNow = withNamedFields(set, before.type);
    const unowned = difference(namedFields(before), union(namedFields(after), ownedNow));
    const restored = removeFields(before.object, unowned, before.type);
    const back = asOf(asOfVersion(write, apiVersion, before.type), restored, version);
    if (back !== undefined) kept = back.object;
  }
  return kept;
}
