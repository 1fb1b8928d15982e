const blockCapacity = 512;
/** Follows every character of a key. */
const lastCharacter = "\uffff";

interface Block<V> {
  readonly keys: string[];
  readonly values: V[];
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
    const start = after === undefined || after < prefix ? prefix : after;
    for (let position = this.blockOf(start); position < this.blocks.length; position++) {
      const { keys, values } = this.blocks[position]!;
      for (let at = lowerBound(keys, start); at < keys.length; at++) {
        const key = keys[at]!;
        if (!key.startsWith(prefix)) return;
        if (key !== after) yield values[at]!;
      }
    }
  }

  /** How many values `range` walks; blocks are counted as wholes. */
  count(prefix: string, after?: string): number {
    const start = after === undefined || after < prefix ? prefix : after;
    let count = 0;
    for (let position = this.blockOf(start); position < this.blocks.length; position++) {
      const { keys } = this.blocks[position]!;
      const from = lowerBound(keys, start);
      const isWhole = keys.at(-1)!.startsWith(prefix);
      const end = isWhole ? keys.length : lowerBound(keys, prefix + lastCharacter);
      count += Math.max(end - from, 0) - (from < end && keys[from] === after ? 1 : 0);
      // The keys of a later block do not start with the prefix either, unless this one ends before it.
      if (!isWhole && keys.at(-1)! > prefix) break;
    }
    return count;
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
