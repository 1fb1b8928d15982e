import { goText } from "../../apimachinery/patch/index.ts";
import type { JsonValue, KubernetesObject } from "../../apimachinery/index.ts";
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

/** The columns that a definition names, after that of the name; none from the first whose path cannot be read. */
export function customColumns(
  given: readonly CustomResourceColumnDefinition[] | undefined,
): readonly PrinterColumn<KubernetesObject>[] {
  const columns: PrinterColumn<KubernetesObject>[] = [nameColumn];
  for (const column of given?.length ? given : [age]) {
    const find = jsonPath(column.jsonPath);
    if (!find) break;
    columns.push(columnOf(column, find));
  }
  return columns;
}

function columnOf(
  column: CustomResourceColumnDefinition,
  find: (object: object) => readonly unknown[],
): PrinterColumn<KubernetesObject> {
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
    priority,
    value(object, now) {
      const found = find(object);
      return found.length === 0 ? null : cell(found[0], type, now);
    },
  };
}

function cell(value: unknown, type: string, now: number): string | number | boolean | null {
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? dateCell(value, now) : null;
    default:
      return textCell(value);
  }
}

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;

function dateCell(text: string, now: number): string {
  if (text === "") return "<unknown>";
  return moment.test(text) && !Number.isNaN(Date.parse(text)) ? ageSince(text, now) : "<invalid>";
}

/** A value as Go's templates print it. */
function textCell(value: unknown): string {
  if (value === null || value === undefined) return "<no value>";
  if (typeof value !== "object") return goText(value as JsonValue);
  return JSON.stringify(sorted(value)).replaceAll(/[<>&\u2028\u2029]/g, escaped);
}

/** Keys in order, as Go writes them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, inner]) => [name, sorted(inner)]));
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
