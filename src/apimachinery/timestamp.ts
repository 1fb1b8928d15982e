/** RFC 3339 in whole seconds, as the API writes times; `milliseconds` count from the Unix epoch. */
export function timestampOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
