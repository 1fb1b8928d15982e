import type { Comparable } from "./normalize.ts";

/** One place where two answers differ. */
export interface Difference {
  /** `status`, `header content-type` or a path into the body, as `body.items.0.spec`. */
  readonly at: string;
  readonly upstream: unknown;
  readonly ours: unknown;
}

/** All places where the answers differ; of values that differ in kind, the outermost. */
export function compare(upstream: Comparable, ours: Comparable): readonly Difference[] {
  return [
    ...differences(upstream.status, ours.status, "status"),
    ...differences(upstream.headers, ours.headers, "headers"),
    ...differences(upstream.body, ours.body, "body"),
  ];
}

const isContainer = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function differences(upstream: unknown, ours: unknown, at: string): Difference[] {
  if (Object.is(upstream, ours)) return [];
  const alike = isContainer(upstream) && isContainer(ours) && Array.isArray(upstream) === Array.isArray(ours);
  if (!alike) return [{ at, upstream, ours }];
  if (Array.isArray(upstream) && upstream.length !== (ours as unknown as unknown[]).length)
    return [{ at: `${at}.length`, upstream: shorten(upstream), ours: shorten(ours) }];
  const names = new Set([...Object.keys(upstream), ...Object.keys(ours)]);
  return [...names].flatMap((name) => differences(upstream[name], ours[name], `${at}.${name}`));
}

const shownItems = 40;
const shownText = 300;

const shorten = (value: unknown) => (Array.isArray(value) ? value.slice(0, shownItems) : value);

/** A difference as a person reads it. */
export function render({ at, upstream, ours }: Difference): string {
  const show = (value: unknown) => {
    const text = value === undefined ? "(nothing)" : JSON.stringify(value);
    return text.length > shownText ? `${text.slice(0, shownText)}…` : text;
  };
  return `    ${at}\n      upstream: ${show(upstream)}\n      ours:     ${show(ours)}`;
}
