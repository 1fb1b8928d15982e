import type { KubernetesObject } from "../../apimachinery/index.ts";
import { ageSince } from "../../api/index.ts";
import type { PrinterColumn } from "../../api/index.ts";
import type { CustomResourceColumnDefinition } from "../../api/types/apiextensions-v1.ts";
import { jsonPath } from "./json-path.ts";

const nameColumn: PrinterColumn<KubernetesObject> = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name of the object, unique in its namespace",
  value: (object) => object.metadata.name,
};

const age: CustomResourceColumnDefinition = {
  name: "Age",
  type: "date",
  description: "Time since the server created the object",
  jsonPath: ".metadata.creationTimestamp",
};

/** The columns that a definition names, after that of the name. */
export function customColumns(
  given: readonly CustomResourceColumnDefinition[] | undefined,
): readonly PrinterColumn<KubernetesObject>[] {
  const columns = given?.length ? given : [age];
  return [nameColumn, ...columns.map(columnOf)];
}

function columnOf(column: CustomResourceColumnDefinition): PrinterColumn<KubernetesObject> {
  const find = jsonPath(column.jsonPath);
  const { name, format, description = "", priority = 0 } = column;
  const type = column.type as PrinterColumn<KubernetesObject>["type"];
  return {
    name,
    type,
    ...(format ? { format } : {}),
    description:
      description === ""
        ? `Custom resource definition column (in JSONPath format): ${column.jsonPath}`
        : description,
    priority: priority === 0 ? 0 : 1,
    value: (object, now) => cell(find(object)[0], type, now),
  };
}

function cell(value: unknown, type: string, now: number): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? ageSince(value, now) : null;
    default:
      return typeof value === "string" ? value : JSON.stringify(value);
  }
}
