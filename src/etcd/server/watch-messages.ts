import { type Change, keyOf, revisionOf } from "../../store/index.ts";
import { enumerations, type EtcdInput, type EtcdOutput } from "../messages.ts";
import { keyValueOf } from "../snapshot/index.ts";

type Event = EtcdInput<"Event">;
/** The part of an answer that tells of changes. */
export type EventsPart = Pick<EtcdInput<"WatchResponse">, "events" | "fragment">;

const { eventType, watchFilter } = enumerations;

/** Bytes of an event besides its keys and values, at most. */
const eventOverhead = 64;

/** Changes as messages of bounded size; those of one revision share a message unless the watcher takes fragments. */
export function eventMessages(
  changes: readonly Change[],
  options: { readonly request: EtcdOutput<"WatchCreateRequest">; readonly largest: number },
): readonly EventsPart[] {
  const { request, largest } = options;
  const messages: { events: Event[]; fragment: boolean }[] = [];
  let bytes = 0;
  let revision = 0;
  for (const change of changes) {
    if (request.filters.includes(change.type === "put" ? watchFilter.noPut : watchFilter.noDelete)) continue;
    const size = sizeOf(change, request.prevKv);
    const isOfLast = revisionOf(change) === revision;
    const open = messages.at(-1);
    if (open && (bytes + size <= largest || (isOfLast && !request.fragment))) {
      open.events.push(eventOf(change, request.prevKv));
      bytes += size;
    } else {
      if (open && isOfLast) open.fragment = true;
      messages.push({ events: [eventOf(change, request.prevKv)], fragment: false });
      bytes = size;
    }
    revision = revisionOf(change);
  }
  return messages;
}

function eventOf(change: Change, withPrevious: boolean): Event {
  const previous = withPrevious && change.previous ? { prevKv: keyValueOf(change.previous) } : {};
  if (change.type === "put") return { type: eventType.put, kv: keyValueOf(change.current), ...previous };
  const kv = { key: change.key, modRevision: change.revision };
  return { type: eventType.delete, kv, ...previous };
}

function sizeOf(change: Change, withPrevious: boolean): number {
  const current = change.type === "put" ? change.current.value.length : 0;
  const previous = withPrevious && change.previous ? keyOf(change).length + change.previous.value.length : 0;
  return eventOverhead + keyOf(change).length + current + previous;
}
