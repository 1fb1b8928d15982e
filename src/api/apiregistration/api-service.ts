import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, timestampOf } from "../../apimachinery/index.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField } from "../common/fill.ts";
import { defineResource } from "../definition.ts";
import { APIService } from "../types/apiregistration-v1.ts";

/** The rules of registered API groups. */
export const apiServiceDefinition = defineResource<APIService>({
  resource: APIService,
  plainFinalizers: true,
  requiresVersion: true,
  defaults: (object) =>
    mapField(object, "spec", (spec) => mapField(spec, "service", (service) => fill(service, { port: 443 }))),
  validate,
  // What the server serves itself is there as soon as it is named.
  prepareForCreate: (object, { now }) =>
    object.spec.service === undefined ? { ...object, status: { conditions: [localCondition(now)] } } : object,
  prepareForStatusUpdate: (object, old) => ({ ...object, spec: old.spec }),
  columns: [
    nameColumn,
    column("Service", "Who serves the group", {
      value: ({ spec }) =>
        spec.service ? `${spec.service.namespace ?? ""}/${spec.service.name ?? ""}` : "Local",
    }),
    column("Available", "Whether the group is served", { value: availability }),
    ageColumn,
  ],
  nameRule: "path",
  tracksGeneration: false,
});

const localCondition = (now: number) => ({
  type: "Available",
  status: "True",
  lastTransitionTime: timestampOf(now),
  reason: "Local",
  message: "Local APIServices are always available",
});

function validate({ metadata, spec }: APIService): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  const { group = "", version = "", service } = spec;
  const expected = `${version}.${group}`;
  if (metadata.name !== expected) {
    const why = `must be \`spec.version+"."+spec.group\`: "${expected}"`;
    errors.push(fieldErrors.invalid(FieldPath.root("metadata").child("name"), metadata.name, why));
  }
  if (version === "") errors.push(fieldErrors.required(path.child("version")));
  const groupPriorityMinimum = spec.groupPriorityMinimum ?? 0;
  const versionPriority = spec.versionPriority ?? 0;
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
    const why = "must be positive and less than 20000";
    errors.push(fieldErrors.invalid(path.child("groupPriorityMinimum"), groupPriorityMinimum, why));
  }
  if (versionPriority <= 0 || versionPriority > 1000) {
    const why = "must be positive and less than 1000";
    errors.push(fieldErrors.invalid(path.child("versionPriority"), versionPriority, why));
  }
  if (service === undefined) {
    if (spec.caBundle) {
      errors.push(
        fieldErrors.invalid(
          path.child("caBundle"),
          `${spec.caBundle.length} bytes`,
          "local APIServices may not have a caBundle",
        ),
      );
    }
    if (spec.insecureSkipTLSVerify) {
      const why = "local APIServices may not have insecureSkipTLSVerify";
      errors.push(fieldErrors.invalid(path.child("insecureSkipTLSVerify"), true, why));
    }
    return errors;
  }
  if (!service.namespace) errors.push(fieldErrors.required(path.child("service", "namespace")));
  if (!service.name) errors.push(fieldErrors.required(path.child("service", "name")));
  if (spec.insecureSkipTLSVerify && spec.caBundle) {
    const why = "may not be true if caBundle is present";
    errors.push(fieldErrors.invalid(path.child("insecureSkipTLSVerify"), true, why));
  }
  return errors;
}

function availability({ status }: APIService): string {
  const condition = (status?.conditions ?? []).find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason ?? ""})`;
}
