import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { generalColumns } from "../common/columns.ts";
import { mapField, mapList } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import type { LimitRangeItem, ResourceList } from "../types/core-v1.ts";
import { LimitRange } from "../types/core-v1.ts";

/** The rules of limit ranges. */
export const limitRangeDefinition = defineResource<LimitRange>({
  resource: LimitRange,
  repeatedMetadataChecks: ["whole"],
  createsOnUpdate: true,
  defaults: (range) =>
    mapField(range, "spec", (spec) => mapField(spec, "limits", (limits) => mapList(limits, defaultItem))),
  validate,
  columns: generalColumns,
});

/** A container's default limit is its maximum; its default request is its default limit, else its minimum. */
function defaultItem(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== "Container") return item;
  const limits: ResourceList = { ...item.max, ...item.default };
  const requests: ResourceList = { ...item.min, ...limits, ...item.defaultRequest };
  return {
    ...item,
    ...(Object.keys(limits).length > 0 ? { default: limits } : {}),
    ...(Object.keys(requests).length > 0 ? { defaultRequest: requests } : {}),
  };
}

function validate(range: LimitRange): readonly FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  for (const [index, limit] of (range.spec?.limits ?? []).entries()) {
    const path = FieldPath.root("spec").child("limits").index(index);
    if (types.has(limit.type)) errors.push(fieldErrors.duplicate(path.child("type"), limit.type));
    types.add(limit.type);
    if (limit.type === "Pod") {
      if (limit.default)
        errors.push(
          fieldErrors.forbidden(path.child("default"), "may not be specified when `type` is 'Pod'"),
        );
      if (limit.defaultRequest) {
        errors.push(
          fieldErrors.forbidden(path.child("defaultRequest"), "may not be specified when `type` is 'Pod'"),
        );
      }
    }
    const names = new Set(
      [limit.min, limit.max, limit.default, limit.defaultRequest].flatMap((list) => Object.keys(list ?? {})),
    );
    for (const name of names) errors.push(...validateOrder(limit, path, name));
  }
  return errors;
}

function validateOrder(limit: LimitRangeItem, path: FieldPath, name: string): FieldError[] {
  const errors: FieldError[] = [];
  const rules: readonly (readonly [
    lower: keyof LimitRangeItem & ("min" | "default" | "defaultRequest"),
    upper: "max" | "default",
    word: string,
  ])[] = [
    ["min", "max", "max"],
    ["defaultRequest", "max", "max"],
    ["defaultRequest", "default", "default limit"],
    ["default", "max", "max"],
  ];
  const words = { min: "min", default: "default", defaultRequest: "default request" } as const;
  for (const [lower, upper, word] of rules) {
    const [low, high] = [limit[lower]?.[name], limit[upper]?.[name]];
    if (low === undefined || high === undefined) continue;
    if ((nanosOf(low) ?? 0n) <= (nanosOf(high) ?? 0n)) continue;
    const why = `${words[lower]} value ${low} is greater than ${word} value ${high}`;
    errors.push(fieldErrors.invalid(path.child(lower).key(name), low, why));
  }
  return errors;
}
