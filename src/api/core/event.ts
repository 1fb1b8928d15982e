import { column, nameColumn } from "../common/columns.ts";
import { ageSince } from "../common/duration.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { Event } from "../types/core-v1.ts";
import { validateEvent } from "./event-validation.ts";

/** How long events are kept: an hour. */
export const eventTimeToLive = 60 * 60 * 1000;

const columns: readonly PrinterColumn<Event>[] = [
  column("Last Seen", "Time since the event last happened", { value: lastSeen }),
  column("Type", "Normal or Warning", { value: (event) => event.type ?? "" }),
  column("Reason", "Why, in one word", { value: (event) => event.reason ?? "" }),
  column("Object", "What the event is about", { value: objectText }),
  column("Subobject", "Which part of the object", {
    wide: true,
    value: (event) => event.involvedObject?.fieldPath ?? "",
  }),
  column("Source", "Who reports the event", { wide: true, value: sourceText }),
  column("Message", "What happened", { value: (event) => (event.message ?? "").trim() }),
  column("First Seen", "Time since the event first happened", { wide: true, value: firstSeen }),
  column("Count", "How often the event happened", { wide: true, value: countOf }),
  { ...nameColumn, priority: 1 },
];

/** The rules of events, as the core group has them. */
export const eventDefinition = defineResource<Event>({
  resource: Event,
  plainFinalizers: true,
  repeatedMetadataChecks: [],
  hasNoDependents: true,
  createsOnUpdate: true,
  validate: (event) => validateEvent(event, "reportingComponent"),
  columns,
  nameRule: "path",
  selectableFields: {
    "involvedObject.kind": (event) => event.involvedObject?.kind ?? "",
    "involvedObject.namespace": (event) => event.involvedObject?.namespace ?? "",
    "involvedObject.name": (event) => event.involvedObject?.name ?? "",
    "involvedObject.uid": (event) => event.involvedObject?.uid ?? "",
    "involvedObject.apiVersion": (event) => event.involvedObject?.apiVersion ?? "",
    "involvedObject.resourceVersion": (event) => event.involvedObject?.resourceVersion ?? "",
    "involvedObject.fieldPath": (event) => event.involvedObject?.fieldPath ?? "",
    reason: (event) => event.reason ?? "",
    reportingComponent: (event) => event.reportingComponent ?? "",
    source: (event) => event.source?.component || event.reportingComponent || "",
    type: (event) => event.type ?? "",
  },
  timeToLive: eventTimeToLive,
  tracksGeneration: false,
});

function lastSeen(event: Event, now: number): string {
  if (event.series) return ageSince(event.series.lastObservedTime, now);
  return event.lastTimestamp ? ageSince(event.lastTimestamp, now) : firstSeen(event, now);
}

function firstSeen(event: Event, now: number): string {
  return ageSince(event.firstTimestamp || event.eventTime, now);
}

function countOf(event: Event): number {
  return event.series ? (event.series.count ?? 0) : event.count || 1;
}

function objectText(event: Event): string {
  const kind = (event.involvedObject?.kind ?? "").toLowerCase();
  const name = event.involvedObject?.name ?? "";
  return name === "" ? kind : `${kind}/${name}`;
}

function sourceText(event: Event): string {
  const component = event.source?.component || event.reportingComponent || "";
  const host = event.source?.host || event.reportingInstance || "";
  return host === "" ? component : `${component}, ${host}`;
}
