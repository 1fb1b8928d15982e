/** An object of JSON whose fields nothing is known of. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object, not a list or null. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a value is a list. */
export const isValues = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** The list with other elements; the same list where none is another. */
export function mapValues(
  list: readonly unknown[],
  map: (value: unknown, index: number) => unknown,
): readonly unknown[] {
  let changed = false;
  const mapped = list.map((value, index) => {
    const next = map(value, index);
    changed ||= next !== value;
    return next;
  });
  return changed ? mapped : list;
}

/** The object with other fields, without those that become undefined; the same object where none is another. */
export function mapFields(fields: Fields, map: (value: unknown, name: string) => unknown): Fields {
  let changed = false;
  const entries: [string, unknown][] = [];
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const next = map(value, name);
    changed ||= next !== value;
    if (next !== undefined) entries.push([name, next]);
  }
  return changed ? Object.fromEntries(entries) : fields;
}
