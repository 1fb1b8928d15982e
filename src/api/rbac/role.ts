import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { generalColumns } from "../common/columns.ts";
import { validateLabelSelector } from "../common/selectors.ts";
import { defineResource } from "../definition.ts";
import { ClusterRole, Role } from "../types/rbac-v1.ts";
import { validateRules } from "./rules.ts";

const rules = {
  createsOnUpdate: true,
  columns: generalColumns,
  nameRule: "path",
  repeatedMetadataChecks: ["whole", "whole", "change"],
  repeatsChecks: true,
} as const;

/** The rules of roles. */
export const roleDefinition = defineResource<Role>({
  resource: Role,
  ...rules,
  validate: validateRole,
});

/** The rules of cluster roles. */
export const clusterRoleDefinition = defineResource<ClusterRole>({
  resource: ClusterRole,
  ...rules,
  validate: validateClusterRole,
});

function validateRole(role: Role): FieldError[] {
  return validateRules(role.rules, { scope: "namespace" });
}

function validateClusterRole({ rules: granted, aggregationRule }: ClusterRole): FieldError[] {
  const errors = validateRules(granted, { scope: "cluster" });
  if (aggregationRule === undefined) return errors;
  const path = FieldPath.root("aggregationRule").child("clusterRoleSelectors");
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    const why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
    errors.push(fieldErrors.required(path, why));
  }
  for (const [index, selector] of selectors.entries()) {
    const at = path.index(index);
    const wrong = validateLabelSelector(selector, at);
    errors.push(...wrong);
    if (wrong.length > 0) errors.push(fieldErrors.invalid(at, null, "invalid label selector."));
  }
  return errors;
}
