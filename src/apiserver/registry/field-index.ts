import type { Entry } from "./entry.ts";

/** What objects are found by: a field or a label, named as upstream names indexes, and the value that is looked for. */
export interface Trigger {
  readonly field: string;
  readonly value: string;
  readonly valueOf: (entry: Entry) => string;
}

/** With fewer objects it is as quick to look at each. */
export const smallestIndexed = 500;
/** Fields and labels of one resource that are indexed, those that were asked for first. */
const mostIndexes = 16;
/** A field that has a value of its own for every few objects is no way to find many, and would take much memory. */
const objectsPerValue = 4;

/** Entries by the value that one field has. */
class FieldIndex {
  private readonly byValue = new Map<string, Map<string, Entry>>();
  private readonly valueOf: Trigger["valueOf"];

  constructor(valueOf: Trigger["valueOf"]) {
    this.valueOf = valueOf;
  }

  get valueCount(): number {
    return this.byValue.size;
  }

  add(entry: Entry): void {
    const value = this.valueOf(entry);
    const same = this.byValue.get(value);
    if (same) same.set(entry.key, entry);
    else this.byValue.set(value, new Map([[entry.key, entry]]));
  }

  remove(entry: Entry): void {
    const value = this.valueOf(entry);
    const same = this.byValue.get(value);
    same?.delete(entry.key);
    if (same?.size === 0) this.byValue.delete(value);
  }

  /** In the order of their keys. */
  entriesOf(value: string): readonly Entry[] {
    const found = [...(this.byValue.get(value)?.values() ?? [])];
    return found.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  }
}

/** The indexes of one resource: each is made when it is first asked for, and kept up from then on. */
export class FieldIndexes {
  /** Undefined: the field is none to index. */
  private readonly byField = new Map<string, FieldIndex | undefined>();

  /** Takes the new state of an object in the place of the one before. */
  replace(previous: Entry | undefined, current: Entry | undefined): void {
    for (const index of this.byField.values()) {
      if (previous) index?.remove(previous);
      if (current) index?.add(current);
    }
  }

  /** The entries that have the value; undefined when they are to be searched for among all. */
  find(
    trigger: Trigger,
    all: { readonly size: number; entries(): Iterable<Entry> },
  ): readonly Entry[] | undefined {
    const { field, value } = trigger;
    if (!this.byField.has(field)) {
      if (all.size < smallestIndexed || this.byField.size >= mostIndexes) return undefined;
      this.byField.set(field, indexOf(trigger, all.entries()));
    }
    return this.byField.get(field)?.entriesOf(value);
  }
}

function indexOf({ valueOf }: Trigger, entries: Iterable<Entry>): FieldIndex | undefined {
  const index = new FieldIndex(valueOf);
  let count = 0;
  for (const entry of entries) {
    index.add(entry);
    count++;
  }
  return index.valueCount * objectsPerValue > count ? undefined : index;
}
