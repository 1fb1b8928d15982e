/** Numbers of a JSON text that are more than their value, by `numberKey` of their paths: `1.0`, `1e3`, 17 digits. */
export type NumberTexts = ReadonlyMap<string, string>;

/** Where in a JSON value a number stands, as a key. */
export function numberKey(path: readonly (string | number)[]): string {
  return path.join("\0");
}
