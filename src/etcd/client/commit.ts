import { revisionOf, StoreError } from "../../store/index.ts";
import type { Change, Revision, Versioned, Write } from "../../store/index.ts";
import { enumerations } from "../messages.ts";
import type { EtcdInput } from "../messages.ts";

/** A write as a transaction: done when the key is as the writer saw it, else it reads what the key holds. */
export function transactionOf(write: Write, key: string): EtcdInput<"TxnRequest"> {
  const { compareTarget, compareResult } = enumerations;
  const modRevision = write.type === "create" ? 0 : write.ifModified;
  const change =
    write.type === "delete"
      ? { requestDeleteRange: { key } }
      : { requestPut: { key, value: write.value, lease: write.lease ?? "0" } };
  return {
    compare: [{ key, target: compareTarget.mod, result: compareResult.equal, modRevision }],
    success: [change],
    failure: [{ requestRange: { key } }],
  };
}

/** The refusal of a write whose key is not as the writer saw it. */
export function conflictOf(write: Write, current: Versioned | undefined): StoreError {
  const { key } = write;
  const state = !current
    ? "does not exist"
    : write.type === "create"
      ? "exists"
      : `is at revision ${current.modRevision}, not ${write.ifModified}`;
  return new StoreError("conflict", `the key ${key} ${state}`, current);
}

/**
 * What became of a write of which no answer came. That a key holds the value that was written tells whose write it
 * was only if nobody else writes the same.
 */
export type Fate =
  | { readonly type: "happened"; readonly revision: Revision }
  | { readonly type: "conflict" }
  | { readonly type: "unknown" };

/**
 * What became of an update or a delete, from the first change that its key saw after the state it builds on. What
 * another did first keeps ours from happening for ever. Whose deletion it was cannot be told.
 */
export function fateOfChange(write: Exclude<Write, { type: "create" }>, first: Change | undefined): Fate {
  if (!first) return { type: "unknown" };
  if (write.type === "delete") return { type: first.type === "delete" ? "unknown" : "conflict" };
  if (first.type === "delete" || !wrote(write, first.current)) return { type: "conflict" };
  return { type: "happened", revision: revisionOf(first) };
}

/** What became of a creation, from the first state of the key that there is now. While that is another's, ours may still be under way. */
export function fateOfCreate(
  write: Extract<Write, { type: "create" }>,
  { born, before }: { readonly born: Versioned | undefined; readonly before: Revision },
): Fate {
  if (!born || born.createRevision <= before || !wrote(write, born)) return { type: "unknown" };
  return { type: "happened", revision: born.createRevision };
}

function wrote({ value, lease }: { value: Uint8Array; lease?: string }, state: Versioned): boolean {
  return state.lease === lease && Buffer.compare(state.value, value) === 0;
}
