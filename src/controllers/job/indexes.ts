/** Completion indexes as a status writes them, e.g. `0,2-4`. */
export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let start = 0; start < sorted.length;) {
    let end = start;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const joint = end === start ? "" : end === start + 1 ? "," : "-";
    parts.push(joint === "" ? `${sorted[start]}` : `${sorted[start]}${joint}${sorted[end]}`);
    start = end + 1;
  }
  return parts.join(",");
}

/** The indexes that a status lists. */
export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? "").split(",")) {
    if (part === "") continue;
    const [first = "", last = first] = part.split("-");
    for (let index = Number(first); index <= Number(last); index++) indexes.add(index);
  }
  return indexes;
}
