import type { UserInfo } from "../../../api/index.ts";
import type { Milliseconds } from "../../../base/index.ts";
import type { RequestInfo } from "../request-info.ts";
import type { Queue } from "./queue.ts";
import { widthOf } from "./work.ts";
import type { Work } from "./work.ts";

/** Seat-seconds: what a queue has got of the server, in the world where each gets the same (KEP-1040). */
export type SeatSeconds = number;

/** Requests and seats of all requests under one flow schema, kept by the queues. */
export interface Usage {
  executing: number;
  executingSeats: number;
  waiting: number;
  waitingSeats: number;
  /** How often one of them was the first in line and needed more seats than were free. */
  unaccommodated: number;
}

/** Requests that are treated alike: those of one flow schema and one user or namespace. */
export interface Flow<U extends Usage = Usage> {
  readonly schemaName: string;
  readonly distinguisher: string;
  /** The queues that it may use; empty where its level has none. */
  readonly hand: readonly number[];
  readonly usage: U;
}

/** Who asks for what, for those who look at the queues. */
export interface Asked {
  readonly info: RequestInfo;
  readonly user: UserInfo;
}

/** How the wait of a request ends. */
export type Outcome = "execute" | "time-out" | "cancelled";

/** A request at a priority level. */
export class Ticket {
  readonly flow: Flow;
  readonly work: Work;
  readonly width: number;
  readonly asked: Asked;
  readonly arrived: Milliseconds;
  /** The progress of the queues when it arrived. */
  readonly arrivedAt: SeatSeconds;
  /** Undefined where the level has no queues. */
  readonly queue: Queue | undefined;
  started: Milliseconds = 0;
  state: "waiting" | "executing" | "done" = "waiting";
  /** Hears how the wait ends. */
  onDecided: ((outcome: Outcome) => void) | undefined;
  /** The executing ones of a level are a ring, so that one leaves at no cost. */
  previous: Ticket | undefined;
  next: Ticket | undefined;

  constructor(
    flow: Flow,
    request: { readonly work: Work; readonly asked: Asked },
    at: {
      readonly arrived: Milliseconds;
      readonly arrivedAt: SeatSeconds;
      readonly queue: Queue | undefined;
    },
  ) {
    this.flow = flow;
    this.work = request.work;
    this.width = widthOf(request.work);
    this.asked = request.asked;
    this.arrived = at.arrived;
    this.arrivedAt = at.arrivedAt;
    this.queue = at.queue;
  }
}
