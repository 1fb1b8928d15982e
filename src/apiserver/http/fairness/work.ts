import type { Milliseconds } from "../../../base/index.ts";

/** What a request costs: the seats it takes while it runs, and those that are kept for a while after it. */
export interface Work {
  readonly seats: number;
  readonly finalSeats: number;
  /** How long the seats are kept after the answer. */
  readonly lingering: Milliseconds;
}

/** What most requests cost. */
export const oneSeat: Work = { seats: 1, finalSeats: 0, lingering: 0 };

/** The seats that must be free for the work to begin. */
export const widthOf = ({ seats, finalSeats }: Work): number => (seats > finalSeats ? seats : finalSeats);
