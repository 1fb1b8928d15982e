import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { immutable, nonNegative } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { defineResource } from "../definition.ts";
import { ControllerRevision } from "../types/apps-v1.ts";

/** The rules of controller revisions. */
export const controllerRevisionDefinition = defineResource<ControllerRevision>({
  resource: ControllerRevision,
  validate,
  validateUpdate: (revision, old) => immutable(FieldPath.root("data"), revision.data, old.data),
  columns: [
    nameColumn,
    column("Controller", "Whose revision it is", { value: controllerOf }),
    column("Revision", "Number of the revision", { value: (revision) => revision.revision ?? 0 }),
    ageColumn,
  ],
});

function validate(revision: ControllerRevision): readonly FieldError[] {
  return [
    ...(!revision.data ? [fieldErrors.required(FieldPath.root("data"), "data is mandatory")] : []),
    ...nonNegative(FieldPath.root("revision"), revision.revision),
  ];
}

function controllerOf(revision: ControllerRevision): string {
  const owner = (revision.metadata.ownerReferences ?? []).find((reference) => reference.controller === true);
  if (owner === undefined) return "<none>";
  const slash = owner.apiVersion.indexOf("/");
  const group = slash < 0 ? "" : `.${owner.apiVersion.slice(0, slash)}`;
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}
