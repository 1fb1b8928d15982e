import { flowControlDefaults, semanticallyEqual } from "../../../api/index.ts";
import type { UserInfo } from "../../../api/index.ts";
import { FlowSchema, PriorityLevelConfiguration } from "../../../api/types/flowcontrol-v1.ts";
import { invariant } from "../../../base/index.ts";
import type { Clock, Milliseconds, Timer } from "../../../base/index.ts";
import { AnswerMemory } from "../../authorization/answer-memory.ts";
import type { ObjectReader } from "../../reader.ts";
import type { RequestInfo } from "../request-info.ts";
import { Level } from "./level.ts";
import type { Configured, LevelObject } from "./level.ts";
import { inOrder, matchesSchema } from "./matching.ts";
import { seatLimits, shareOut } from "./shares.ts";
import { dealHand, flowHash } from "./shuffle-sharding.ts";
import type { Flow, Usage } from "./ticket.ts";

/** A flow with the level that serves it. */
export interface LevelFlow<U extends Usage = Usage> extends Flow<U> {
  readonly level: Level;
  readonly schemaUid: string;
  readonly levelUid: string;
}

type SchemaObject = Configured<FlowSchema["spec"]>;

export interface FairnessOptions<U extends Usage> {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  /** How many requests there may be at once, in all levels together. */
  readonly seats: number;
  /** Where requests under a schema are counted. */
  readonly usageOf: (schema: string, level: string) => U;
  readonly onLevel?: (level: Level) => void;
}

/** Seats are lent anew this often. */
const lendingPeriod: Milliseconds = 10_000;

const exemptName = "exempt";
const catchAllName = "catch-all";
const { levels: levelDefaults, schemas: schemaDefaults } = flowControlDefaults;

/** Priority and fairness as the stored objects configure it (KEP-1040). */
export class Fairness<U extends Usage = Usage> {
  /** By name. */
  levels: ReadonlyMap<string, Level> = new Map();
  /** The part of its target that a level got when seats were last lent. */
  fraction = 0;
  /** How many requests may be carried out and wait in all levels together, each with its own seats. */
  most = { executing: 0, waiting: 0 };
  private readonly options: FairnessOptions<U>;
  private schemas: readonly SchemaObject[] = [];
  private readonly memory = new AnswerMemory<LevelFlow<U>>();
  private timer: Timer;
  private readonly stops: readonly (() => void)[];

  constructor(options: FairnessOptions<U>) {
    this.options = options;
    const { reader, clock } = options;
    type Change = { readonly object: SchemaObject | LevelObject | undefined; readonly old: Change["object"] };
    const onChange = ({ object, old }: Change) => {
      if (!object || !old || !semanticallyEqual(object.spec, old.spec)) this.configure();
    };
    this.stops = [
      reader.subscribe(FlowSchema, onChange),
      reader.subscribe(PriorityLevelConfiguration, onChange),
    ];
    this.configure();
    const lend = () => {
      if ([...this.levels.values()].some(({ quiescing, set }) => quiescing && set.idle)) this.configure();
      else this.lend(this.levels);
      this.timer = clock.after(lendingPeriod, lend);
    };
    this.timer = clock.after(lendingPeriod, lend);
  }

  /** The flow that a request belongs to; the same question is worked out once. */
  flowOf(info: RequestInfo, user: UserInfo): LevelFlow<U> {
    return (
      this.memory.get(info, user) ?? this.memory.keep(this.makeFlow({ info, user }), { question: info, user })
    );
  }

  /** Ends what it has begun; those who wait are sent away. */
  close(): void {
    this.timer.cancel();
    for (const stop of this.stops) stop();
    for (const { set } of this.levels.values()) set.close();
  }

  private makeFlow(asked: { readonly info: RequestInfo; readonly user: UserInfo }): LevelFlow<U> {
    const schema =
      this.schemas.find((one) => matchesSchema(one, asked)) ??
      this.schemas.find(({ metadata }) => metadata.name === catchAllName);
    invariant(schema, "what no schema is for falls under the one for all");
    const level = this.levels.get(schema.spec.priorityLevelConfiguration.name);
    invariant(level, "only schemas whose level exists are tried");
    const { queuing } = level;
    const schemaName = schema.metadata.name ?? "";
    const distinguisher =
      queuing.type === "queue" && queuing.queues > 1 ? distinguisherOf(schema, asked) : "";
    return {
      schemaName,
      distinguisher,
      hand:
        queuing.type === "queue" ? handOf({ schemaName, distinguisher, level, queues: queuing.queues }) : [],
      usage: this.options.usageOf(schemaName, level.name),
      level,
      schemaUid: schema.metadata.uid ?? "",
      levelUid: level.object.metadata.uid ?? "",
    };
  }

