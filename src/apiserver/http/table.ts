import type { ListMeta } from "../../apimachinery/index.ts";
import type { PrinterColumn } from "../../api/index.ts";
import type { AnyObject } from "../registry/entry.ts";
import type { ServedResource } from "../registry/served.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

/** The columns of a kind that says nothing of its own. */
const generalColumns: readonly PrinterColumn<AnyObject>[] = [
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

export interface TableOptions {
  readonly metaVersion: "v1" | "v1beta1";
  readonly includeObject: IncludeObject;
  readonly now: number;
  /** Leave out the headings: they went with the first event of the watch. */
  readonly noHeaders?: boolean;
}

/** Objects as rows, as `kubectl get` prints them. */
export function tableOf(
  served: ServedResource,
  content: { readonly objects: readonly AnyObject[]; readonly metadata: ListMeta },
  options: TableOptions,
): object {
  const columns = served.definition.columns ?? generalColumns;
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

function rowObject(object: AnyObject, options: TableOptions): { object?: object } {
  switch (options.includeObject) {
    case "None":
      return {};
    case "Object":
      return { object };
    case "Metadata":
      return { object: partialOf(object, options.metaVersion) };
  }
}

/** An object's metadata alone. */
export function partialOf(object: AnyObject, metaVersion: "v1" | "v1beta1"): object {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata: object.metadata,
  };
}
