import type { SeatSeconds, Ticket } from "./ticket.ts";

/** How long a request is thought to take before it has been served. */
export const guessedSeconds = 0.003;

/** All that a request is thought to take of the server. */
export const totalWork = ({ work: { seats, finalSeats, lingering } }: Ticket): SeatSeconds =>
  seats * guessedSeconds + (finalSeats * lingering) / 1_000;

/** Requests of a priority level that are served one after the other. */
export class Queue {
  index: number;
  /** The oldest first. */
  readonly waiting: Ticket[] = [];
  executing = 0;
  seatsInUse = 0;
  /** Progress at which its next request is dispatched. */
  nextDispatch: SeatSeconds = 0;
  /** What all that waits is thought to take. */
  waitingWork: SeatSeconds = 0;

  constructor(index: number) {
    this.index = index;
  }

  get active(): boolean {
    return this.executing > 0 || this.waiting.length > 0;
  }

  push(ticket: Ticket): void {
    this.waiting.push(ticket);
    this.waitingWork += totalWork(ticket);
  }

  /** Takes out one that waits; answers whether it was there. */
  remove(ticket: Ticket): boolean {
    const position = this.waiting.indexOf(ticket);
    if (position < 0) return false;
    this.waiting.splice(position, 1);
    this.waitingWork = this.waiting.length === 0 ? 0 : this.waitingWork - totalWork(ticket);
    return true;
  }

  /** No request is dispatched before it has come: who let seats lie idle has no claim to them later. */
  bound(): void {
    const oldest = this.waiting[0];
    if (oldest && this.nextDispatch < oldest.arrivedAt) this.nextDispatch = oldest.arrivedAt;
  }
}
