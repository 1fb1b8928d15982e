import type { FieldError } from "../../apimachinery/index.ts";
import {
  FieldPath,
  byteLength,
  fieldErrors,
  isDNS1123Subdomain,
  isQualifiedName,
} from "../../apimachinery/index.ts";
import { immutable, invalidFor } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { internalValue } from "../common/internal-value.ts";
import type { Event } from "../types/core-v1.ts";

const longestText = 128;
const longestMessage = 1024;
const fewestOfSeries = 2;
const namespacePath = FieldPath.root("involvedObject").child("namespace");

/**
 * Checks what must hold of events of all versions; those without a time are of the old form, and may say less. Who
 * reports is a field with another name in each version.
 */
export function validateEvent(
  event: Event,
  reporter: "reportingComponent" | "reportingController",
): readonly FieldError[] {
  const namespace = event.metadata.namespace ?? "";
  return [
    ...(event.eventTime ? validateTimed(event, FieldPath.root(reporter)) : validateOld(event)),
    ...invalidFor(FieldPath.root("namespace"), namespace, isDNS1123Subdomain(namespace)),
  ];
}

const otherNamespace = (about: string) =>
  fieldErrors.invalid(namespacePath, about, "does not match event.namespace");

function validateOld({ metadata, involvedObject }: Event): FieldError[] {
  const about = involvedObject?.namespace ?? "";
  const namespace = metadata.namespace ?? "";
  const fits = about === "" ? namespace === "" || namespace === "default" : namespace === about;
  return fits ? [] : [otherNamespace(about)];
}

function validateTimed(event: Event, controllerPath: FieldPath): FieldError[] {
  const about = event.involvedObject?.namespace ?? "";
  const namespace = event.metadata.namespace ?? "";
  const controller = event.reportingComponent ?? "";
  const errors: FieldError[] = [];
  if (about === "" && namespace !== "default" && namespace !== "kube-system") {
    errors.push(otherNamespace(about));
  }
  if (controller === "") errors.push(fieldErrors.required(controllerPath));
  errors.push(...invalidFor(controllerPath, controller, isQualifiedName(controller)));
  for (const field of ["reportingInstance", "action", "reason"] as const) {
    if (!event[field]) errors.push(fieldErrors.required(FieldPath.root(field)));
    errors.push(...tooLong(field, event[field], longestText));
  }
  return [...errors, ...tooLong("message", event.message, longestMessage)];
}

function tooLong(field: string, value: string | undefined, maximum: number): FieldError[] {
  return byteLength(value ?? "") > maximum
    ? [fieldErrors.invalid(FieldPath.root(field), "", `can have at most ${maximum} characters`)]
    : [];
}

/** What must hold besides of a new event that comes in the new form. */
export function validateNewEvent(event: Event): readonly FieldError[] {
  const errors = validateSeries(event);
  if (!event.eventTime) errors.push(fieldErrors.required(FieldPath.root("eventTime")));
  if (event.type !== "Normal" && event.type !== "Warning") {
    const why = `has invalid value: ${event.type ?? ""}`;
    errors.push(fieldErrors.invalid(FieldPath.root("type"), "", why));
  }
  const unused = {
    firstTimestamp: event.firstTimestamp,
    lastTimestamp: event.lastTimestamp,
    count: event.count,
    source: event.source?.component || event.source?.host,
  };
  for (const [field, value] of Object.entries(unused)) {
    if (value) errors.push(fieldErrors.invalid(FieldPath.root(field), "", "needs to be unset"));
  }
  return errors;
}

const packageName = "io.k8s.api.core.v1";
const reference = `${packageName}.ObjectReference`;
/** Fields that a change through the new form leaves as they are, in the order and as often as upstream tells them. */
const constantFields = [
  ["involvedObject", reference],
  ["reason", "string"],
  ["source", `${packageName}.EventSource`],
  ["firstTimestamp", "io.k8s.apimachinery.pkg.apis.meta.v1.Time"],
  ["lastTimestamp", "io.k8s.apimachinery.pkg.apis.meta.v1.Time"],
  ["count", "int32"],
  ["reason", "string"],
  ["type", "string"],
  ["eventTime", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"],
  ["action", "string"],
  ["related", `*${reference}`],
  ["reportingComponent", "string", "reportingController"],
  ["reportingInstance", "string"],
] as const;

/**
 * What must hold besides of a change that comes in the new form: of an event only the series goes on. Upstream holds
 * the message back, too; conformance tests of v1.20 change it.
 */
export function validateEventChange(event: Event, old: Event): readonly FieldError[] {
  return [
    ...(semanticallyEqual(event.series, old.series) ? [] : validateSeries(event)),
    ...constantFields.flatMap(([field, type, name = field]) => {
      const [next, before] = [event, old].map((each) => internalValue(each[field], type));
      return immutable(FieldPath.root(name), next, before);
    }),
  ];
}

function validateSeries({ series }: Event): FieldError[] {
  if (!series) return [];
  const errors: FieldError[] = [];
  if ((series.count ?? 0) < fewestOfSeries) {
    const why = `should be at least ${fewestOfSeries}`;
    errors.push(fieldErrors.invalid(FieldPath.root("series.count"), "", why));
  }
  if (!series.lastObservedTime) {
    errors.push(fieldErrors.required(FieldPath.root("series.lastObservedTime")));
  }
  return errors;
}
