import {
  type Change,
  type Key,
  type LeaseId,
  type Revision,
  StoreError,
  type Versioned,
  type Write,
} from "./store.ts";

/** What a key holds before a change, and the revision that the change is to make. */
interface Situation {
  readonly before: Versioned | undefined;
  readonly revision: Revision;
  /** How many changes make the revision before this one. */
  readonly place?: number;
}

/**
 * The change that a write makes to a key that holds `before`; throws `conflict` when the write's condition fails.
 * It changes nothing, so that a durable store can plan on top of writes that are not on disk yet.
 */
export function planChange(write: Write, situation: Situation): Change {
  const { before, revision } = situation;
  const { key } = write;
  if (write.type === "create") {
    if (before) throw new StoreError("conflict", `the key ${key} exists`, before);
    return planPut(write, situation);
  }
  if (!before) throw new StoreError("conflict", `the key ${key} does not exist`);
  if (before.modRevision !== write.ifModified) {
    const message = `the key ${key} is at revision ${before.modRevision}, not ${write.ifModified}`;
    throw new StoreError("conflict", message, before);
  }
  if (write.type === "delete") return { type: "delete", key, revision, previous: before };
  return planPut(write, situation);
}

/** The change that puts a value whatever the key holds. */
export function planPut(
  content: { readonly key: Key; readonly value: Uint8Array; readonly lease?: LeaseId },
  { before, revision, place = 0 }: Situation,
): Change {
  const { key, value, lease } = content;
  const createRevision = before ? before.createRevision : revision;
  const version = before ? before.version + 1 : 1;
  const alone: Versioned =
    lease === undefined
      ? { key, value, createRevision, modRevision: revision, version }
      : { key, value, createRevision, modRevision: revision, version, lease };
  const current = place === 0 ? alone : { ...alone, place };
  return { type: "put", current, previous: before };
}
