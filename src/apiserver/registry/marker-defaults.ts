import type { Field, StructType, Type } from "../../apimachinery/index.ts";

/** A field that has a default of its own, or fields with defaults below it. */
interface Step {
  readonly field: Field;
  readonly value: unknown;
  readonly below: Plan | undefined;
  readonly through: "struct" | "list" | "map";
}

type Plan = readonly Step[];

const plans = new WeakMap<StructType, Plan>();

/** The object with the defaults that the facts' markers name; the same object when none is missing. */
export function withMarkerDefaults<T extends object>(object: T, type: StructType): T {
  return fillStruct(object as Fields, planOf(type)) as T;
}

type Fields = Readonly<Record<string, unknown>>;

function planOf(type: StructType): Plan {
  const known = plans.get(type);
  if (known) return known;
  // A type within itself: its fields are found where it is met first.
  plans.set(type, []);
  const steps: Step[] = [];
  for (const field of type.fields) {
    const { struct, through } = structOf(field.type);
    const nested = struct && planOf(struct);
    const below = nested && nested.length > 0 ? nested : undefined;
    const value = isZero(field.default) && !field.pointer ? undefined : field.default;
    if (below || value !== undefined) steps.push({ field, value, below, through });
  }
  plans.set(type, steps);
  return steps;
}

function structOf(type: Type): { struct: StructType | undefined; through: Step["through"] } {
  if (type.kind === "struct") return { struct: type, through: "struct" };
  if (type.kind === "list" && type.element.kind === "struct") {
    return { struct: type.element, through: "list" };
  }
  if (type.kind === "map" && type.value.kind === "struct") return { struct: type.value, through: "map" };
  return { struct: undefined, through: "struct" };
}

const isZero = (value: unknown) => value === "" || value === 0 || value === false;

function fillStruct(object: Fields, plan: Plan): Fields {
  let filled: Record<string, unknown> | undefined;
  for (const { field, value, below, through } of plan) {
    const present = object[field.name];
    if (present === undefined || present === null || (!field.pointer && isZero(present))) {
      if (value !== undefined) (filled ??= { ...object })[field.name] = value;
      continue;
    }
    if (!below) continue;
    const next = fillBelow(present, below, through);
    if (next !== present) (filled ??= { ...object })[field.name] = next;
  }
  return filled ?? object;
}

function fillBelow(value: unknown, plan: Plan, through: Step["through"]): unknown {
  switch (through) {
    case "struct":
      return fillStruct(value as Fields, plan);
    case "list": {
      let changed = false;
      const list = (value as readonly Fields[]).map((element) => {
        const next = fillStruct(element, plan);
        changed ||= next !== element;
        return next;
      });
      return changed ? list : value;
    }
    case "map": {
      let changed = false;
      const map = Object.fromEntries(
        Object.entries(value as Readonly<Record<string, Fields>>).map(([key, element]) => {
          const next = fillStruct(element, plan);
          changed ||= next !== element;
          return [key, next];
        }),
      );
      return changed ? map : value;
    }
  }
}
