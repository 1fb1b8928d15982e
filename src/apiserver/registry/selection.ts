import { ApiError } from "../../apimachinery/index.ts";
import {
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  selectorMatches,
} from "../../apimachinery/selector/index.ts";
import type { FieldSelector, Selector } from "../../apimachinery/selector/index.ts";
import type { Selection } from "../../api/index.ts";
import type { Entry } from "./entry.ts";
import type { Trigger } from "./field-index.ts";
import type { ServedResource } from "./served.ts";
import { storageKey } from "./storage-path.ts";

/** A selection that can be read, of fields that the resource may not know. */
export interface ParsedSelection {
  readonly namespace: string | undefined;
  readonly labels: Selector;
  readonly fields: FieldSelector;
}

/** A selection ready to be asked of many entries. */
export interface EntrySelector {
  /** Where in the store the matching entries are. */
  readonly prefix: string;
  /** The key of the one object that can match, where the selection says so. */
  readonly single: string | undefined;
  /** Whether entries below the prefix may not match. */
  readonly selective: boolean;
  /** What entries are compared by must have been converted by whoever does that. */
  readonly converts: boolean;
  /** A field or label that must have one value: lets others' changes pass by, and finds objects by indexes. */
  readonly trigger: Trigger | undefined;
  matches(entry: Entry): boolean;
}

/** Reads the texts of a selection; throws `BadRequest` when they cannot be understood. */
export function parseSelection(selection: Selection): ParsedSelection {
  return {
    namespace: selection.namespace,
    labels: understood(() => parseLabelSelector(selection.labelSelector ?? "")),
    fields: understood(() => parseFieldSelector(selection.fieldSelector ?? "")),
  };
}

/** A selection among a resource's objects; throws `BadRequest` for fields that they cannot be selected by. */
export function selectorOf(served: ServedResource, selection: ParsedSelection): EntrySelector {
  const { prefix: root } = served.storage;
  const { namespace, labels } = selection;
  const prefix = namespace ? `${root}${namespace}/` : root;
  const fields = selection.fields.map((term) => ({
    ...term,
    equal: term.operator === "=",
    read: readerOf(served, term.field),
  }));
  const byLabels = labels.type === "nothing" || labels.requirements.length > 0;
  const { remote } = served;
  const isPlaced = (field: string) => field === "metadata.name" || field === "metadata.namespace";
  const converts = remote !== undefined && (byLabels || fields.some(({ field }) => !isPlaced(field)));
  const everywhere = prefix === root;
  const exact = fields.find((term) => term.equal);
  const name = fields.find((term) => term.equal && term.field === "metadata.name")?.value;
  const located = name !== undefined && (Boolean(namespace) || !served.resource.namespaced);
  return {
    prefix,
    single: located ? storageKey(root, { namespace, name }) : undefined,
    selective: byLabels || fields.length > 0,
    converts,
    trigger: converts
      ? undefined
      : exact
        ? { field: `f:${exact.field}`, value: exact.value, valueOf: exact.read }
        : labelTrigger(labels),
    matches(entry) {
      if (!everywhere && !entry.key.startsWith(prefix)) return false;
      for (const { read, value, equal } of fields) if ((read(entry) === value) !== equal) return false;
      if (!byLabels) return true;
      const { metadata } = remote ? served.fromStored(entry.object) : entry.object;
      return selectorMatches(labels, metadata.labels);
    },
  };
}

const isEquality: ReadonlySet<string> = new Set(["=", "==", "in"]);
/** Stands for a label that is not there, which no value of a label equals. */
const noLabel = " ";

/** A label that must have one value. */
function labelTrigger(labels: Selector): Trigger | undefined {
  if (labels.type === "nothing") return undefined;
  const exact = labels.requirements.find(
    ({ operator, values }) => isEquality.has(operator) && values.length === 1,
  );
  if (!exact) return undefined;
  const { key, values } = exact;
  const valueOf = ({ object }: Entry) => object.metadata.labels?.[key] ?? noLabel;
  return { field: `l:${key}`, value: values[0]!, valueOf };
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
  const ownRules = served.custom || selectableFields !== undefined;
  if (field === "metadata.namespace" && (served.resource.namespaced || !ownRules)) {
    return (entry) => entry.object.metadata.namespace ?? "";
  }
  const read = selectableFields?.[field];
  if (!read) throw ApiError.badRequest(unknownField(served, { field, ownRules }));
  return (entry) => read(served.fromStored(entry.object));
}

/** Kinds without rules of their own say which fields all objects have. */
function unknownField(
  { definition }: ServedResource,
  { field, ownRules }: { readonly field: string; readonly ownRules: boolean },
): string {
  if (definition.unknownField) return definition.unknownField(field);
  if (ownRules) return `field label not supported: ${field}`;
  return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}
