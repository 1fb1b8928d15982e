import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isQualifiedName } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { invalidFor } from "../common/checks.ts";
import { generalColumns } from "../common/columns.ts";
import { mapField, mapList } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import type { LimitRangeItem, ResourceList } from "../types/core-v1.ts";
import { LimitRange } from "../types/core-v1.ts";
import {
  compareAmounts,
  isOvercommitAllowed,
  validateContainerResourceName,
  validateResourceName,
} from "./resource-names.ts";

const limitTypes = ["Container", "PersistentVolumeClaim", "Pod"];
const nanosPerUnit = 1e9;

/** The rules of limit ranges. */
export const limitRangeDefinition = defineResource<LimitRange>({
  resource: LimitRange,
  repeatedMetadataChecks: ["whole"],
  createsOnUpdate: true,
  namesItself: true,
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

const limitFields = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;
type Field = (typeof limitFields)[number];
const limitsPath = FieldPath.root("spec").child("limits");

function validate(range: LimitRange): readonly FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  for (const [index, limit] of (range.spec?.limits ?? []).entries()) {
    const path = limitsPath.index(index);
    errors.push(...validateType(limit.type ?? "", path.child("type")));
    if (types.has(limit.type)) errors.push(fieldErrors.duplicate(path.child("type"), limit.type));
    types.add(limit.type);
    errors.push(...validateNames(limit, path));
    const names = new Set(limitFields.flatMap((field) => Object.keys(considered(limit, field))));
    for (const name of names) errors.push(...validateOrder(limit, path, name));
  }
  return errors;
}

function validateType(type: string, path: FieldPath): FieldError[] {
  const errors = invalidFor(path, type, isQualifiedName(type));
  if (errors.length > 0 || type.includes("/") || limitTypes.includes(type)) return errors;
  return [fieldErrors.invalid(path, type, "must be a standard limit type or fully qualified")];
}

/** What a limit of pods says by default does not count: it may not say anything there. */
function considered(limit: LimitRangeItem, field: Field): ResourceList {
  return limit.type === "Pod" && field.startsWith("default") ? {} : (limit[field] ?? {});
}

function validateNames(limit: LimitRangeItem, path: FieldPath): FieldError[] {
  const isOfContainers = limit.type === "Pod" || limit.type === "Container";
  const check = isOfContainers ? validateContainerResourceName : validateResourceName;
  const named = (field: Field) =>
    Object.keys(considered(limit, field)).flatMap((name) => check(name, path.child(field).key(name)));
  const errors = [...named("max"), ...named("min")];
  for (const field of ["default", "defaultRequest"] as const) {
    if (limit.type === "Pod" && Object.keys(limit[field] ?? {}).length > 0) {
      errors.push(fieldErrors.forbidden(path.child(field), "may not be specified when `type` is 'Pod'"));
    }
    errors.push(...named(field));
  }
  const hasStorage = limit.min?.["storage"] !== undefined || limit.max?.["storage"] !== undefined;
  if (limit.type === "PersistentVolumeClaim" && !hasStorage) {
    const why = "either minimum or maximum storage value is required, but neither was provided";
    errors.push(fieldErrors.required(path.child("limits"), why));
  }
  return [...errors, ...named("maxLimitRequestRatio")];
}

/** Which amount may not be above which, and which of the two upstream blames and shows. */
const orders: readonly (readonly [low: Field, high: Field, at: Field, shown: Field, words: string])[] = [
  ["min", "max", "min", "min", "min value LOW is greater than max value HIGH"],
  [
    "min",
    "defaultRequest",
    "defaultRequest",
    "defaultRequest",
    "min value LOW is greater than default request value HIGH",
  ],
  [
    "defaultRequest",
    "max",
    "defaultRequest",
    "defaultRequest",
    "default request value LOW is greater than max value HIGH",
  ],
  [
    "defaultRequest",
    "default",
    "defaultRequest",
    "defaultRequest",
    "default request value LOW is greater than default limit value HIGH",
  ],
  ["min", "default", "default", "min", "min value LOW is greater than default value HIGH"],
  ["default", "max", "default", "max", "default value LOW is greater than max value HIGH"],
];

function validateOrder(limit: LimitRangeItem, path: FieldPath, name: string): FieldError[] {
  const amount = (field: Field) => considered(limit, field)[name];
  const errors = orders.flatMap(([low, high, at, shown, words]) => {
    const [below, above] = [amount(low), amount(high)];
    if (below === undefined || above === undefined || compareAmounts(below, above) <= 0) return [];
    const why = words.replace("LOW", below).replace("HIGH", above);
    return [fieldErrors.invalid(path.child(at).key(name), amount(shown), why)];
  });
  errors.push(...validateRatio(limit, path, name));
  const [full, request] = [amount("default"), amount("defaultRequest")];
  if (full === undefined || request === undefined || isOvercommitAllowed(name)) return errors;
  if (compareAmounts(full, request) === 0) return errors;
  const why = `default value ${full} must equal to defaultRequest value ${request} in ${name}`;
  return [...errors, fieldErrors.invalid(path.child("defaultRequest").key(name), request, why)];
}

function validateRatio(limit: LimitRangeItem, path: FieldPath, name: string): FieldError[] {
  const ratio = limit.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return [];
  const at = path.child("maxLimitRequestRatio").key(name);
  const errors =
    compareAmounts(ratio, "1") < 0 ? [fieldErrors.invalid(at, ratio, `ratio ${ratio} is less than 1`)] : [];
  const [min, max] = [limit.min?.[name], limit.max?.[name]];
  if (min === undefined || max === undefined) return errors;
  const number = (quantity: string) => Number(nanosOf(quantity) ?? 0n);
  const possible = number(max) / number(min);
  if (number(ratio) / nanosPerUnit <= possible) return errors;
  const why = `ratio ${ratio} is greater than max/min = ${possible.toFixed(6)}`;
  return [...errors, fieldErrors.invalid(at, ratio, why)];
}
