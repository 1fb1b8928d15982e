import { invariant } from "../base/index.ts";

/** What the index holds: anything with a key, and whether it counts as alive. */
export interface Indexed {
  readonly key: string;
}

interface Chunk<Entry> {
  /** The index that may change the chunk; the others that have it copy it first. */
  readonly owner: object;
  readonly entries: Entry[];
  alive: number;
}

/** A place between entries; valid until the index changes. */
export interface Position {
  readonly chunk: number;
  readonly offset: number;
}

/** Small enough that an insertion moves little, large enough that counting over chunks is cheap. */
const chunkLimit = 512;
/** Chunks that are filled at once have room for more. */
const filledLength = 384;

/**
 * Entries ordered by key in a sorted array of sorted chunks. Insertion and search take O(log n) comparisons and
 * a short move; each chunk counts its living entries, so that counting a range does not visit them.
 */
export class OrderedIndex<Entry extends Indexed> {
  private chunks: Chunk<Entry>[] = [];
  private owner: object = {};
  private isHeld = false;
  private readonly isAlive: (entry: Entry) => boolean;
  constructor(isAlive: (entry: Entry) => boolean) {
    this.isAlive = isAlive;
  }

  /** An index of its own with the same entries, which must not be changed any more but replaced. */
  fork(): OrderedIndex<Entry> {
    const fork = new OrderedIndex(this.isAlive);
    fork.chunks = this.chunks.slice();
    this.owner = {};
    return fork;
  }

  /** Forgets all entries, and takes note of none until `fill`, which costs less than one insertion after another. */
  hold(): void {
    this.chunks = [];
    this.isHeld = true;
  }

  /** Puts in all entries at once, in any order. */
  fill(entries: Entry[]): void {
    this.isHeld = false;
    this.chunks = [];
    entries.sort((left, right) => (left.key < right.key ? -1 : 1));
    for (let at = 0; at < entries.length; at += filledLength) {
      const chunk = this.chunkOf(entries.slice(at, at + filledLength));
      chunk.alive = this.recount(chunk);
      this.chunks.push(chunk);
    }
  }

  /** Adds an entry that is not alive yet; its key must be new. */
  insert(entry: Entry): void {
    if (this.isHeld) return;
    const at = this.chunkFor(entry.key);
    const chunk = this.writable(at);
    if (!chunk) {
      this.chunks.push(this.chunkOf([entry]));
      return;
    }
    const offset = lowerBound(chunk.entries, entry.key);
    invariant(chunk.entries[offset]?.key !== entry.key, "the key is already indexed");
    if (chunk.entries.length < chunkLimit) chunk.entries.splice(offset, 0, entry);
    else this.insertIntoFull(at, offset, entry);
  }

  /** Removes an entry that is not alive. */
  remove(key: string): void {
    if (this.isHeld) return;
    const { at, chunk, offset } = this.find(key);
    chunk.entries.splice(offset, 1);
    if (chunk.entries.length === 0) this.chunks.splice(at, 1);
    else this.joinSmall(at);
  }

  /** Puts an entry in the place of the one with its key, which was as alive. */
  replace(entry: Entry): void {
    const { chunk, offset } = this.find(entry.key);
    chunk.entries[offset] = entry;
  }

  /** Counts the entry of the key as alive (+1) or not (-1). */
  adjustAlive(key: string, by: 1 | -1): void {
    if (this.isHeld) return;
    const chunk = this.writable(this.chunkFor(key));
    invariant(chunk, "the key is not indexed");
    chunk.alive += by;
  }

  /** Before the first entry whose key is not less. */
  atOrAfter(key: string): Position {
    const chunk = this.chunkFor(key);
    return this.normal(chunk, lowerBound(this.chunks[chunk]?.entries ?? [], key));
  }

  /** Before the first entry whose key is greater. */
  after(key: string): Position {
    const position = this.atOrAfter(key);
    return this.chunks[position.chunk]?.entries[position.offset]?.key === key
      ? this.normal(position.chunk, position.offset + 1)
      : position;
  }

  /** Behind all entries. */
  get end(): Position {
    return { chunk: this.chunks.length, offset: 0 };
  }

  /** The entry behind the position. */
  at(position: Position): Entry | undefined {
    return this.chunks[position.chunk]?.entries[position.offset];
  }