  /** Takes over what is stored now. Levels that are gone serve what they have begun. */
  private configure(): void {
    const { reader, clock, seats, onLevel } = this.options;
    const objects = withMandatory(reader.list(PriorityLevelConfiguration), levelDefaults.mandatory);
    const levels = new Map<string, { readonly level: Level; readonly object: LevelObject }>();
    for (const object of objects) {
      const name = object.metadata.name ?? "";
      const known = this.levels.get(name);
      const level = known ?? new Level(object, clock);
      level.quiescing = false;
      if (!known) onLevel?.(level);
      levels.set(name, { level, object });
    }
    const present = new Set(levels.keys());
    for (const [name, level] of this.levels) {
      if (present.has(name)) continue;
      level.quiescing = true;
      if (level.set.idle) level.set.close();
      else levels.set(name, { level, object: level.object });
    }
    const all = [...levels.values()];
    const limits = seatLimits(
      all.map(({ object }) => object.spec),
      seats,
    );
    for (const [index, { level, object }] of all.entries()) level.configure(object, limits[index]!);
    this.most = {
      executing: limits.reduce((sum, { nominal }) => sum + nominal, 0),
      waiting: all.reduce((sum, { level }) => sum + level.places, 0),
    };
    this.levels = new Map(all.map(({ level }) => [level.name, level]));
    this.schemas = schemasFor(reader.list(FlowSchema), present);
    this.memory.clear();
    this.lend(this.levels);
  }

  private lend(byName: ReadonlyMap<string, Level>): void {
    const levels = [...byName.values()];
    for (const level of levels) level.endPeriod();
    const { seats, targets, fraction } = shareOut(
      levels.map(({ limits, exempt, demand, seats: current }) => ({ limits, exempt, demand, current })),
    );
    for (const [index, level] of levels.entries()) level.give(seats[index]!, targets[index]!);
    this.fraction = fraction;
  }
}

/** Objects with those that must be, as they must be, where they are missing. */
function withMandatory<S>(
  objects: readonly Configured<S>[],
  mandatory: Readonly<Record<string, S>>,
): readonly Configured<S>[] {
  const present = new Set(objects.map(({ metadata }) => metadata.name));
  const missing = Object.entries(mandatory).filter(([name]) => !present.has(name));
  return [...objects, ...missing.map(([name, spec]) => ({ metadata: { name }, spec }))];
}

/** Schemas in the order in which they are tried, without those that name no level. */
function schemasFor(stored: readonly SchemaObject[], levels: ReadonlySet<string>): readonly SchemaObject[] {
  const usable = stored.filter(({ spec }) => levels.has(spec.priorityLevelConfiguration.name));
  const all = inOrder(withMandatory(usable, schemaDefaults.mandatory));
  // Whoever runs the cluster comes first and the rest last, even when nobody has stored that.
  const rank = ({ metadata }: SchemaObject) => {
    if (metadata.uid !== undefined) return 1;
    return metadata.name === exemptName ? 0 : 2;
  };
  return [...all].sort((left, right) => rank(left) - rank(right));
}

function distinguisherOf(
  { spec }: SchemaObject,
  { info, user }: { readonly info: RequestInfo; readonly user: UserInfo },
): string {
  switch (spec.distinguisherMethod?.type) {
    case "ByUser":
      return user.name;
    case "ByNamespace":
      return info.type === "resource" ? info.namespace : "";
    default:
      return "";
  }
}

function handOf(flow: {
  readonly schemaName: string;
  readonly distinguisher: string;
  readonly level: Level;
  readonly queues: number;
}): readonly number[] {
  const hash = flow.queues > 1 ? flowHash(flow.schemaName, flow.distinguisher) : 0n;
  return dealHand(hash, { deckSize: flow.queues, handSize: Math.min(flow.level.handSize, flow.queues) });
}
