import { sharedText } from "../../apimachinery/index.ts";
import type { KubernetesObject, ManagedFieldsEntry } from "../../apimachinery/index.ts";
import type { Revision } from "../../store/index.ts";
import { digitsOf, writeNumber } from "./decimal.ts";

/** Any object of the API, its fields besides metadata unknown to the type system. */
export type AnyObject = KubernetesObject & { readonly [field: string]: unknown };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Objects that this process has just encoded, by their bytes: the cache takes them from here when the store hands
 * the bytes back, so that nothing is decoded that was here a moment ago.
 */
const justEncoded = new WeakMap<Uint8Array, AnyObject>();

const versionStart = encoder.encode('"resourceVersion":"');
const versionEnd = encoder.encode('",');

/** One version of one object as the cache holds it: the decoded form and the bytes, each made once. */
export class Entry {
  readonly key: string;
  readonly revision: Revision;
  /** Carries its resourceVersion. */
  readonly object: AnyObject;
  /** JSON without resourceVersion: the store's own bytes where they are in the form that we write. */
  private readonly stored: Uint8Array;
  /** Where the resourceVersion belongs in `stored`. */
  private readonly splice: number;

  constructor(from: { key: string; value: Uint8Array; revision: Revision; decoded?: AnyObject }) {
    this.key = from.key;
    this.revision = from.revision;
    const known = from.decoded ?? justEncoded.get(from.value);
    const decoded = known ?? decodedOf(from.value);
    const head = headOf(decoded);
    const regular = known !== undefined || startsWith(from.value, head);
    this.stored = regular ? from.value : encodeObject(decoded);
    this.splice = head.length;
    // What a spread is added to costs V8 five times as much, and every write and event comes here.
    const metadata = Object.assign({}, decoded.metadata, { resourceVersion: String(from.revision) });
    this.object = { ...decoded, metadata };
    justEncoded.delete(this.stored);
  }

  /** The same state as of another revision: what watchers see when the object leaves their view. */
  at(revision: Revision): Entry {
    return new Entry({ key: this.key, value: this.stored, revision, decoded: this.object });
  }

  /** The object's JSON as clients get it; `line` ends it with a line break. */
  json({ line = false }: { readonly line?: boolean } = {}): Uint8Array {
    const { stored, splice, revision } = this;
    const added = versionStart.length + digitsOf(revision) + versionEnd.length;
    const bytes = new Uint8Array(stored.length + added + (line ? 1 : 0));
    if (line) bytes[bytes.length - 1] = 0x0a;
    bytes.set(stored, added);
    bytes.copyWithin(0, added, added + splice);
    bytes.set(versionStart, splice);
    bytes.set(versionEnd, writeNumber(bytes, splice + versionStart.length, revision));
    return bytes;
  }

  get tailLength(): number {
    return this.stored.length - this.splice;
  }

  /** The JSON after the opening of metadata; with `{"metadata":{"resourceVersion":"…",` before it, an item of a list. */
  get tail(): Uint8Array {
    return this.stored.subarray(this.splice);
  }
}

function headOf(object: AnyObject): string {
  return `{"kind":"${object.kind}","apiVersion":"${object.apiVersion}","metadata":{`;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  if (bytes.length < text.length + 2) return false;
  for (let at = 0; at < text.length; at++) if (bytes[at] !== text.charCodeAt(at)) return false;
  return true;
}

/** The stored form: JSON that starts with kind, apiVersion and metadata, and has no resourceVersion. */
export function encodeObject(object: AnyObject): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...meta } = metadata;
  const decoded = { kind, apiVersion, metadata: meta, ...rest } as AnyObject;
  const bytes = encoder.encode(textOf(decoded));
  justEncoded.set(bytes, decoded);
  return bytes;
}

/** The object that stored bytes are of. */
export function decodedOf(bytes: Uint8Array): AnyObject {
  return justEncoded.get(bytes) ?? (JSON.parse(decoder.decode(bytes)) as AnyObject);
}

/** JSON; what other objects have too has been written already. */
function textOf(object: AnyObject): string {
  const { kind: _, apiVersion: __, metadata, spec, ...others } = object;
  const known = typeof spec === "object" && spec !== null ? sharedText(spec) : undefined;
  if (known === undefined) return JSON.stringify(object);
  const { managedFields = [], ...own } = metadata;
  const managers =
    managedFields.length === 0 ? "" : `,"managedFields":[${managedFields.map(managerText).join(",")}]`;
  const rest = JSON.stringify(others).slice(1, -1);
  return `${headOf(object)}${JSON.stringify(own).slice(1, -1)}${managers}},"spec":${known}${rest === "" ? "" : ","}${rest}}`;
}

function managerText({ fieldsV1 = {}, subresource, ...manager }: ManagedFieldsEntry): string {
  let fields = "";
  for (const [name, node] of Object.entries(fieldsV1)) {
    const text = sharedText(node as object) ?? JSON.stringify(node);
    fields += `${fields === "" ? "" : ","}${JSON.stringify(name)}:${text}`;
  }
  const ending = subresource === undefined ? "" : `,"subresource":${JSON.stringify(subresource)}`;
  return `${JSON.stringify(manager).slice(0, -1)},"fieldsV1":{${fields}}${ending}}`;
}