  /** Visits entries in order until `visit` returns false; returns where it stopped, behind the last one taken. */
  scan(range: { from: Position; to: Position }, visit: (entry: Entry) => boolean): Position {
    const { from, to } = range;
    for (let at = from.chunk; at <= to.chunk && at < this.chunks.length; at++) {
      const entries = this.chunks[at]!.entries;
      const last = at === to.chunk ? to.offset : entries.length;
      for (let offset = at === from.chunk ? from.offset : 0; offset < last; offset++) {
        if (!visit(entries[offset]!)) return { chunk: at, offset };
      }
    }
    return to;
  }

  /** How many entries of the range are alive; single entries are visited only in the two outer chunks. */
  countAlive(range: { from: Position; to: Position }): number {
    const { from, to } = range;
    let count = 0;
    for (let at = from.chunk; at <= to.chunk && at < this.chunks.length; at++) {
      const { entries, alive } = this.chunks[at]!;
      const first = at === from.chunk ? from.offset : 0;
      const last = at === to.chunk ? to.offset : entries.length;
      if (first === 0 && last === entries.length) count += alive;
      else for (let offset = first; offset < last; offset++) if (this.isAlive(entries[offset]!)) count++;
    }
    return count;
  }

  /** How many entries the range has, alive or not. */
  countEntries(range: { from: Position; to: Position }): number {
    const { from, to } = range;
    let count = -from.offset + to.offset;
    for (let at = from.chunk; at < to.chunk; at++) count += this.chunks[at]!.entries.length;
    return Math.max(count, 0);
  }

  private insertIntoFull(at: number, offset: number, entry: Entry): void {
    const chunk = this.writable(at)!;
    // Keys often come in ascending order: then full chunks stay full instead of being halved.
    if (at === this.chunks.length - 1 && offset === chunk.entries.length) {
      this.chunks.push(this.chunkOf([entry]));
      return;
    }
    const half = chunkLimit / 2;
    const upper = this.chunkOf(chunk.entries.splice(half));
    this.chunks.splice(at + 1, 0, upper);
    upper.alive = this.recount(upper);
    chunk.alive -= upper.alive;
    if (offset <= half) chunk.entries.splice(offset, 0, entry);
    else upper.entries.splice(offset - half, 0, entry);
  }

  private joinSmall(at: number): void {
    const chunk = this.writable(at)!;
    const next = this.chunks[at + 1];
    if (!next || chunk.entries.length + next.entries.length > chunkLimit / 2) return;
    chunk.entries.push(...next.entries);
    chunk.alive += next.alive;
    this.chunks.splice(at + 1, 1);
  }

  private chunkOf(entries: Entry[]): Chunk<Entry> {
    return { owner: this.owner, entries, alive: 0 };
  }

  private writable(at: number): Chunk<Entry> | undefined {
    const chunk = this.chunks[at];
    if (!chunk || chunk.owner === this.owner) return chunk;
    const own = { owner: this.owner, entries: chunk.entries.slice(), alive: chunk.alive };
    this.chunks[at] = own;
    return own;
  }

  private find(key: string): { at: number; chunk: Chunk<Entry>; offset: number } {
    const at = this.chunkFor(key);
    const chunk = this.writable(at);
    const offset = chunk ? lowerBound(chunk.entries, key) : 0;
    invariant(chunk?.entries[offset]?.key === key, "the key is not indexed");
    return { at, chunk, offset };
  }

  private recount(chunk: Chunk<Entry>): number {
    let alive = 0;
    for (const entry of chunk.entries) if (this.isAlive(entry)) alive++;
    return alive;
  }

  private normal(chunk: number, offset: number): Position {
    const entries = this.chunks[chunk]?.entries;
    return entries && offset >= entries.length ? { chunk: chunk + 1, offset: 0 } : { chunk, offset };
  }

  /** The last chunk whose first key is not greater, or the first chunk. */
  private chunkFor(key: string): number {
    let low = 0;
    let high = this.chunks.length;
    if (high > 0 && this.chunks[high - 1]!.entries[0]!.key <= key) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.chunks[middle]!.entries[0]!.key <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(low - 1, 0);
  }
}

function lowerBound(entries: readonly Indexed[], key: string): number {
  let low = 0;
  let high = entries.length;
  // Keys often come in ascending order.
  if (high > 0 && entries[high - 1]!.key < key) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
