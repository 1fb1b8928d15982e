/** RFC 3339 in whole seconds, as the API writes times; `milliseconds` count from the Unix epoch. */
export function timestampOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with six digits of a second, as the API writes the times of leases. */
export function microTimestampOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 23)}000Z`;
}
