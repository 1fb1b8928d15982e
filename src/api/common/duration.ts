const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** Milliseconds as kubectl shows an age: `45s`, `2m30s`, `5h7m`, `3d4h`, `2y30d`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / second);
  // Two seconds of clock difference between machines are forgiven.
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(milliseconds / minute);
  if (minutes < 10) return pair({ whole: minutes, unit: "m", rest: seconds % 60, restUnit: "s" });
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(milliseconds / hour);
  if (hours < 8) return pair({ whole: hours, unit: "h", rest: minutes % 60, restUnit: "m" });
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 24 * 8) return pair({ whole: days, unit: "d", rest: hours % 24, restUnit: "h" });
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (hours < 24 * 365 * 8) return pair({ whole: years, unit: "y", rest: days % 365, restUnit: "d" });
  return `${years}y`;
}

/** The age of a timestamp, or `<unknown>` where there is none. */
export function ageSince(timestamp: string | undefined | null, now: number): string {
  return timestamp ? humanDuration(now - Date.parse(timestamp)) : "<unknown>";
}

function pair(parts: { whole: number; unit: string; rest: number; restUnit: string }): string {
  const head = `${parts.whole}${parts.unit}`;
  return parts.rest === 0 ? head : `${head}${parts.rest}${parts.restUnit}`;
}
