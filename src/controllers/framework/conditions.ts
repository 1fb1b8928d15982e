/** A condition of an object's status, of any kind. */
export interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastUpdateTime?: string;
}

/** Conditions with one set: untouched when status and reason stay, last, with its old transition time if only status stays. */
export function withCondition<C extends StatusCondition>(
  conditions: readonly C[] | undefined,
  condition: C,
): readonly C[] {
  const all = conditions ?? [];
  const current = all.find(({ type }) => type === condition.type);
  if (current?.status === condition.status && current.reason === condition.reason) return all;
  const kept =
    current?.status === condition.status && current.lastTransitionTime !== undefined
      ? { ...condition, lastTransitionTime: current.lastTransitionTime }
      : condition;
  return [...all.filter(({ type }) => type !== condition.type), kept];
}

export function withoutCondition<C extends StatusCondition>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

/** An integer or a percentage of `total`. */
export function scaledValue(
  value: number | string | undefined,
  of: { readonly total: number; readonly round: "up" | "down" },
): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const share = (Number.parseInt(value, 10) * of.total) / 100;
  return of.round === "up" ? Math.ceil(share) : Math.floor(share);
}
