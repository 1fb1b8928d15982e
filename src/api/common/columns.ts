import type { KubernetesObject, LabelSelector } from "../../apimachinery/index.ts";
import { formatLabelSelector } from "../../apimachinery/index.ts";
import type { PrinterColumn } from "../definition.ts";
import type { PodSpec } from "../types/core-v1.ts";
import { ageSince } from "./duration.ts";

type Cell = string | number | boolean | null;

/** A column's row in a definition. */
export function column<T>(
  name: string,
  description: string,
  rest: {
    value: (object: T, now: number) => Cell;
    type?: PrinterColumn<T>["type"];
    wide?: true;
  },
): PrinterColumn<T> {
  return { name, description, type: rest.type ?? "string", priority: rest.wide ? 1 : 0, value: rest.value };
}

/** The object's name. */
export const nameColumn: PrinterColumn<KubernetesObject> = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name of the object, unique in its namespace",
  priority: 0,
  value: (object) => object.metadata.name,
};

/** How long ago the object was created. */
export const ageColumn: PrinterColumn<KubernetesObject> = {
  name: "Age",
  type: "string",
  description: "Time since the server created the object",
  priority: 0,
  value: (object, now) => ageSince(object.metadata.creationTimestamp, now),
};

const createdColumn: PrinterColumn<KubernetesObject> = {
  name: "Created At",
  type: "date",
  description: "Time when the server created the object",
  priority: 0,
  value: (object) => object.metadata.creationTimestamp ?? null,
};

/** The columns of kinds without any of their own. */
export const generalColumns: readonly PrinterColumn<KubernetesObject>[] = [nameColumn, createdColumn];

/** Containers and Images, shown with `-o wide`. */
export function containerColumns<T>(
  specOf: (object: T) => PodSpec | undefined,
  options: { priority: 0 | 1 } = { priority: 1 },
): readonly PrinterColumn<T>[] {
  const joined = (object: T, field: "name" | "image") =>
    (specOf(object)?.containers ?? []).map((container) => container[field] ?? "").join(",");
  return [
    {
      name: "Containers",
      type: "string",
      description: "Names of the template's containers",
      priority: options.priority,
      value: (object) => joined(object, "name"),
    },
    {
      name: "Images",
      type: "string",
      description: "Images of the template's containers",
      priority: options.priority,
      value: (object) => joined(object, "image"),
    },
  ];
}

/** The label selector, shown with `-o wide`. */
export function selectorColumn<T>(selectorOf: (object: T) => LabelSelector | undefined): PrinterColumn<T> {
  return column("Selector", "Which pods belong to the object", {
    wide: true,
    value: (object) => formatLabelSelector(selectorOf(object) ?? undefined),
  });
}

/** Labels as `a=b,c=d` in order of keys, or `<none>`. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? "<none>" : pairs.map(([key, value]) => `${key}=${value}`).join(",");
}

/** A label selector as its generated code in upstream writes it. */
export function formatSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const keys = Object.keys(matchLabels).sort();
  const labels = keys.map((key) => `${key}: ${matchLabels[key] ?? ""},`).join("");
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  const list = `[]LabelSelectorRequirement{${expressions.join("")}}`;
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:${list},}`;
}
