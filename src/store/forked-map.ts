import { invariant } from "../base/index.ts";

/** How many maps are looked through for a key before they are made one. */
const layerLimit = 4;

/**
 * A map that can be forked in no time: both sides go on with what they had as layers that neither changes, and
 * with a map of their own on top. One that was never forked costs what a Map does.
 */
export class ForkedMap<Key, Value extends object> {
  private top = new Map<Key, Value | undefined>();
  /** Newest first; undefined hides what the layers below have. */
  private layers: readonly ReadonlyMap<Key, Value | undefined>[] = [];
  /** What was found last on top: who plans a change looks for the key, and then who makes it. */
  private lastKey: Key | undefined;
  private last: Value | undefined;

  fork(): ForkedMap<Key, Value> {
    if (this.top.size > 0) {
      this.layers = [this.top, ...this.layers];
      this.top = new Map();
      this.lastKey = undefined;
    }
    if (this.layers.length > layerLimit) this.layers = [merged(this.layers)];
    const fork = new ForkedMap<Key, Value>();
    fork.layers = this.layers;
    return fork;
  }

  get(key: Key): Value | undefined {
    const own = this.own(key);
    return own !== undefined || this.layers.length === 0 ? own : this.inherited(key);
  }

  /** The key's value when it was set here since the last fork. */
  own(key: Key): Value | undefined {
    if (key === this.lastKey) return this.last;
    this.lastKey = key;
    this.last = this.top.get(key);
    return this.last;
  }

  set(key: Key, value: Value): void {
    this.top.set(key, value);
    this.lastKey = key;
    this.last = value;
  }

  delete(key: Key): void {
    this.lastKey = undefined;
    if (this.layers.length === 0) this.top.delete(key);
    else this.top.set(key, undefined);
  }

  /** All values of a map that was never forked. */
  unforkedValues(): Value[] {
    invariant(this.layers.length === 0, "the map was forked");
    return [...this.top.values()].filter((value) => value !== undefined);
  }

  /** The key's value when it was set before the last fork, and nothing was done to it here since. */
  inherited(key: Key): Value | undefined {
    if (this.layers.length === 0 || this.top.has(key)) return undefined;
    for (const layer of this.layers) {
      const value = layer.get(key);
      if (value !== undefined || layer.has(key)) return value;
    }
    return undefined;
  }
}

function merged<Key, Value>(
  layers: readonly ReadonlyMap<Key, Value | undefined>[],
): ReadonlyMap<Key, Value | undefined> {
  const all = new Map<Key, Value | undefined>();
  for (const layer of layers.toReversed()) {
    for (const [key, value] of layer) {
      if (value === undefined) all.delete(key);
      else all.set(key, value);
    }
  }
  return all;
}
