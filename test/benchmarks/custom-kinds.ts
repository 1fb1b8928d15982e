import type { CustomResourceDefinition } from "../../src/api/types/apiextensions-v1.ts";
import type { JSONSchemaProps } from "../../src/api/types/apiextensions-v1.ts";

/** Definitions of one group come from one operator. */
const kindsOfGroup = 10;
const text =
  "What this field says of the thing, as people write it in such places: a sentence or two, long enough to matter.";

const scalarTypes = ["string", "integer", "boolean"] as const;

function part(fields: number): JSONSchemaProps {
  const properties = Object.fromEntries(
    Array.from({ length: fields }, (_, index): [string, JSONSchemaProps] => [
      `field${index}`,
      { type: scalarTypes[index % scalarTypes.length] ?? "string", description: text },
    ]),
  );
  return { type: "object", description: text, required: ["field0"], properties };
}

const condition: JSONSchemaProps = {
  type: "object",
  description: text,
  required: ["type", "status"],
  properties: {
    type: { type: "string", description: text, maxLength: 316 },
    status: { type: "string", description: text, enum: ["True", "False", "Unknown"] },
    reason: { type: "string", description: text, maxLength: 1_024 },
    message: { type: "string", description: text, maxLength: 32_768 },
    lastTransitionTime: { type: "string", description: text, format: "date-time" },
    observedGeneration: { type: "integer", description: text, format: "int64", minimum: 0 },
  },
};

/** About 10 kB, as those of operators have them: descriptions, nested parts, a list by keys, a default and a rule. */
const schema: JSONSchemaProps = {
  type: "object",
  description: text,
  properties: {
    apiVersion: { type: "string", description: text },
    kind: { type: "string", description: text },
    metadata: { type: "object" },
    spec: {
      type: "object",
      required: ["size"],
      "x-kubernetes-validations": [{ rule: "self.size < 1000", message: "too large" }],
      properties: {
        size: { type: "integer", minimum: 0, default: 1, description: text },
        template: part(10),
        source: part(10),
        targets: { type: "array", maxItems: 10, items: part(8) },
        labels: { type: "object", additionalProperties: { type: "string" } },
        limits: part(10),
      },
    },
    status: {
      type: "object",
      properties: {
        observed: part(10),
        conditions: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["type"],
          items: condition,
        },
      },
    },
  },
};

/** The name of one of thousands of definitions. */
export const nameOf = (index: number): string => `things${index}.${groupOf(index)}`;

/** The group of a definition. */
export const groupOf = (index: number): string => `group-${Math.floor(index / kindsOfGroup)}.example.com`;

/** One of thousands of definitions. */
export function definitionOf(index: number) {
  const plural = `things${index}`;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: nameOf(index) },
    spec: {
      group: groupOf(index),
      scope: "Namespaced",
      names: { plural, singular: `thing${index}`, kind: `Thing${index}`, listKind: `Thing${index}List` },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
        },
      ],
    },
  };
}

/** Whether a definition is served. */
export const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status.conditions?.some(({ type, status: is }) => type === "Established" && is === "True") === true;
