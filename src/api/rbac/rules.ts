import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { fill, mapField, mapList } from "../common/fill.ts";
import { internalValue } from "../common/internal-value.ts";
import { validateSegments } from "../common/references.ts";
import type { PolicyRule, RoleRef, Subject } from "../types/rbac-v1.ts";

const rbacGroup = "rbac.authorization.k8s.io";

/** Checks what a role allows. */
export function validateRules(
  rules: readonly PolicyRule[] | undefined,
  options: { scope: "namespace" | "cluster" },
): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => {
    const path = FieldPath.root("rules").index(index);
    const errors: FieldError[] = [];
    if ((rule.verbs ?? []).length === 0) {
      errors.push(fieldErrors.required(path.child("verbs"), "verbs must contain at least one value"));
    }
    const urls = rule.nonResourceURLs ?? [];
    if (urls.length > 0) {
      if (options.scope === "namespace") {
        const why = "namespaced rules cannot apply to non-resource URLs";
        errors.push(fieldErrors.invalid(path.child("nonResourceURLs"), urls, why));
      }
      if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
        const why = "rules cannot apply to both regular resources and non-resource URLs";
        errors.push(fieldErrors.invalid(path.child("nonResourceURLs"), urls, why));
      }
      return errors;
    }
    if ((rule.apiGroups ?? []).length === 0) {
      const why = "resource rules must supply at least one api group";
      errors.push(fieldErrors.required(path.child("apiGroups"), why));
    }
    if ((rule.resources ?? []).length === 0) {
      const why = "resource rules must supply at least one resource";
      errors.push(fieldErrors.required(path.child("resources"), why));
    }
    return errors;
  });
}

/** Fills in the groups of a binding's role and subjects. */
export function defaultBinding<
  B extends { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] },
>(binding: B): B {
  const withRole = mapField<{ readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] }, "roleRef">(
    binding,
    "roleRef",
    (role) => fill(role, { apiGroup: rbacGroup }),
  );
  return mapField(withRole, "subjects", (subjects) =>
    mapList(subjects, (subject) =>
      subject.kind === "User" || subject.kind === "Group" ? fill(subject, { apiGroup: rbacGroup }) : subject,
    ),
  ) as B;
}

/** Checks the role and the subjects of a binding. */
export function validateBinding(
  binding: { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] },
  options: { roleKinds: readonly string[]; subjects: "namespace" | "cluster" },
): FieldError[] {
  const path = FieldPath.root("roleRef");
  const apiGroup = binding.roleRef?.apiGroup ?? "";
  const kind = binding.roleRef?.kind ?? "";
  const name = binding.roleRef?.name ?? "";
  const errors: FieldError[] = [];
  if (apiGroup !== rbacGroup) {
    errors.push(fieldErrors.notSupported(path.child("apiGroup"), apiGroup, [rbacGroup]));
  }
  if (!options.roleKinds.includes(kind)) {
    errors.push(fieldErrors.notSupported(path.child("kind"), kind, options.roleKinds));
  }
  errors.push(...validateSegments({ name }, path, ["name"]));
  for (const [index, subject] of (binding.subjects ?? []).entries()) {
    errors.push(...validateSubject(subject, FieldPath.root("subjects").index(index), options.subjects));
  }
  return errors;
}

/** Checks that an update leaves the binding's role as it is. */
export function validateRoleUnchanged(
  binding: { readonly roleRef: RoleRef },
  old: { readonly roleRef: RoleRef },
): FieldError[] {
  const [next, before] = [binding.roleRef, old.roleRef];
  const same = next.apiGroup === before.apiGroup && next.kind === before.kind && next.name === before.name;
  if (same) return [];
  const shown = internalValue(next, "io.k8s.api.rbac.v1.RoleRef");
  return [fieldErrors.invalid(FieldPath.root("roleRef"), shown, "cannot change roleRef")];
}

function validateSubject(subject: Subject, path: FieldPath, scope: "namespace" | "cluster"): FieldError[] {
  const errors: FieldError[] = [];
  if (!subject.name) errors.push(fieldErrors.required(path.child("name")));
  const group = subject.apiGroup ?? "";
  switch (subject.kind) {
    case "ServiceAccount":
      if (subject.name) {
        errors.push(...invalidFor(path.child("name"), subject.name, isDNS1123Subdomain(subject.name)));
      }
      if (group !== "") errors.push(fieldErrors.notSupported(path.child("apiGroup"), group, [""]));
      if (!subject.namespace && scope === "cluster")
        errors.push(fieldErrors.required(path.child("namespace")));
      break;
    case "User":
    case "Group":
      if (group !== rbacGroup) {
        errors.push(fieldErrors.notSupported(path.child("apiGroup"), group, [rbacGroup]));
      }
      break;
    default:
      errors.push(
        fieldErrors.notSupported(path.child("kind"), subject.kind ?? "", ["ServiceAccount", "User", "Group"]),
      );
  }
  return errors;
}
