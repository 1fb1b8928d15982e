import type { KeyRange } from "../../../store/index.ts";
import { enumerations } from "../../messages.ts";
import { endOfKeys, rangeOf } from "../keys.ts";

/** A role's permission on a range of keys. */
export interface Permission {
  readonly permType: number;
  readonly key: string;
  readonly rangeEnd: string;
}

/** Ranges that a call reads and writes. */
export interface Access {
  readonly reads?: readonly KeyRange[];
  readonly writes?: readonly KeyRange[];
}

const { permissionType } = enumerations;

/** Whether the permissions together cover all that is read and written. */
export function covers(permissions: readonly Permission[], { reads = [], writes = [] }: Access): boolean {
  const rangesWith = (type: number) =>
    permissions
      .filter(({ permType }) => permType === type || permType === permissionType.readWrite)
      .map(rangeOf);
  return (
    reads.every((range) => isCovered(range, rangesWith(permissionType.read))) &&
    writes.every((range) => isCovered(range, rangesWith(permissionType.write)))
  );
}

function isCovered(range: KeyRange, by: readonly KeyRange[]): boolean {
  const sorted = by.toSorted((one, other) =>
    one.start < other.start ? -1 : one.start > other.start ? 1 : 0,
  );
  const wanted = range.end ?? endOfKeys;
  let reached = range.start;
  for (const { start, end = endOfKeys } of sorted) {
    if (start > reached) break;
    if (end > reached) reached = end;
  }
  return reached >= wanted && reached > range.start;
}
