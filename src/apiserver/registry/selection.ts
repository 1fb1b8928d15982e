import { ApiError } from "../../apimachinery/index.ts";
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

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;
interface FieldTest {
  readonly field: string;
  readonly value: string;
  readonly equal: boolean;
}

function parseLabels(text: string): readonly LabelTest[] {
  const parts = text.match(/[^,(]+(?:\([^)]*\))?/g) ?? [];
  return parts.map((part): LabelTest => {
    const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(part);
    if (set) {
      const values = set[3]!.split(",").map((v) => v.trim());
      return (l) => {
        const has = l[set[1]!] !== undefined && values.includes(l[set[1]!]!);
        return set[2] === "in" ? has : !has;
      };
    }
    const eq = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part);
    if (eq) return (l) => (l[eq[1]!] === eq[3]) === (eq[2] !== "!=");
    const bare = part.trim();
    return bare.startsWith("!") ? (l) => l[bare.slice(1)] === undefined : (l) => l[bare] !== undefined;
  });
}

function parseFields(text: string): readonly FieldTest[] {
  return text
    .split(",")
    .filter(Boolean)
    .map((part) => {
      const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
      if (!match) throw ApiError.badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      return { field: match[1]!, value: match[3]!, equal: match[2] !== "!=" };
    });
}

type FieldReader = (entry: Entry) => string;

function readerOf(served: ServedResource, field: string): FieldReader {
  if (field === "metadata.name") return (entry) => entry.object.metadata.name;
  if (field === "metadata.namespace" && served.resource.namespaced) {
    return (entry) => entry.object.metadata.namespace ?? "";
  }
  const read = served.definition.selectableFields?.[field];
  if (!read) throw ApiError.badRequest(`field label not supported: ${field}`);
  return (entry) => read(served.fromStored(entry.object));
}

const noLabels = Object.freeze({});

export function selectorOf(served: ServedResource, selection: Selection): EntrySelector {
  const { prefix: root } = served.storage;
  const prefix = selection.namespace ? `${root}${selection.namespace}/` : root;
  const labels = selection.labelSelector ? parseLabels(selection.labelSelector) : [];
  const fields = (selection.fieldSelector ? parseFields(selection.fieldSelector) : []).map((test) => ({
    ...test,
    read: readerOf(served, test.field),
  }));
  const whole = prefix === root;
  const exact = fields.find((test) => test.equal);
  const name = fields.find((test) => test.equal && test.field === "metadata.name")?.value;
  return {
    prefix,
    name,
    selective: labels.length > 0 || fields.length > 0,
    trigger: exact && { field: exact.field, value: exact.value, valueOf: exact.read },
    matches(entry) {
      if (!whole && !entry.key.startsWith(prefix)) return false;
      for (const test of fields) if ((test.read(entry) === test.value) !== test.equal) return false;
      if (labels.length === 0) return true;
      const own = entry.object.metadata.labels ?? noLabels;
      return labels.every((test) => test(own));
    },
  };
}
