/** A binary heap of items with keys: the least first; items can be replaced and removed by key. */
export class KeyedHeap<T> {
  private readonly items: T[] = [];
  private readonly positions = new Map<string, number>();
  private readonly keyOf: (item: T) => string;
  private readonly before: (one: T, other: T) => boolean;

  constructor(options: { keyOf: (item: T) => string; before: (one: T, other: T) => boolean }) {
    this.keyOf = options.keyOf;
    this.before = options.before;
  }

  get size(): number {
    return this.items.length;
  }

  get(key: string): T | undefined {
    const position = this.positions.get(key);
    return position === undefined ? undefined : this.items[position];
  }

  peek(): T | undefined {
    return this.items[0];
  }

  /** Adds the item, or puts it in the place of the one with its key. */
  set(item: T): void {
    const position = this.positions.get(this.keyOf(item)) ?? this.items.length;
    this.place(item, position);
    this.rise(position);
    this.sink(this.positions.get(this.keyOf(item)) ?? position);
  }

  pop(): T | undefined {
    const first = this.items[0];
    if (first !== undefined) this.delete(this.keyOf(first));
    return first;
  }

  delete(key: string): T | undefined {
    const position = this.positions.get(key);
    if (position === undefined) return undefined;
    const removed = this.items[position];
    const last = this.items.pop();
    this.positions.delete(key);
    if (last !== undefined && position < this.items.length) {
      this.place(last, position);
      this.rise(position);
      this.sink(this.positions.get(this.keyOf(last)) ?? position);
    }
    return removed;
  }

  values(): readonly T[] {
    return this.items;
  }

  private place(item: T, position: number): void {
    this.items[position] = item;
    this.positions.set(this.keyOf(item), position);
  }

  private isBefore(one: number, other: number): boolean {
    const [left, right] = [this.items[one], this.items[other]];
    return left !== undefined && right !== undefined && this.before(left, right);
  }

  private swap(one: number, other: number): void {
    const [left, right] = [this.items[one], this.items[other]];
    if (left === undefined || right === undefined) return;
    this.place(left, other);
    this.place(right, one);
  }

  private rise(start: number): void {
    for (let position = start; position > 0;) {
      const parent = (position - 1) >> 1;
      if (!this.isBefore(position, parent)) return;
      this.swap(position, parent);
      position = parent;
    }
  }

  private sink(start: number): void {
    for (let position = start; ;) {
      const left = 2 * position + 1;
      const child = this.isBefore(left + 1, left) ? left + 1 : left;
      if (!this.isBefore(child, position)) return;
      this.swap(position, child);
      position = child;
    }
  }
}
