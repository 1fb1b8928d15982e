const blockCapacity = 512;
/** Follows every character of a key. */
const lastCharacter = "\uffff";

interface Block<V> {
  readonly keys: string[];
  readonly values: V[];
}

interface Span<V> {
  readonly values: readonly V[];
  readonly from: number;
  /** Behind the last one. */
  readonly to: number;
}

/** A map whose entries are walked in the order of their keys; every change costs the same at any size that fits in memory. */
export class OrderedMap<V> {
  private readonly index = new Map<string, V>();
  private readonly blocks: Block<V>[] = [];

  get size(): number {
    return this.index.size;
  }

  get(key: string): V | undefined {
    return this.index.get(key);
  }

  set(key: string, value: V): void {
    const present = this.index.has(key);
    this.index.set(key, value);
    const position = this.blockOf(key);
    const block = this.blocks[position];
    if (block === undefined) {
      this.blocks.push({ keys: [key], values: [value] });
      return;
    }
    const at = lowerBound(block.keys, key);
    if (present) {
      block.values[at] = value;
      return;
    }
    block.keys.splice(at, 0, key);
    block.values.splice(at, 0, value);
    if (block.keys.length > blockCapacity) {
      const half = blockCapacity >> 1;
      this.blocks.splice(position + 1, 0, {
        keys: block.keys.splice(half),
        values: block.values.splice(half),
      });
    }
  }

  delete(key: string): boolean {
    if (!this.index.delete(key)) return false;
    const position = this.blockOf(key);
    const block = this.blocks[position]!;
    const at = lowerBound(block.keys, key);
    block.keys.splice(at, 1);
    block.values.splice(at, 1);
    if (block.keys.length === 0) this.blocks.splice(position, 1);
    return true;
  }

  /** Values whose keys start with `prefix` and follow the key `after`, in order of keys. */
  *range(prefix: string, after?: string): Generator<V> {
    for (const { values, from, to } of this.spans(prefix, after)) {
      for (let at = from; at < to; at++) yield values[at]!;
    }
  }

  /** The first values that `range` walks, at most `limit`. */
  first(limit: number, prefix: string, after?: string): V[] {
    const found: V[] = [];
    for (const { values, from, to } of this.spans(prefix, after)) {
      const end = Math.min(to, from + limit - found.length);
      for (let at = from; at < end; at++) found.push(values[at]!);
      if (found.length >= limit) break;
    }
    return found;
  }

  /** How many values `range` walks; blocks are counted as wholes. */
  count(prefix: string, after?: string): number {
    let count = 0;
    for (const { from, to } of this.spans(prefix, after)) count += to - from;
    return count;
  }

  /** The parts of blocks where the keys start with `prefix` and follow the key `after`. */
  private *spans(prefix: string, after?: string): Generator<Span<V>, void> {
    const start = after === undefined || after < prefix ? prefix : after;
    for (let position = this.blockOf(start); position < this.blocks.length; position++) {
      const { keys, values } = this.blocks[position]!;
      const first = lowerBound(keys, start);
      const isWhole = keys.at(-1)!.startsWith(prefix);
      const from = keys[first] === after ? first + 1 : first;
      const to = isWhole ? keys.length : lowerBound(keys, prefix + lastCharacter);
      if (from < to) yield { values, from, to };
      // The keys of a later block do not start with the prefix either, unless this one ends before it.
      if (!isWhole && keys.at(-1)! > prefix) return;
    }
  }

  /** The block where the key is or would be. */
  private blockOf(key: string): number {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.blocks[middle]!.keys[0]! <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
