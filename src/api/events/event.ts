import { eventDefinition as coreDefinition, eventTimeToLive } from "../core/event.ts";
import { validateEvent, validateEventChange, validateNewEvent } from "../core/event-validation.ts";
import { defineResource } from "../definition.ts";
import { Event } from "../types/events-v1.ts";
import { eventToCore } from "./conversion.ts";

/** Who reports an event is no field of its own here. */
const selectable = Object.entries(coreDefinition.selectableFields ?? {}).filter(
  ([field]) => field !== "source",
);

/** The rules of events, as the group events.k8s.io has them: the same objects as the core group's. */
export const eventsEventDefinition = defineResource<Event>({
  resource: Event,
  hasNoDependents: true,
  createsOnUpdate: true,
  validate: (event) => validateEvent(eventToCore(event), "reportingController"),
  validateCreate: (event) => validateNewEvent(eventToCore(event)),
  validateUpdate: (event, old) => validateEventChange(eventToCore(event), eventToCore(old)),
  columns: (coreDefinition.columns ?? []).map((column) => ({
    ...column,
    value: (event, now) => column.value(eventToCore(event), now),
  })),
  selectableFields: Object.fromEntries(
    selectable.map(([field, value]) => [
      field.replace(/^involvedObject\./, "regarding.").replace(/^reportingComponent$/, "reportingController"),
      (event: Event) => value(eventToCore(event)),
    ]),
  ),
  timeToLive: eventTimeToLive,
  tracksGeneration: false,
});
