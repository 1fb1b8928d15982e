const narrowest = 8;

/** Rows with commas, each column as wide as its widest value, as Go's text/tabwriter lays them out. */
export function columnText(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((value, index) => (index < row.length - 1 ? `${value},` : value)));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [index, { length }] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? narrowest, length + 1);
    }
  }
  const line = (row: readonly string[]) =>
    row.map((cell, index) => (index < row.length - 1 ? cell.padEnd(widths[index]!) : cell)).join("");
  return cells.map((row) => `${line(row)}\n`).join("");
}
