import { ApiError } from "../../apimachinery/index.ts";
import {
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  selectorMatches,
} from "../../apimachinery/selector/index.ts";
import type { Selection } from "../../api/index.ts";
import type { Trigger } from "./cache.ts";
import type { Entry } from "./entry.ts";
import type { ServedResource } from "./served.ts";

/** A selection ready to be asked of many entries. */
export interface EntrySelector {
  /** Where in the store the matching entries are. */
  readonly prefix: string;
  /** The one name that can match, where the selection says so. */
  readonly name: string | undefined;
  /** Whether entries below the prefix may not match. */
  readonly selective: boolean;
  /** A field that must have one value: lets others' changes pass by. */
  readonly trigger: Trigger | undefined;
  matches(entry: Entry): boolean;
}

/** Reads a selection; throws `BadRequest` when it cannot be understood. */
export function selectorOf(served: ServedResource, selection: Selection): EntrySelector {
  const { prefix: root } = served.storage;
  const prefix = selection.namespace ? `${root}${selection.namespace}/` : root;
  const labels = understood(() => parseLabelSelector(selection.labelSelector ?? ""));
  const fields = understood(() => parseFieldSelector(selection.fieldSelector ?? "")).map((term) => ({
    ...term,
    equal: term.operator === "=",
    read: readerOf(served, term.field),
  }));
  const byLabels = labels.type === "nothing" || labels.requirements.length > 0;
  const everywhere = prefix === root;
  const exact = fields.find((term) => term.equal);
  return {
    prefix,
    name: fields.find((term) => term.equal && term.field === "metadata.name")?.value,
    selective: byLabels || fields.length > 0,
    trigger: exact && { field: exact.field, value: exact.value, valueOf: exact.read },
    matches(entry) {
      if (!everywhere && !entry.key.startsWith(prefix)) return false;
      for (const { read, value, equal } of fields) if ((read(entry) === value) !== equal) return false;
      return !byLabels || selectorMatches(labels, entry.object.metadata.labels);
    },
  };
}

function understood<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SelectorError) throw ApiError.badRequest(error.message);
    throw error;
  }
}

function readerOf(served: ServedResource, field: string): (entry: Entry) => string {
  if (field === "metadata.name") return (entry) => entry.object.metadata.name;
  const { selectableFields } = served.definition;
  if (field === "metadata.namespace" && (served.resource.namespaced || !selectableFields)) {
    return (entry) => entry.object.metadata.namespace ?? "";
  }
  const read = selectableFields?.[field];
  if (!read) {
    // Kinds without fields of their own say which ones all objects have.
    const known = 'only "metadata.name", "metadata.namespace"';
    const why = selectableFields
      ? `field label not supported: ${field}`
      : `${JSON.stringify(field)} is not a known field selector: ${known}`;
    throw ApiError.badRequest(why);
  }
  return (entry) => read(served.fromStored(entry.object));
}
