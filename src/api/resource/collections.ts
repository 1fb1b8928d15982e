import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";

/** How a list is checked. */
interface ListRules<T> {
  readonly most?: number;
  readonly check: (element: T, path: FieldPath) => readonly FieldError[];
}

/** Checks a list's length and elements; what is too long is not looked into. */
export function validateList<T>(
  list: readonly T[] | undefined,
  path: FieldPath,
  { most = Infinity, check }: ListRules<T>,
): FieldError[] {
  const elements = list ?? [];
  if (elements.length > most) return [fieldErrors.tooMany(path, elements.length, most)];
  return elements.flatMap((element, index) => check(element, path.index(index)));
}

/** As `validateList`, for lists of which no two elements have the same key. */
export function validateSet<T>(
  list: readonly T[] | undefined,
  path: FieldPath,
  rules: ListRules<T> & {
    readonly key: (element: T) => string;
    /** A key as messages show it. */
    readonly shown?: (element: T) => unknown;
  },
): FieldError[] {
  const errors = validateList(list, path, rules);
  if ((list?.length ?? 0) > (rules.most ?? Infinity)) return errors;
  const seen = new Set<string>();
  for (const [index, element] of (list ?? []).entries()) {
    const key = rules.key(element);
    if (seen.has(key))
      errors.push(fieldErrors.duplicate(path.index(index), (rules.shown ?? rules.key)(element)));
    seen.add(key);
  }
  return errors;
}

/** Checks a map's size, keys and values. */
export function validateMap<T>(
  map: Readonly<Record<string, T>> | undefined,
  path: FieldPath,
  rules: {
    readonly most?: number;
    /** Longer keys are cut in the middle where messages name them. */
    readonly longestKey: number;
    readonly checkKey: (key: string, path: FieldPath) => readonly FieldError[];
    readonly check?: (value: T, path: FieldPath) => readonly FieldError[];
  },
): FieldError[] {
  const entries = Object.entries(map ?? {});
  const { most = Infinity, longestKey, checkKey, check } = rules;
  if (entries.length > most) return [fieldErrors.tooMany(path, entries.length, most)];
  return entries.flatMap(([key, value]) => [
    ...checkKey(key, path),
    ...(check?.(value, path.key(shortened(key, longestKey))) ?? []),
  ]);
}

const ellipsis = "...";

function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const kept = longest - ellipsis.length;
  return (
    text.slice(0, Math.floor((kept + 1) / 2)) + ellipsis + text.slice(text.length - Math.floor(kept / 2))
  );
}
