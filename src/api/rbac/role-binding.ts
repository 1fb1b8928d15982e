import type { FieldError } from "../../apimachinery/index.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { ClusterRoleBinding, RoleBinding } from "../types/rbac-v1.ts";
import { defaultBinding, validateBinding, validateRoleUnchanged } from "./rules.ts";

type Binding = RoleBinding | ClusterRoleBinding;

const columns: readonly PrinterColumn<Binding>[] = [
  nameColumn,
  column("Role", "The role that is given", {
    value: (binding) => `${binding.roleRef?.kind ?? ""}/${binding.roleRef?.name ?? ""}`,
  }),
  ageColumn,
  column("Users", "Users who get the role", { wide: true, value: (binding) => subjectsOf(binding, "User") }),
  column("Groups", "Groups that get the role", {
    wide: true,
    value: (binding) => subjectsOf(binding, "Group"),
  }),
  column("ServiceAccounts", "Service accounts that get the role", {
    wide: true,
    value: (binding) => subjectsOf(binding, "ServiceAccount"),
  }),
];

const rules = {
  createsOnUpdate: true,
  columns,
  nameRule: "path",
  repeatedMetadataChecks: ["whole", "whole", "change"],
  repeatsChecks: true,
} as const;

/** The rules of role bindings. */
export const roleBindingDefinition = defineResource<RoleBinding>({
  resource: RoleBinding,
  ...rules,
  defaults: defaultBinding,
  validate: validateRoleBinding,
  validateUpdate: validateRoleUnchanged,
});

/** The rules of cluster role bindings. */
export const clusterRoleBindingDefinition = defineResource<ClusterRoleBinding>({
  resource: ClusterRoleBinding,
  ...rules,
  defaults: defaultBinding,
  validate: validateClusterRoleBinding,
  validateUpdate: validateRoleUnchanged,
});

function validateRoleBinding(binding: RoleBinding): FieldError[] {
  return validateBinding(binding, { roleKinds: ["Role", "ClusterRole"], subjects: "namespace" });
}

function validateClusterRoleBinding(binding: ClusterRoleBinding): FieldError[] {
  return validateBinding(binding, { roleKinds: ["ClusterRole"], subjects: "cluster" });
}

function subjectsOf(binding: Binding, kind: string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map((subject) =>
      kind === "ServiceAccount" ? `${subject.namespace ?? ""}/${subject.name}` : subject.name,
    )
    .join(", ");
}
