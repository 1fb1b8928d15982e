/** `object` with the absent or empty-string fields of `defaults` filled in; the same object when none is absent. */
export function fill<T extends object>(object: T | undefined, defaults: Partial<T>): T {
  return fillWhere(object, {
    defaults,
    absent: (value) => value === undefined || value === null || value === "",
  });
}

/** As `fill`, for fields whose empty text is a value of its own: pointers of upstream's types. */
export function fillMissing<T extends object>(object: T | undefined, defaults: Partial<T>): T {
  return fillWhere(object, { defaults, absent: (value) => value === undefined || value === null });
}

/** As `fill`, for fields whose zero value also means absence. */
export function fillZero<T extends object>(object: T | undefined, defaults: Partial<T>): T {
  return fillWhere(object, {
    defaults,
    absent: (value) => value === undefined || value === null || value === "" || value === 0,
  });
}

/** `object` with `key` replaced by `change(value)` where it is present; the same object when nothing changes. */
export function mapField<T extends object, K extends keyof T>(
  object: T,
  key: K,
  change: (value: NonNullable<T[K]>) => NonNullable<T[K]>,
): T {
  const value = object[key];
  if (value === undefined || value === null) return object;
  const changed = change(value);
  return changed === value ? object : { ...object, [key]: changed };
}

/** As `map`, but the same list when no element changes. */
export function mapList<E>(list: readonly E[], change: (element: E) => E): readonly E[] {
  let changed = false;
  const result = list.map((element) => {
    const next = change(element);
    if (next !== element) changed = true;
    return next;
  });
  return changed ? result : list;
}

/** `object` without `keys`; the same object when it has none of them. */
export function omit<T extends object, K extends keyof T>(object: T, ...keys: readonly K[]): T {
  if (!keys.some((key) => key in object)) return object;
  const copy = { ...object };
  for (const key of keys) delete copy[key];
  return copy;
}

/** `object` with `key` as `value`, or without it when `value` is undefined. */
export function withField<T extends object, K extends keyof T>(
  object: T,
  key: K,
  value: T[K] | undefined,
): T {
  if (object[key] === value) return object;
  if (value === undefined) return omit(object, key);
  return { ...object, [key]: value };
}

function fillWhere<T extends object>(
  object: T | undefined,
  options: { defaults: Partial<T>; absent: (value: unknown) => boolean },
): T {
  const base = object ?? ({} as T);
  let result: T | undefined;
  for (const key of Object.keys(options.defaults) as (keyof T & string)[]) {
    const value = options.defaults[key];
    if (value === undefined || !options.absent(base[key])) continue;
    result ??= { ...base };
    result[key] = value;
  }
  return result ?? base;
}
