import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { immutable, invalidFor, requiredText } from "../common/checks.ts";
import { ageColumn, nameColumn } from "../common/columns.ts";
import { validateConditions } from "../common/conditions.ts";
import { omit } from "../common/fill.ts";
import { onlyStatus } from "../common/metadata.ts";
import { validateSegments } from "../common/references.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type { PodGroupTemplate, WorkloadSpec } from "../types/scheduling-v1alpha2.ts";
import { PodGroup, Workload } from "../types/scheduling-v1alpha2.ts";
import { disabledFields, duplicateOf, validatePolicy, withoutDisabled } from "./pod-group-rules.ts";

const mostTemplates = 8;
const specPath = FieldPath.root("spec");
const columns = [nameColumn, ageColumn];

/** The rules of workloads: what groups their pods are in. */
export const workloadDefinition = defineResource<Workload>({
  resource: Workload,
  prepareForCreate: (object) => ({ ...object, spec: withoutDisabledIn(object.spec, []) }),
  prepareForUpdate: (object, old) => ({
    ...object,
    spec: withoutDisabledIn(object.spec, old.spec?.podGroupTemplates ?? []),
  }),
  validateCreate: ({ spec }) => validateWorkload(spec ?? {}),
  validateUpdate: ({ spec }, { spec: old }) => [
    ...immutable(specPath.child("controllerRef"), spec?.controllerRef, old?.controllerRef),
    ...immutable(
      specPath.child("podGroupTemplates"),
      spec?.podGroupTemplates ?? [],
      old?.podGroupTemplates ?? [],
    ),
  ],
  columns,
});

/** The rules of groups of pods that are scheduled together. */
export const podGroupDefinition = defineResource<PodGroup>({
  resource: PodGroup,
  tracksGeneration: false,
  prepareForCreate: (group) => ({ ...group, spec: withoutDisabled(group.spec, []) }),
  prepareForUpdate: (group, old) => ({ ...group, spec: withoutDisabled(group.spec, [old.spec]) }),
  prepareForStatusUpdate: (group, old) => withoutClaims(onlyStatus(group, old), old),
  validateCreate: ({ spec }) => validatePodGroup(spec ?? {}),
  validateUpdate: updateChecks({
    other: ({ spec }, { spec: old }) =>
      constantFields.flatMap((field) => immutable(specPath.child(field), spec?.[field], old?.[field])),
    status: ({ status }) =>
      validateConditions(status?.conditions, FieldPath.root("status").child("conditions")),
  }),
  columns,
});

const constantFields = ["podGroupTemplateRef", "schedulingPolicy", ...disabledFields] as const;

function withoutDisabledIn(spec: WorkloadSpec, old: readonly PodGroupTemplate[]): WorkloadSpec {
  const templates = spec?.podGroupTemplates;
  if (!templates) return spec;
  return { ...spec, podGroupTemplates: templates.map((template) => withoutDisabled(template, old)) };
}

/** The group without what a feature that is off reports, unless it reported some already. */
function withoutClaims(group: PodGroup, old: PodGroup): PodGroup {
  if (!group.status || old.status?.resourceClaimStatuses) return group;
  return { ...group, status: omit(group.status, "resourceClaimStatuses") };
}

function validateWorkload({ controllerRef, podGroupTemplates }: Partial<WorkloadSpec>): FieldError[] {
  const path = specPath.child("podGroupTemplates");
  const templates = podGroupTemplates ?? [];
  return [
    ...(controllerRef ? validateController(controllerRef, specPath.child("controllerRef")) : []),
    ...(templates.length === 0
      ? [fieldErrors.required(path)]
      : templates.length > mostTemplates
        ? [fieldErrors.tooMany(path, templates.length, mostTemplates)]
        : [
            ...templates.flatMap((_, index) => duplicateOf(templates, index, path.index(index))),
            ...templates.flatMap((template, index) => [
              ...requiredText(path.index(index).child("name"), template.name, isDNS1123Label),
              ...validatePolicy(template.schedulingPolicy, path.index(index).child("schedulingPolicy")),
            ]),
          ]),
  ];
}

function validateController(
  { apiGroup, kind, name }: NonNullable<WorkloadSpec["controllerRef"]>,
  path: FieldPath,
): FieldError[] {
  return [
    ...(apiGroup ? invalidFor(path.child("apiGroup"), apiGroup, isDNS1123Subdomain(apiGroup)) : []),
    ...validateSegments({ kind, name }, path, ["kind", "name"]),
  ];
}

function validatePodGroup(spec: Partial<PodGroup["spec"]>): FieldError[] {
  const { podGroupTemplateRef: template, schedulingPolicy } = spec;
  return [
    ...(template ? validateTemplate(template, specPath.child("podGroupTemplateRef")) : []),
    ...validatePolicy(schedulingPolicy, specPath.child("schedulingPolicy")),
  ];
}

function validateTemplate(
  { workload }: NonNullable<PodGroup["spec"]["podGroupTemplateRef"]>,
  path: FieldPath,
): FieldError[] {
  if (!workload) return [fieldErrors.invalid(path, "", "must specify one of: `workload`")];
  const at = path.child("workload");
  return [
    ...requiredText(at.child("workloadName"), workload.workloadName, isDNS1123Subdomain),
    ...requiredText(at.child("podGroupTemplateName"), workload.podGroupTemplateName, isDNS1123Label),
  ];
}
