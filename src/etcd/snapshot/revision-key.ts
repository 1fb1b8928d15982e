import type { Revision } from "../../store/index.ts";
import { viewOf } from "../bolt/index.ts";

/** Where etcd's file has a change: `main` is its revision, `sub` its place among those of one revision. */
export interface ChangeId {
  readonly main: Revision;
  readonly sub: number;
  readonly isDeletion: boolean;
}

const keyLength = 17;
const separator = "_".charCodeAt(0);
/** Behind the key of a deletion. */
const deletionMark = "t".charCodeAt(0);

/** The key of a change in the bucket `key`. */
export function encodeChangeId({ main, sub, isDeletion }: ChangeId): Uint8Array {
  const bytes = new Uint8Array(isDeletion ? keyLength + 1 : keyLength);
  const view = viewOf(bytes);
  view.setBigUint64(0, BigInt(main));
  bytes[8] = separator;
  view.setBigUint64(9, BigInt(sub));
  if (isDeletion) bytes[keyLength] = deletionMark;
  return bytes;
}

/** The change that a key of the bucket `key` stands for; undefined when it is none. */
export function decodeChangeId(bytes: Uint8Array): ChangeId | undefined {
  const isDeletion = bytes.length === keyLength + 1 && bytes[keyLength] === deletionMark;
  if ((bytes.length !== keyLength && !isDeletion) || bytes[8] !== separator) return undefined;
  const view = viewOf(bytes);
  return { main: Number(view.getBigUint64(0)), sub: Number(view.getBigUint64(9)), isDeletion };
}
