import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isQualifiedName,
  isValidCIDR,
  isValidLabelValue,
} from "../../apimachinery/index.ts";
import { ipFamilyOf } from "../../apimachinery/index.ts";
import { cidrWarnings, ipWarnings } from "../common/address-warnings.ts";
import { invalidFor, oneOf } from "../common/checks.ts";
import { internalForm } from "../common/internal-form.ts";
import type { Node, NodeSpec, Taint } from "../types/core-v1.ts";
import { validateNodeAnnotations } from "./node-annotations.ts";
import { validateNodeConfig, validateReportedConfig } from "./node-config.ts";
import { taintEffects } from "./pod-spec/index.ts";
import { validateAmount } from "./resource-names.ts";

const specPath = FieldPath.root("spec");
const statusPath = FieldPath.root("status");
const rangesPath = specPath.child("podCIDRs");
/** Upstream looks for taints in the wrong place, and says so. */
const taintsPath = FieldPath.root("metadata").child("taints");

/** Checks a new node, or the whole of one that changes. */
export function validateNode(node: Node): readonly FieldError[] {
  return [
    ...validateNodeAnnotations(node, validateTaints),
    ...validateTaints(node.spec?.taints ?? [], taintsPath),
    ...validateResources(node),
    ...validateRanges(node.spec?.podCIDRs ?? []),
  ];
}

function validateTaints(taints: readonly Taint[], path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const at = path.index(index);
    const { value = "", effect } = taint;
    // What an annotation says may lack all that has a type.
    const key = (taint as Partial<Taint>).key ?? "";
    const errors = invalidFor(at.child("key"), key, isQualifiedName(key));
    const problems = isValidLabelValue(value);
    if (problems.length > 0) errors.push(fieldErrors.invalid(at.child("value"), value, problems.join(";")));
    errors.push(...oneOf(at.child("effect"), effect, taintEffects));
    const pair = `${effect}:${key}`;
    if (seen.has(pair)) {
      const shown = internalForm(taint, [["key", ""], ["value", ""], ["effect", ""], "timeAdded"]);
      const detail = "taints must be unique by key and effect pair";
      errors.push({ ...fieldErrors.duplicate(at, shown), detail });
    }
    seen.add(pair);
    return errors;
  });
}

function validateResources({ status }: Node): FieldError[] {
  return (["capacity", "allocatable"] as const).flatMap((side) =>
    Object.entries(status?.[side] ?? {}).flatMap(([name, quantity]) =>
      validateAmount(statusPath.child(side, name), { name, quantity }),
    ),
  );
}

function validateRanges(ranges: readonly string[]): FieldError[] {
  const errors = ranges.flatMap((range, index) =>
    invalidFor(rangesPath.index(index), range, isValidCIDR(range)),
  );
  if (ranges.length < 2) return errors;
  const families = ranges.map(ipFamilyOf);
  const broken = ranges.find((_, index) => families[index] === undefined);
  if (broken !== undefined) {
    const why = `invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR address: ${broken}`;
    errors.push({ type: "InternalError", field: rangesPath.text, detail: why });
  }
  if (broken !== undefined || new Set(families).size < 2 || ranges.length > 2) {
    errors.push(
      fieldErrors.invalid(rangesPath, ranges, "may specify no more than one CIDR for each IP family"),
    );
  }
  for (const [index, range] of ranges.entries()) {
    if (ranges.indexOf(range) < index) errors.push(fieldErrors.duplicate(rangesPath.index(index), range));
  }
  return errors;
}

/** Checks a change of a node or of its status. */
export function validateNodeUpdate(node: Node, old: Node): readonly FieldError[] {
  const errors = [
    ...validateNodeAnnotations(node, validateTaints),
    ...validateResources(node),
    ...validateAddresses(node),
  ];
  const [next, before] = [node.spec ?? {}, old.spec ?? {}];
  errors.push(...validateRangesKept(next, before));
  if (before.providerID && before.providerID !== next.providerID) {
    const why = 'node updates may not change providerID except from "" to valid';
    errors.push(fieldErrors.forbidden(specPath.child("providerID"), why));
  }
  if (next.configSource)
    errors.push(...validateNodeConfig(next.configSource, specPath.child("configSource")));
  if (node.status?.config)
    errors.push(...validateReportedConfig(node.status.config, statusPath.child("config")));
  errors.push(...validateTaints(next.taints ?? [], taintsPath));
  if ((next.externalID ?? "") !== (before.externalID ?? "")) {
    errors.push(fieldErrors.forbidden(specPath.child("externalID"), "may not be updated"));
  }
  return errors;
}

function validateAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap(({ type, address }, index) => {
    const key = `${type}/${address}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const shown = { Type: type, Address: address };
    return [fieldErrors.duplicate(statusPath.child("addresses").index(index), shown)];
  });
}

function validateRangesKept(
  { podCIDRs: next = [] }: NodeSpec,
  { podCIDRs: old = [] }: NodeSpec,
): FieldError[] {
  const why = 'node updates may not change podCIDR except from "" to valid';
  const changed = fieldErrors.forbidden(rangesPath, why);
  if (old.length > 0 && old.length !== next.length) return [changed];
  return old.flatMap((range, index) => (range === next[index] ? [] : [changed]));
}

/** Warnings of fields without a use, and of addresses that should be written otherwise. */
export function nodeWarnings({ spec, status }: Node): readonly string[] {
  const warnings: string[] = [];
  if (spec?.configSource) warnings.push("spec.configSource: the feature is removed");
  if (spec?.externalID) {
    warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  }
  for (const [index, range] of (spec?.podCIDRs ?? []).entries()) {
    warnings.push(...cidrWarnings(range, rangesPath.index(index)));
  }
  for (const [index, { type, address }] of (status?.addresses ?? []).entries()) {
    if (type !== "InternalIP" && type !== "ExternalIP") continue;
    warnings.push(...ipWarnings(address, statusPath.child("addresses").index(index).child("address")));
  }
  return warnings;
}
