import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1035Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  timestampOf,
} from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fillMissing, mapField } from "../common/fill.ts";
import { onlyStatus } from "../common/metadata.ts";
import { updateChecks } from "../common/updates.ts";
import { validateServicePort } from "../common/webhook-client.ts";
import { base64Length } from "../core/data.ts";
import { defineResource } from "../definition.ts";
import type { APIServiceSpec } from "../types/apiregistration-v1.ts";
import { APIService } from "../types/apiregistration-v1.ts";

const highestGroupPriority = 20_000;
const highestVersionPriority = 1000;
const statuses = ["True", "False", "Unknown"];
const path = FieldPath.root("spec");

/** The rules of registered API groups. */
export const apiServiceDefinition = defineResource<APIService>({
  resource: APIService,
  plainFinalizers: true,
  repeatedMetadataChecks: ["change", "whole"],
  requiresVersion: true,
  defaults: (object) =>
    mapField(object, "spec", (spec) =>
      mapField(spec, "service", (service) => fillMissing(service, { port: 443 })),
    ),
  validate: (object) => [...validateName(object), ...validateSpec(object.spec)],
  validateUpdate: updateChecks({ status: validateStatus }),
  // What the server serves itself is there as soon as it is named.
  prepareForCreate: (object, { now }) =>
    object.spec.service === undefined ? { ...object, status: { conditions: [localCondition(now)] } } : object,
  prepareForStatusUpdate: onlyStatus,
  columns: [
    nameColumn,
    column("Service", "Who serves the group", {
      value: ({ spec }) =>
        spec.service ? `${spec.service.namespace ?? ""}/${spec.service.name ?? ""}` : "Local",
    }),
    column("Available", "Whether the group is served", { value: availability }),
    ageColumn,
  ],
  nameRule: "none",
  tracksGeneration: false,
});

const localCondition = (now: number) => ({
  type: "Available",
  status: "True",
  lastTransitionTime: timestampOf(now),
  reason: "Local",
  message: "Local APIServices are always available",
});

function validateName({ metadata: { name }, spec }: APIService): FieldError[] {
  const at = FieldPath.root("metadata").child("name");
  const problems = isPathSegmentName(name);
  if (name === "" || problems.length > 0) return invalidFor(at, name, name === "" ? [] : problems);
  const expected = `${spec.version ?? ""}.${spec.group ?? ""}`;
  if (name === expected) return [];
  const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(expected)}`;
  return [fieldErrors.invalid(at, name, why)];
}

function validateSpec(spec: APIServiceSpec): FieldError[] {
  const { group = "", version = "" } = spec;
  const errors: FieldError[] = [];
  if (group === "" && version !== "v1") {
    const why = "only v1 may have an empty group and it better be legacy kube";
    errors.push(fieldErrors.required(path.child("group"), why));
  }
  if (group !== "") errors.push(...invalidFor(path.child("group"), group, isDNS1123Subdomain(group)));
  errors.push(...invalidFor(path.child("version"), version, isDNS1035Label(version)));
  const priority = (field: "groupPriorityMinimum" | "versionPriority", highest: number) => {
    const value = spec[field] ?? 0;
    if (value > 0 && value <= highest) return;
    const why = `must be positive and less than ${highest}`;
    errors.push(fieldErrors.invalid(path.child(field), value, why));
  };
  priority("groupPriorityMinimum", highestGroupPriority);
  priority("versionPriority", highestVersionPriority);
  return [...errors, ...(spec.service === undefined ? validateLocal(spec) : validateRemote(spec))];
}

function validateLocal({ caBundle, insecureSkipTLSVerify }: APIServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (caBundle) {
    const size = `${base64Length(caBundle)} bytes`;
    const why = "local APIServices may not have a caBundle";
    errors.push(fieldErrors.invalid(path.child("caBundle"), size, why));
  }
  if (insecureSkipTLSVerify) {
    const why = "local APIServices may not have insecureSkipTLSVerify";
    errors.push(fieldErrors.invalid(path.child("insecureSkipTLSVerify"), true, why));
  }
  return errors;
}

function validateRemote({ service, caBundle, insecureSkipTLSVerify }: APIServiceSpec): FieldError[] {
  const at = path.child("service");
  const errors: FieldError[] = [];
  if (!service?.namespace) errors.push(fieldErrors.required(at.child("namespace")));
  if (!service?.name) errors.push(fieldErrors.required(at.child("name")));
  errors.push(...validateServicePort(service?.port ?? 0, at.child("port")));
  if (insecureSkipTLSVerify && caBundle) {
    const why = "may not be true if caBundle is present";
    errors.push(fieldErrors.invalid(path.child("insecureSkipTLSVerify"), true, why));
  }
  return errors;
}

function validateStatus({ status }: APIService): FieldError[] {
  const at = FieldPath.root("status").child("conditions");
  return (status?.conditions ?? []).flatMap((condition, index) =>
    statuses.includes(condition.status)
      ? []
      : [fieldErrors.notSupported(at.index(index).child("status"), condition.status ?? "", statuses)],
  );
}

function availability({ status }: APIService): string {
  const condition = (status?.conditions ?? []).find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason ?? ""})`;
}
