import type { PriorityLevelConfigurationSpec } from "../../../api/types/flowcontrol-v1.ts";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import { QueueSet } from "./queue-set.ts";
import type { Queuing } from "./queue-set.ts";
import { RetryAfter } from "./retry-after.ts";
import { demandAfter, noDemand, widestRequest } from "./shares.ts";
import type { SeatDemand, SeatLimits } from "./shares.ts";

/** A configuration object; one without a UID is not stored, but must be. */
export interface Configured<Spec> {
  readonly metadata: { readonly name?: string; readonly uid?: string };
  readonly spec: Spec;
}

export type LevelObject = Configured<PriorityLevelConfigurationSpec>;

/** A priority level as it is now. */
export class Level {
  readonly name: string;
  readonly set: QueueSet;
  readonly retryAfter = new RetryAfter();
  /** Hears of each span of time in which the load was what it is at that moment. */
  onElapsed: ((elapsed: Milliseconds) => void) | undefined;
  object: LevelObject;
  /** How many queues it should have. */
  queuing: Queuing;
  limits: SeatLimits = { nominal: 0, lowest: 0, highest: 0 };
  /** The seats that it has now, its own and borrowed. */
  seats = 0;
  /** What its share was worked out from. */
  target = 0;
  demand: SeatDemand = noDemand;
  /** Its configuration is gone; it serves what it has begun. */
  quiescing = false;
  /** The most seats that one of its requests may take; 0: no bound of its own. */
  widest = 0;
  private elapsed: Milliseconds = 0;
  private sum = 0;
  private sumOfSquares = 0;

  constructor(object: LevelObject, clock: Clock) {
    this.object = object;
    this.name = object.metadata.name ?? "";
    this.queuing = queuingOf(object);
    this.set = new QueueSet({ clock, onElapsed: (elapsed) => this.add(elapsed) });
  }

  get exempt(): boolean {
    return this.object.spec.type === "Exempt";
  }

  /** How many requests may wait. */
  get places(): number {
    return this.queuing.type === "queue" ? this.queuing.queues * this.queuing.lengthLimit : 0;
  }

  get handSize(): number {
    return this.object.spec.limited?.limitResponse.queuing?.handSize ?? defaultHandSize;
  }

  /** Sets what follows from its configuration and those of the others. */
  configure(object: LevelObject, limits: SeatLimits): void {
    const isNew = this.limits.highest === 0;
    this.object = object;
    this.queuing = queuingOf(object);
    this.limits = limits;
    this.widest = this.queuing.type === "queue" ? widestRequest(limits.nominal, this.handSize) : 0;
    if (isNew) this.seats = limits.nominal - Math.floor((limits.nominal - limits.lowest) / 2);
  }

  /** Notes how much was needed since the last time. */
  endPeriod(): void {
    this.set.sync();
    const { elapsed, sum, sumOfSquares, set } = this;
    const highest = set.peak;
    set.peak = set.seatsInUse + set.seatsWaiting;
    if (elapsed <= 0) {
      this.demand = { ...this.demand, highWatermark: highest };
      return;
    }
    const average = sum / elapsed;
    const variance = Math.max(sumOfSquares / elapsed - average * average, 0);
    this.demand = demandAfter(this.demand, { highest, average, deviation: Math.sqrt(variance) });
    this.elapsed = 0;
    this.sum = 0;
    this.sumOfSquares = 0;
  }

  /** Gives it its seats for the next period. */
  give(seats: number, target: number): void {
    this.seats = seats;
    this.target = target;
    this.set.configure({ queuing: this.queuing, seats });
  }

  private add(elapsed: Milliseconds): void {
    const demand = this.set.seatsInUse + this.set.seatsWaiting;
    this.elapsed += elapsed;
    this.sum += demand * elapsed;
    this.sumOfSquares += demand * demand * elapsed;
    this.onElapsed?.(elapsed);
  }
}

const defaultQueues = 64;
const defaultHandSize = 8;
const defaultLengthLimit = 50;

function queuingOf({ spec: { exempt, limited } }: LevelObject): Queuing {
  if (exempt) return { type: "exempt" };
  const queuing = limited?.limitResponse.queuing;
  if (!queuing) return { type: "reject" };
  const { queues = defaultQueues, queueLengthLimit = defaultLengthLimit } = queuing;
  return { type: "queue", queues, lengthLimit: queueLengthLimit };
}
