import type { Event as CoreEvent } from "../types/core-v1.ts";
import type { Event } from "../types/events-v1.ts";

/** Fields whose names differ: in events.k8s.io, and in the core group. */
const renamed = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
] as const;

/** An event of events.k8s.io as the core group has it, which is also how it is stored. */
export function eventToCore(event: Event): CoreEvent {
  const fields: Record<string, unknown> = { ...event, apiVersion: "v1" };
  for (const [ours, core] of renamed) move(fields, ours, core);
  return fields as unknown as CoreEvent;
}

/** An event of the core group as events.k8s.io has it. */
export function eventFromCore(event: CoreEvent): Event {
  const fields: Record<string, unknown> = { ...event, apiVersion: "events.k8s.io/v1" };
  for (const [ours, core] of renamed) move(fields, core, ours);
  // The core group writes these also when they are empty.
  for (const field of ["reportingController", "reportingInstance"])
    if (fields[field] === "") delete fields[field];
  return fields as unknown as Event;
}

function move(fields: Record<string, unknown>, from: string, to: string): void {
  if (!(from in fields)) return;
  fields[to] = fields[from];
  delete fields[from];
}
