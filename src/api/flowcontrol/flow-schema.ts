import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, fillZero, mapField } from "../common/fill.ts";
import { onlyStatus } from "../common/metadata.ts";
import { updateChecks } from "../common/updates.ts";
import { defineResource } from "../definition.ts";
import type { FlowSchemaSpec, LimitedPriorityLevelConfiguration } from "../types/flowcontrol-v1.ts";
import { FlowSchema, PriorityLevelConfiguration } from "../types/flowcontrol-v1.ts";
import { validateFlowSchema } from "./flow-schema-validation.ts";
import { validatePriorityLevel } from "./priority-level-validation.ts";
import { validateTypes } from "./status.ts";

const unset = "<none>";

/** The rules of flow schemas. */
export const flowSchemaDefinition = defineResource<FlowSchema>({
  resource: FlowSchema,
  defaults: (schema) => ({
    ...schema,
    spec: fillZero<FlowSchemaSpec>(schema.spec, { matchingPrecedence: 1000 }),
  }),
  repeatedMetadataChecks: ["whole"],
  validate: validateFlowSchema,
  validateUpdate: updateChecks<FlowSchema>({ status: ({ status }) => validateTypes(status) }),
  prepareForStatusUpdate: onlyStatus,
  columns: [
    nameColumn,
    column("PriorityLevel", "The level that requests get", {
      value: ({ spec }) => spec.priorityLevelConfiguration?.name ?? "",
    }),
    column("MatchingPrecedence", "Which schema is asked first", {
      value: ({ spec }) => spec.matchingPrecedence ?? 0,
    }),
    column("DistinguisherMethod", "What tells flows apart", {
      value: ({ spec }) => spec.distinguisherMethod?.type ?? unset,
    }),
    ageColumn,
    column("MissingPL", "Whether the level is missing", {
      value: ({ status }) =>
        (status?.conditions ?? []).find(({ type }) => type === "Dangling")?.status ?? "?",
    }),
  ],
  rowOrder: (one, other) =>
    (one.spec.matchingPrecedence ?? 0) - (other.spec.matchingPrecedence ?? 0) ||
    (one.metadata.name < other.metadata.name ? -1 : 1),
  tracksGeneration: true,
});

/** The rules of priority levels. */
export const priorityLevelConfigurationDefinition = defineResource<PriorityLevelConfiguration>({
  resource: PriorityLevelConfiguration,
  defaults: (level) =>
    mapField(level, "spec", (spec) => {
      if (spec.type === "Exempt") {
        return { ...spec, exempt: fill(spec.exempt, { nominalConcurrencyShares: 0, lendablePercent: 0 }) };
      }
      return mapField(spec, "limited", defaultLimited);
    }),
  repeatedMetadataChecks: ["whole"],
  validate: validatePriorityLevel,
  validateUpdate: updateChecks<PriorityLevelConfiguration>({ status: ({ status }) => validateTypes(status) }),
  prepareForStatusUpdate: onlyStatus,
  columns: [
    nameColumn,
    column("Type", "Limited or Exempt", { value: ({ spec }) => spec.type ?? "" }),
    column("NominalConcurrencyShares", "The level's share of what the server can do at once", {
      value: ({ spec }) => spec.limited?.nominalConcurrencyShares ?? unset,
    }),
    column("Queues", "How many queues there are", {
      value: ({ spec }) => spec.limited?.limitResponse?.queuing?.queues ?? unset,
    }),
    column("HandSize", "How many queues a flow may use", {
      value: ({ spec }) => spec.limited?.limitResponse?.queuing?.handSize ?? unset,
    }),
    column("QueueLengthLimit", "How long a queue may be", {
      value: ({ spec }) => spec.limited?.limitResponse?.queuing?.queueLengthLimit ?? unset,
    }),
    ageColumn,
  ],
  tracksGeneration: true,
});

function defaultLimited(limited: LimitedPriorityLevelConfiguration): LimitedPriorityLevelConfiguration {
  const filled = fill(limited, { nominalConcurrencyShares: 30, lendablePercent: 0 });
  return mapField(filled, "limitResponse", (response) =>
    mapField(response, "queuing", (queuing) =>
      fillZero(queuing, { queues: 64, handSize: 8, queueLengthLimit: 50 }),
    ),
  );
}
