/** A list of indexes that cannot be read, in upstream's words. */
class IndexesError extends Error {
  override readonly name = "IndexesError";
}

type Interval = readonly [first: number, last: number];

/** How many indexes a list such as `1,3-5` has, or why it cannot be read; all must be below `completions`. */
export function countIndexes(
  text: string,
  completions: number,
): { readonly count: number; readonly problem?: string } {
  if (text === "") return { count: 0 };
  try {
    let before: number | undefined;
    let count = 0;
    for (const part of text.split(",")) {
      const [first, last] = parseInterval(part, completions);
      if (before !== undefined && before >= first) throw notIncreasing(before, first);
      count += last - first + 1;
      before = last;
    }
    return { count };
  } catch (error) {
    if (!(error instanceof IndexesError)) throw error;
    return { count: 0, problem: error.message };
  }
}

/** The first index that two lists share; what cannot be read in them shares none. */
export function firstShared(one: string, other: string, completions: number): number | undefined {
  const intervals = readable(one, completions);
  const others = readable(other, completions);
  for (let left = 0, right = 0; ;) {
    const [interval, opposite] = [intervals[left], others[right]];
    if (!interval || !opposite) return undefined;
    if (interval[0] <= opposite[1] && opposite[0] <= interval[1]) return Math.max(interval[0], opposite[0]);
    if (interval[0] <= opposite[0]) left++;
    else right++;
  }
}

function readable(text: string, completions: number): readonly Interval[] {
  if (text === "") return [];
  return text.split(",").flatMap((part) => {
    try {
      return [parseInterval(part, completions)];
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error;
      return [];
    }
  });
}

function parseInterval(text: string, completions: number): Interval {
  const limits = text.split("-");
  if (limits.length > 2) {
    throw new IndexesError(
      `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`,
    );
  }
  const [first = 0, last] = limits.map((limit) => parseIndex(limit, completions));
  if (last === undefined) return [first, first];
  if (first >= last) throw notIncreasing(first, last);
  return [first, last];
}

function parseIndex(text: string, completions: number): number {
  const quoted = JSON.stringify(text);
  if (!/^[+-]?\d+$/.test(text)) {
    throw new IndexesError(`cannot convert string to integer for index: ${quoted}`);
  }
  if (Number(text) >= completions) throw new IndexesError(`too large index: ${quoted}`);
  return Number(text);
}

function notIncreasing(before: number, next: number): IndexesError {
  return new IndexesError(`non-increasing order, previous: ${before}, current: ${next}`);
}
