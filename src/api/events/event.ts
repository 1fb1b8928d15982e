import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isQualifiedName } from "../../apimachinery/index.ts";
import { invalidFor } from "../common/checks.ts";
import { eventDefinition as coreDefinition, eventTimeToLive } from "../core/event.ts";
import { defineResource } from "../definition.ts";
import { Event } from "../types/events-v1.ts";
import { eventToCore } from "./conversion.ts";

const longestAction = 128;
const longestReason = 128;
const longestNote = 1024;

/** The rules of events, as the group events.k8s.io has them: the same objects as the core group's. */
export const eventsEventDefinition = defineResource<Event>({
  resource: Event,
  createsOnUpdate: true,
  validate: (event, context) => [
    ...(context.operation === "create" ? validateNew(event) : []),
    ...(coreDefinition.validate?.(eventToCore(event), context) ?? []),
  ],
  columns: (coreDefinition.columns ?? []).map((column) => ({
    ...column,
    value: (event, now) => column.value(eventToCore(event), now),
  })),
  selectableFields: Object.fromEntries(
    Object.entries(coreDefinition.selectableFields ?? {}).map(([field, value]) => [
      field.replace(/^involvedObject\./, "regarding.").replace(/^reportingComponent$/, "reportingController"),
      (event: Event) => value(eventToCore(event)),
    ]),
  ),
  nameRule: "path",
  timeToLive: eventTimeToLive,
  tracksGeneration: false,
});

function validateNew(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const text = (field: "reportingInstance" | "action" | "reason", maximum: number) => {
    const value = event[field] ?? "";
    const path = FieldPath.root(field);
    if (value === "") errors.push(fieldErrors.required(path));
    else if (value.length > maximum) {
      errors.push(fieldErrors.invalid(path, "", `can have at most ${maximum} characters`));
    }
  };
  if (!event.eventTime) errors.push(fieldErrors.required(FieldPath.root("eventTime")));
  const controller = event.reportingController ?? "";
  if (controller === "") errors.push(fieldErrors.required(FieldPath.root("reportingController")));
  else
    errors.push(
      ...invalidFor(FieldPath.root("reportingController"), controller, isQualifiedName(controller)),
    );
  text("reportingInstance", longestAction);
  text("action", longestAction);
  text("reason", longestReason);
  if ((event.note ?? "").length > longestNote) {
    errors.push(
      fieldErrors.invalid(FieldPath.root("message"), "", `can have at most ${longestNote} characters`),
    );
  }
  if (event.type !== "Normal" && event.type !== "Warning") {
    errors.push(fieldErrors.invalid(FieldPath.root("type"), "", `has invalid value: ${event.type ?? ""}`));
  }
  return errors;
}
