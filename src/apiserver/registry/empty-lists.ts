import type { StructType, Type } from "../../apimachinery/index.ts";
import type { AnyObject } from "./entry.ts";

/** A field that is or holds a list which is written although it is empty. */
interface Step {
  readonly name: string;
  readonly type: Type;
  readonly isWritten: boolean;
}

const plans = new WeakMap<StructType, readonly Step[]>();
const noSteps: readonly Step[] = [];

/**
 * The object as upstream's store gives it back: its binary form does not tell empty lists from absent ones, so that
 * those which are always written become null.
 */
export function withoutEmptyLists(object: AnyObject, type: StructType): AnyObject {
  return struct(object, planOf(type)) as AnyObject;
}

function planOf(type: StructType): readonly Step[] {
  const known = plans.get(type);
  if (known) return known;
  // Types that refer to themselves find nothing in themselves.
  plans.set(type, noSteps);
  const plan = type.fields.flatMap((field): readonly Step[] => {
    const isWritten = field.type.kind === "list" && !field.omitEmpty;
    const { name } = field;
    return isWritten || concerns(field.type) ? [{ name, type: field.type, isWritten }] : [];
  });
  plans.set(type, plan);
  return plan;
}

function concerns(type: Type): boolean {
  switch (type.kind) {
    case "struct":
      return planOf(type).length > 0;
    case "list":
      return concerns(type.element);
    case "map":
      return concerns(type.value);
    default:
      return false;
  }
}

function struct(value: object, plan: readonly Step[]): object {
  let copy: Record<string, unknown> | undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  for (const { name, type, isWritten } of plan) {
    const child = fields[name];
    if (typeof child !== "object" || child === null) continue;
    const next =
      isWritten && (child as { readonly length?: number }).length === 0 ? null : within(child, type);
    if (next === child) continue;
    copy ??= { ...fields };
    copy[name] = next;
  }
  return copy ?? value;
}

function within(value: object, type: Type): object {
  switch (type.kind) {
    case "struct":
      return struct(value, planOf(type));
    case "list":
      return Array.isArray(value) ? list(value, type.element) : value;
    case "map": {
      const entries = Object.entries(value);
      const values = list(
        entries.map(([, child]) => child as unknown),
        type.value,
      );
      return entries.every(([, child], index) => child === values[index])
        ? value
        : Object.fromEntries(entries.map(([key], index) => [key, values[index]]));
    }
    default:
      return value;
  }
}

function list(values: readonly unknown[], element: Type): readonly unknown[] {
  if (!concerns(element)) return values;
  let changed = false;
  const result = values.map((value) => {
    const next = typeof value === "object" && value !== null ? within(value, element) : value;
    changed ||= next !== value;
    return next;
  });
  return changed ? result : values;
}
