import { ApiError, versionNamed } from "../../apimachinery/index.ts";
import type { ListMeta } from "../../apimachinery/index.ts";
import { ageSince } from "../../api/index.ts";
import type { PrinterColumn } from "../../api/index.ts";
import type { AnyObject } from "../registry/entry.ts";
import { internalPackage } from "../registry/recognize.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

export type Columns = readonly PrinterColumn<AnyObject>[];

/** The columns of a kind that says nothing of its own. */
const generalColumns: Columns = [
  {
    name: "Name",
    type: "string",
    format: "name",
    description: "Name must be unique within a namespace.",
    value: (object) => object.metadata.name,
  },
  {
    name: "Created At",
    type: "date",
    description: "When the object was created, in the server's time.",
    value: (object) => object.metadata.creationTimestamp,
  },
];

const replicasIn = (part: unknown): number =>
  (part as { readonly replicas?: number } | undefined)?.replicas ?? 0;

/** The columns of every kind's scale. */
export const scaleColumns: Columns = [
  {
    name: "Name",
    type: "string",
    description: "Name of what is scaled.",
    value: (scale) => scale.metadata.name,
  },
  {
    name: "Desired",
    type: "integer",
    description: "How many replicas there should be.",
    value: (scale) => replicasIn(scale["spec"]),
  },
  {
    name: "Available",
    type: "integer",
    description: "How many replicas there are.",
    value: (scale) => replicasIn(scale["status"]),
  },
  {
    name: "Age",
    type: "string",
    description: "How long ago what is scaled was created.",
    value: (scale, now) => ageSince(scale.metadata.creationTimestamp, now),
  },
];

/** How objects are told by their metadata alone. */
interface PartialOptions {
  readonly metaVersion: "v1" | "v1beta1";
  /** Annotations that stand for fields: no part of the metadata that upstream keeps. */
  readonly fieldAnnotations?: readonly string[] | undefined;
}

export interface TableOptions extends PartialOptions {
  readonly includeObject: IncludeObject;
  readonly now: number;
  /** Leave out the headings: they went with the first event of the watch. */
  readonly noHeaders?: boolean;
}

/** Objects as rows, as `kubectl get` prints them. */
export function tableOf(
  ofKind: Columns | undefined,
  content: { readonly objects: readonly AnyObject[]; readonly metadata: ListMeta },
  options: TableOptions,
): object {
  const columns = ofKind ?? generalColumns;
  const definitions = columns.map((column) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description: column.description,
    priority: column.priority ?? 0,
  }));
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${options.metaVersion}`,
    metadata: content.metadata,
    columnDefinitions: options.noHeaders ? null : definitions,
    rows: content.objects.map((object) => ({
      cells: columns.map((column) => column.value(object, options.now)),
      ...rowObject(object, options),
    })),
  };
}

function rowObject(object: AnyObject, options: TableOptions): { object: object | null } {
  switch (options.includeObject) {
    case "None":
      return { object: null };
    case "Object":
      return { object };
    case "Metadata":
      return { object: partialOf(object, options) };
  }
}

/** A form that the answer does not have, since it is a list or is none; in upstream's words. */
export function misplacedForm(
  form: "PartialObjectMetadata" | "PartialObjectMetadataList",
  kind: { readonly apiVersion: string; readonly kind: string; readonly custom: boolean },
): ApiError {
  const isList = form === "PartialObjectMetadata";
  const typed = `${internalPackage(versionNamed(kind.apiVersion).group)}.${kind.kind}`;
  const type = kind.custom ? `unstructured.Unstructured${isList ? "List" : ""}` : typed;
  return ApiError.notAcceptable(
    `you requested ${form}, but the requested object is ${isList ? "a list" : "not a list"} (*${type})`,
  );
}

/** An object's metadata alone. */
export function partialOf(object: AnyObject, { metaVersion, fieldAnnotations = [] }: PartialOptions): object {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata: withoutAnnotations(object.metadata, fieldAnnotations),
  };
}

function withoutAnnotations(metadata: AnyObject["metadata"], names: readonly string[]): object {
  const { annotations, ...rest } = metadata;
  if (annotations === undefined || !names.some((name) => name in annotations)) return metadata;
  const kept = Object.entries(annotations).filter(([name]) => !names.includes(name));
  return kept.length === 0 ? rest : { ...metadata, annotations: Object.fromEntries(kept) };
}
