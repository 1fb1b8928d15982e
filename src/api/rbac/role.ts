import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { generalColumns } from "../common/columns.ts";
import { isEmptySelector, validateLabelSelector } from "../common/selectors.ts";
import { defineResource } from "../definition.ts";
import { ClusterRole, Role } from "../types/rbac-v1.ts";
import { validateRules } from "./rules.ts";

/** The rules of roles. */
export const roleDefinition = defineResource<Role>({
  resource: Role,
  createsOnUpdate: true,
  validate: (role) => validateRules(role.rules, { scope: "namespace" }),
  columns: generalColumns,
  nameRule: "path",
  repeatedMetadataChecks: ["whole", "change"],
});

/** The rules of cluster roles. */
export const clusterRoleDefinition = defineResource<ClusterRole>({
  resource: ClusterRole,
  createsOnUpdate: true,
  validate: (role) => {
    const errors = validateRules(role.rules, { scope: "cluster" });
    const selectors = role.aggregationRule?.clusterRoleSelectors;
    if (role.aggregationRule === undefined) return errors;
    const path = FieldPath.root("aggregationRule").child("clusterRoleSelectors");
    if (!selectors?.length) {
      return [
        ...errors,
        fieldErrors.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil"),
      ];
    }
    return [
      ...errors,
      ...selectors.flatMap((selector, index) =>
        isEmptySelector(selector) ? [] : validateLabelSelector(selector, path.index(index)),
      ),
    ];
  },
  columns: generalColumns,
  nameRule: "path",
  repeatedMetadataChecks: ["whole", "change"],
});
