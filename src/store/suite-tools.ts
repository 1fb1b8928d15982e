import { describe, it, onTestFinished } from "vitest";
import type { KeyRange, Mvcc } from "./mvcc.ts";
import {
  type Change,
  keyOf,
  type Revision,
  revisionOf,
  type Store,
  StoreError,
  type Write,
} from "./store.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text as a store's value. */
export const bytes = (text: string): Uint8Array => encoder.encode(text);
/** A store's value as text. */
export const text = (value: Uint8Array): string => decoder.decode(value);

/** A change as one readable line. */
export function line(change: Change): string {
  const previous = change.previous ? ` was ${text(change.previous.value)}` : "";
  return change.type === "put"
    ? `${revisionOf(change)} put ${keyOf(change)}=${text(change.current.value)}${previous}`
    : `${revisionOf(change)} delete ${keyOf(change)}${previous}`;
}

/** The type of the StoreError that a call fails with. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof StoreError) return error.type;
    throw error;
  }
  return "accepted";
}

/** A write that creates a key. */
export const create = (key: string, value = "1", lease?: string): Write =>
  lease === undefined
    ? { type: "create", key, value: bytes(value) }
    : { type: "create", key, value: bytes(value), lease };
/** A write that updates a key. */
export const update = (key: string, value: string, ifModified: Revision): Write => ({
  type: "update",
  key,
  value: bytes(value),
  ifModified,
});

/** The keys of a page, and how many remain. */
export async function keys(
  store: Store,
  prefix: string,
  options: Parameters<Store["list"]>[1] = {},
): Promise<{ readonly keys: string; readonly remaining: number }> {
  const page = await store.list(prefix, options);
  return { keys: page.items.map((item) => item.key).join(" "), remaining: page.remaining };
}

type Batches = (options: { after: Revision; signal: AbortSignal }) => AsyncIterable<readonly Change[]>;

/** Reads what a watch tells as lines; whoever asks for none stops it. */
function reading(batchesOf: Batches, after: Revision) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const batches = batchesOf({ after, signal: stop.signal })[Symbol.asyncIterator]();
  const lines: string[] = [];
  const read = async (count: number) => {
    while (lines.length < count) {
      const { done, value } = await batches.next();
      if (done) break;
      lines.push(...value.map(line));
    }
    return lines.splice(0);
  };
  return { read, stop };
}

/** Watches a prefix; `read` answers at least so many changes as lines. */
export function watchFrom(store: Store, prefix: string, after: Revision) {
  return reading((options) => store.watch(prefix, options), after);
}

/** Watches a range. */
export function watchRangeFrom(store: Mvcc, range: KeyRange, after: Revision) {
  return reading((options) => store.watchRange(range, options), after);
}

/** What a store should do, by topic; each case gets an empty one. */
export type Behaviours<Subject> = Readonly<
  Record<string, Readonly<Record<string, (subject: Subject) => Promise<void>>>>
>;

/** Runs the cases, each on what `open` makes. */
export function runBehaviours<Subject extends { readonly store: Store }>(
  name: string,
  behaviours: Behaviours<Subject>,
  open: () => Promise<Subject>,
): void {
  for (const [topic, cases] of Object.entries(behaviours)) {
    describe(`${name}: ${topic}`, () => {
      it.each(Object.entries(cases))("%s", async (_, behaves) => {
        const subject = await open();
        onTestFinished(() => subject.store.close());
        await behaves(subject);
      });
    });
  }
}
