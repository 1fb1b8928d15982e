/** Lines that are the same around each change. */
const context = 3;
/** Texts of so many lines are not matched by lines that stand in more than one of a hundred places. */
const longText = 200;

/** What two texts have in common: so many lines from there on in each. */
interface Block {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

interface Range {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

interface Change extends Range {
  readonly same: boolean;
}

/** The difference of two texts in the unified format, as difflib of Python and Go makes it, without names of files. */
export function unifiedDiff(first: string, second: string): string {
  const [a, b] = [first.split("\n"), second.split("\n")];
  let result = "";
  for (const group of groups(changesOf(a, b))) {
    const [start, end] = [group[0], group.at(-1)];
    if (start === undefined || end === undefined) continue;
    result += `@@ -${rangeText(start.aFrom, end.aTo)} +${rangeText(start.bFrom, end.bTo)} @@\n`;
    const add = (sign: string, lines: readonly string[]) => {
      for (const line of lines) result += `${sign}${line}\n`;
    };
    for (const { same, aFrom, aTo, bFrom, bTo } of group) {
      add(same ? " " : "-", a.slice(aFrom, aTo));
      if (!same) add("+", b.slice(bFrom, bTo));
    }
  }
  return result;
}

function rangeText(from: number, to: number): string {
  const length = to - from;
  if (length === 1) return String(from + 1);
  return `${length === 0 ? from : from + 1},${length}`;
}

function changesOf(a: readonly string[], b: readonly string[]): readonly Change[] {
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  for (const { a: aTo, b: bTo, size } of [...blocksOf(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (i < aTo || j < bTo) changes.push({ same: false, aFrom: i, aTo, bFrom: j, bTo });
    [i, j] = [aTo + size, bTo + size];
    if (size > 0) changes.push({ same: true, aFrom: aTo, aTo: i, bFrom: bTo, bTo: j });
  }
  return changes;
}

/** Changes that are close to one another, with the lines around them. */
function groups(changes: readonly Change[]): readonly (readonly Change[])[] {
  const result: Change[][] = [];
  let group: Change[] = [];
  for (const [index, change] of changes.entries()) {
    const { same, aFrom, aTo, bFrom, bTo } = change;
    const [isFirst, isLast] = [index === 0, index === changes.length - 1];
    if (!same) group.push(change);
    else if (isFirst || isLast || aTo - aFrom > 2 * context) {
      const before = Math.min(context, aTo - aFrom);
      if (!isFirst) group.push({ same, aFrom, aTo: aFrom + before, bFrom, bTo: bFrom + before });
      if (!isFirst) result.push(group);
      group = isLast ? [] : [{ same, aFrom: aTo - before, aTo, bFrom: bTo - before, bTo }];
    } else group.push(change);
  }
  if (group.some(({ same }) => !same)) result.push(group);
  return result;
}

function blocksOf(a: readonly string[], b: readonly string[]): readonly Block[] {
  const places = placesOf(b);
  const blocks: Block[] = [];
  const open: Range[] = [{ aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length }];
  for (let range = open.pop(); range !== undefined; range = open.pop()) {
    const block = longestMatch({ a, b, places }, range);
    if (block.size === 0) continue;
    blocks.push(block);
    const { aFrom, aTo, bFrom, bTo } = range;
    open.push({ aFrom, aTo: block.a, bFrom, bTo: block.b });
    open.push({ aFrom: block.a + block.size, aTo, bFrom: block.b + block.size, bTo });
  }
  return joined(blocks.toSorted((one, other) => one.a - other.a));
}

/** Blocks that follow one another in both texts are one. */
function joined(blocks: readonly Block[]): readonly Block[] {
  const result: Block[] = [];
  for (const block of blocks) {
    const last = result.at(-1);
    if (last !== undefined && last.a + last.size === block.a && last.b + last.size === block.b)
      result[result.length - 1] = { ...last, size: last.size + block.size };
    else result.push(block);
  }
  return result;
}

function placesOf(lines: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const known = places.get(line);
    if (known === undefined) places.set(line, [index]);
    else known.push(index);
  }
  if (lines.length < longText) return places;
  const most = Math.floor(lines.length / 100) + 1;
  return new Map([...places].filter(([, indices]) => indices.length <= most));
}

interface Texts {
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly places: ReadonlyMap<string, readonly number[]>;
}

/** The longest block in a range, of several the first. */
function longestMatch({ a, b, places }: Texts, { aFrom, aTo, bFrom, bTo }: Range): Block {
  let best: Block = { a: aFrom, b: bFrom, size: 0 };
  let lengths = new Map<number, number>();
  for (let i = aFrom; i < aTo; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i] ?? "") ?? []) {
      if (j < bFrom) continue;
      if (j >= bTo) break;
      const size = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size };
    }
    lengths = next;
  }
  let { a: from, b: bStart, size } = best;
  // Lines that are too frequent to begin with can be part of what is in common.
  while (from > aFrom && bStart > bFrom && a[from - 1] === b[bStart - 1]) {
    from--;
    bStart--;
    size++;
  }
  while (from + size < aTo && bStart + size < bTo && a[from + size] === b[bStart + size]) size++;
  return { a: from, b: bStart, size };
}
