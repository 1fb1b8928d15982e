import { ApiError, apiVersionOf, timestampOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource } from "../../apimachinery/index.ts";
import { flowControlDefaults, semanticallyEqual, ignoreMissing } from "../../api/index.ts";
import type { Client } from "../../api/index.ts";
import { FlowSchema, PriorityLevelConfiguration } from "../../api/types/flowcontrol-v1.ts";
import type { FlowSchemaCondition } from "../../api/types/flowcontrol-v1.ts";
import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";

export interface FlowControlOptions {
  readonly client: Client;
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly logger: Logger;
}

const producer = "api-priority-and-fairness-config-producer-v1";
const consumer = "api-priority-and-fairness-config-consumer-v1";
/** How long what someone has changed or removed may stay so. */
const upkeepInterval: Milliseconds = 60_000;

const typeMeta = { apiVersion: apiVersionOf(FlowSchema), kind: FlowSchema.kind };
const { annotation, levels, schemas } = flowControlDefaults;
type Wanted = typeof levels | typeof schemas;
interface Configured extends KubernetesObject {
  readonly spec: object;
}

/** What upkeep does about one object. */
export type Upkeep =
  | { readonly type: "none" }
  | { readonly type: "create"; readonly spec: object }
  | { readonly type: "update"; readonly spec: object }
  | { readonly type: "delete" };

/** Mandatory objects are as they must be; suggested ones follow the release unless their annotation says no. */
export function upkeepOf(
  present:
    | (Pick<Configured, "spec"> & {
        readonly metadata: Pick<Configured["metadata"], "annotations" | "generation">;
      })
    | undefined,
  name: string,
  wanted: Wanted,
): Upkeep {
  const mandatory = wanted.mandatory[name];
  const spec = mandatory ?? wanted.suggested[name];
  if (present === undefined) return spec === undefined ? { type: "none" } : { type: "create", spec };
  const { annotations, generation } = present.metadata;
  const mark = annotations?.[annotation];
  if (spec === undefined) return mark === "true" ? { type: "delete" } : { type: "none" };
  // Without an annotation, whoever has never changed an object has no wish for it.
  const follows = mandatory !== undefined || (mark === undefined ? generation === 1 : mark === "true");
  const isMarked = mark === "true" || (mandatory === undefined && mark !== undefined);
  if (!follows || (isMarked && semanticallyEqual(present.spec, spec))) return { type: "none" };
  return { type: "update", spec };
}

/** Brings the flow schemas and priority levels to what upkeep demands. */
export async function maintainFlowControl({
  client,
  reader,
}: Pick<FlowControlOptions, "client" | "reader">): Promise<void> {
  const maintain = async (resource: Resource<Configured>, wanted: Wanted) => {
    const present = new Map(reader.list(resource).map((object) => [object.metadata.name, object]));
    const names = new Set([...Object.keys(wanted.mandatory), ...Object.keys(wanted.suggested)]);
    for (const name of present.keys()) names.add(name);
    await Promise.all(
      Array.from(names, (name) => {
        const object = present.get(name);
        return perform(client, resource, { name, object, upkeep: upkeepOf(object, name, wanted) });
      }),
    );
  };
  await Promise.all([
    maintain(PriorityLevelConfiguration as Resource<object> as Resource<Configured>, levels),
    maintain(FlowSchema as Resource<object> as Resource<Configured>, schemas),
  ]);
}

async function perform(
  client: Client,
  resource: Resource<Configured>,
  step: { readonly name: string; readonly object: Configured | undefined; readonly upkeep: Upkeep },
): Promise<void> {
  const { name, object, upkeep } = step;
  const options = { fieldManager: producer };
  try {
    if (upkeep.type === "create") {
      const metadata = { name, annotations: { [annotation]: "true" } };
      await client.create(resource, { metadata, spec: upkeep.spec }, options);
    } else if (upkeep.type === "update" && object !== undefined) {
      const annotations = { ...object.metadata.annotations, [annotation]: "true" };
      const metadata = { ...object.metadata, annotations };
      await client.update(resource, { ...object, metadata, spec: upkeep.spec }, options);
    } else if (upkeep.type === "delete") await client.delete(resource, { name });
  } catch (error) {
    // Another server, or a user, was faster: the next round sees what they did.
    if (!(["AlreadyExists", "Conflict", "NotFound"] as const).some((reason) => ApiError.is(error, reason)))
      throw error;
  }
}

/** Keeps flow schemas and priority levels as they should be, and says in schemas whether their level exists. */
export async function runFlowControl(options: FlowControlOptions, signal: AbortSignal): Promise<void> {
  const { reader, clock, logger } = options;
  let wake: () => void = () => undefined;
  const changed = () => wake();
  const endings = [
    reader.subscribe(FlowSchema, changed),
    reader.subscribe(PriorityLevelConfiguration, changed),
  ];
  let nextUpkeep = clock.now() + upkeepInterval;
  while (!signal.aborted) {
    const woken = new Promise<void>((resolve) => (wake = resolve));
    try {
      if (clock.now() >= nextUpkeep) {
        await maintainFlowControl(options);
        nextUpkeep = clock.now() + upkeepInterval;
      }
      await reportDangling(options);
    } catch (error) {
      logger.warn("Flow schemas and priority levels could not be kept up", { error });
    }
    // It may have aborted meanwhile: then nothing would end the wait.
    if (signal.aborted) break;
    const round = new AbortController();
    const end = () => round.abort();
    signal.addEventListener("abort", end, { once: true });
    await Promise.race([
      woken,
      clock.sleep(Math.max(nextUpkeep - clock.now(), 0), round.signal).catch(() => undefined),
    ]);
    signal.removeEventListener("abort", end);
    round.abort();
  }
  for (const ending of endings) ending();
}

/** The condition that a flow schema should have; undefined when it has it. */
export function danglingConditionOf(
  schema: FlowSchema,
  options: { readonly hasLevel: boolean; readonly now: Milliseconds },
): FlowSchemaCondition | undefined {
  const { name } = schema.spec.priorityLevelConfiguration;
  const about = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`;
  const status = options.hasLevel ? "False" : "True";
  const reason = options.hasLevel ? "Found" : "NotFound";
  const message = `${about} ${options.hasLevel ? "and it exists" : "but there is no such object"}`;
  const present = (schema.status?.conditions ?? []).find(({ type }) => type === "Dangling");
  if (present?.status === status && present.reason === reason && present.message === message)
    return undefined;
  const lastTransitionTime =
    present?.status === status ? present.lastTransitionTime : timestampOf(options.now);
  return {
    type: "Dangling",
    status,
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
    reason,
    message,
  };
}

async function reportDangling({ client, reader, clock }: FlowControlOptions): Promise<void> {
  const present = new Set(reader.list(PriorityLevelConfiguration).map(({ metadata }) => metadata.name));
  await Promise.all(
    reader.list(FlowSchema).map(async (schema) => {
      const hasLevel = present.has(schema.spec.priorityLevelConfiguration.name);
      const condition = danglingConditionOf(schema, { hasLevel, now: clock.now() });
      if (condition === undefined) return;
      const { name } = schema.metadata;
      // Applied, so that conditions of others stay as they are.
      const body = { ...typeMeta, metadata: { name }, status: { conditions: [condition] } };
      const options = { subresource: "status", fieldManager: consumer } as const;
      await ignoreMissing(client.patch(FlowSchema, { name }, { type: "apply", body, force: true }, options));
    }),
  );
}
