import type { Clock, Milliseconds, Timer } from "../../../base/index.ts";
import { guessedSeconds, Queue, totalWork } from "./queue.ts";
import { Ticket } from "./ticket.ts";
import type { Asked, Flow, Outcome, SeatSeconds } from "./ticket.ts";
import type { Work } from "./work.ts";

/** What a level does with requests for which there is no seat. */
export type Queuing =
  | { readonly type: "exempt" }
  | { readonly type: "reject" }
  | { readonly type: "queue"; readonly queues: number; readonly lengthLimit: number };

/** Why a request is refused at once. */
export type Refusal = "queue-full" | "concurrency-limit";

/** Seats that are kept for a while after the answer. */
interface Lingering {
  readonly until: Milliseconds;
  readonly ticket: Ticket;
}

/**
 * The requests of one priority level: so many seats, and queues in front of them that get the same of the server each.
 * Where a seat is free and nobody waits, a request costs a few numbers; all else is worked out when it matters.
 */
export class QueueSet {
  waiting = 0;
  executing = 0;
  seatsInUse = 0;
  seatsWaiting = 0;
  dispatched = 0;
  rejected = 0;
  timedOut = 0;
  cancelled = 0;
  /** The most seats that were in use or waited for; whoever reads it sets it back. */
  peak = 0;
  /** Progress of all queues. */
  progress: SeatSeconds = 0;
  /** The progress at the last dispatch, and where the queue of that request stood. */
  last = { progress: 0, start: 0 };
  queues: Queue[] = [];
  private queuing: Queuing = { type: "reject" };
  private limit = 0;
  private readonly clock: Clock;
  private readonly onElapsed: (elapsed: Milliseconds) => void;
  private lastSync: Milliseconds;
  /** How many queues have requests. */
  private active = 0;
  /** Seats taken by requests of queues. */
  private queuedSeats = 0;
  private robin = 0;
  private enqueued = 0;
  private running: Ticket | undefined;
  /** The first to be freed first. */
  private readonly lingering: Lingering[] = [];
  private timer: Timer | undefined;

  /** `onElapsed` hears of each span of time in which the load was what it is at that moment. */
  constructor(options: { readonly clock: Clock; readonly onElapsed?: (elapsed: Milliseconds) => void }) {
    this.clock = options.clock;
    this.onElapsed = options.onElapsed ?? (() => {});
    this.lastSync = this.clock.now();
  }

  get idle(): boolean {
    return this.waiting === 0 && this.executing === 0;
  }

  configure({ queuing, seats }: { readonly queuing: Queuing; readonly seats: number }): void {
    this.sync();
    this.queuing = queuing;
    this.limit = seats;
    // Those that are too many go when they are empty.
    const wanted = queuing.type === "queue" ? queuing.queues : 0;
    while (this.queues.length < wanted) this.queues.push(new Queue(this.queues.length));
    this.dispatch();
  }

  /** Takes in a request: it executes at once, waits, or is refused. */
  start(flow: Flow, request: { readonly work: Work; readonly asked: Asked }): Ticket | Refusal {
    const now = this.sync();
    const queue = this.queuing.type === "queue" ? this.queueFor(flow) : undefined;
    const ticket = new Ticket(flow, request, { arrived: now, arrivedAt: this.progress, queue });
    const fits = this.accommodates(ticket.width);
    if (queue === undefined) {
      if (!fits) return this.refuse("concurrency-limit");
      this.execute(ticket, now);
      return ticket;
    }
    if (fits && this.waiting === 0 && this.seatsInUse < this.limit) {
      // What follows is all that queueing and dispatching come to.
      if (!queue.active || queue.nextDispatch < this.progress) queue.nextDispatch = this.progress;
      this.robin = queue.index;
      this.execute(ticket, now);
      return ticket;
    }
    if (this.seatsInUse >= this.limit && queue.waiting.length >= this.lengthLimit) {
      return this.refuse("queue-full");
    }
    this.enqueue(ticket, queue);
    this.dispatch();
    return ticket;
  }

  /** A request has been served; answers what time it is. */
  finish(ticket: Ticket): Milliseconds {
    const now = this.sync();
    ticket.state = "done";
    this.executing -= 1;
    this.unlink(ticket);
    ticket.flow.usage.executing -= 1;
    const { queue, work } = ticket;
    if (queue) {
      queue.executing -= 1;
      if (!queue.active) this.active -= 1;
      queue.nextDispatch -= work.seats * (guessedSeconds - (now - ticket.started) / 1_000);
      queue.bound();
    }
    if (work.lingering > 0) this.linger(ticket, now + work.lingering);
    else this.release(ticket);
    if (this.waiting > 0) this.dispatch();
    return now;
  }

  /** A request that waits is given up. */
  abandon(ticket: Ticket, outcome: Exclude<Outcome, "execute">): void {
    if (ticket.state !== "waiting") return;
    this.sync();
    this.dequeue(ticket);
    ticket.state = "done";
    this.rejected += 1;
    if (outcome === "time-out") this.timedOut += 1;
    else this.cancelled += 1;
    ticket.queue?.bound();
    ticket.onDecided?.(outcome);
    this.dispatch();
  }

  /** Brings what grows with time up to now. */
  sync(): Milliseconds {
    const now = this.clock.now();
    for (let first = this.lingering[0]; first && first.until <= now; first = this.lingering[0]) {
      this.advance(first.until);
      this.lingering.shift();
      this.release(first.ticket);
    }
    this.advance(now);
    return now;
  }

  /** Where the queues stand that have requests, the first and the last; discounted by the work in progress. */
  bounds({ discounted }: { readonly discounted: boolean }): readonly [least: SeatSeconds, most: SeatSeconds] {
    const starts = this.queues.flatMap(({ waiting, nextDispatch, seatsInUse }) =>
      waiting.length === 0 ? [] : [nextDispatch - (discounted ? seatsInUse * guessedSeconds : 0)],
    );
    return starts.length === 0 ? [0, 0] : [Math.min(...starts), Math.max(...starts)];
  }

  /** Requests that execute, with and without a queue. */
  *executingTickets(): Generator<Ticket> {
    const first = this.running;
    if (!first) return;
    let ticket = first;
    do {
      yield ticket;
      ticket = ticket.next ?? first;
    } while (ticket !== first);
  }

  close(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private get lengthLimit(): number {
    return this.queuing.type === "queue" ? this.queuing.lengthLimit : 0;
  }

  private advance(to: Milliseconds): void {
    const elapsed = to - this.lastSync;
    this.lastSync = to;
    if (elapsed <= 0) return;
    this.onElapsed(elapsed);
    if (this.active === 0) return;
    const wanted = Math.min(this.queuedSeats + this.seatsWaiting, this.limit);
    this.progress += ((wanted / this.active) * elapsed) / 1_000;
  }

  /** Of the flow's hand the queue with the least work in it; those with the same take turns. */
  private queueFor({ hand }: Flow): Queue {
    const offset = this.enqueued++ % hand.length;
    let best = this.queues[hand[offset]!]!;
    if (this.waiting === 0) return best;
    for (let index = 1; index < hand.length; index++) {
      const queue = this.queues[hand[(offset + index) % hand.length]!]!;
      if (queue.waitingWork < best.waitingWork) best = queue;
    }
    return best;
  }

  private accommodates(width: number): boolean {
    if (this.queuing.type === "exempt") return true;
    // What is wider than all seats together runs alone.
    if (width > this.limit) return this.executing === 0;
    return this.seatsInUse + width <= this.limit;
  }

  private refuse(refusal: Refusal): Refusal {
    this.rejected += 1;
    return refusal;
  }

  private enqueue(ticket: Ticket, queue: Queue): void {
    if (!queue.active) {
      queue.nextDispatch = this.progress;
      this.active += 1;
    }
    queue.push(ticket);
    queue.bound();
    const { usage } = ticket.flow;
    this.waiting += 1;
    this.seatsWaiting += ticket.width;
    usage.waiting += 1;
    usage.waitingSeats += ticket.width;
    this.notePeak();
  }

  private dequeue(ticket: Ticket): void {
    const { queue, flow, width } = ticket;
    if (!queue?.remove(ticket)) return;
    if (!queue.active) this.active -= 1;
    this.waiting -= 1;
    this.seatsWaiting -= width;
    flow.usage.waiting -= 1;
    flow.usage.waitingSeats -= width;
  }

  private execute(ticket: Ticket, now: Milliseconds): void {
    const { queue, flow, width } = ticket;
    ticket.state = "executing";
    ticket.started = now;
    this.executing += 1;
    this.dispatched += 1;
    this.seatsInUse += width;
    flow.usage.executing += 1;
    flow.usage.executingSeats += width;
    this.link(ticket);
    this.notePeak();
    if (!queue) return;
    if (!queue.active) this.active += 1;
    queue.executing += 1;
    queue.seatsInUse += width;
    this.queuedSeats += width;
    this.last.progress = this.progress;
    this.last.start = queue.nextDispatch;
    queue.nextDispatch += totalWork(ticket);
  }

  private release(ticket: Ticket): void {
    const { queue, flow, width } = ticket;
    this.seatsInUse -= width;
    flow.usage.executingSeats -= width;
    if (!queue) return;
    queue.seatsInUse -= width;
    this.queuedSeats -= width;
    this.removeIfSpare(queue);
  }

  private linger(ticket: Ticket, until: Milliseconds): void {
    let position = this.lingering.length;
    while (position > 0 && this.lingering[position - 1]!.until > until) position -= 1;
    this.lingering.splice(position, 0, { until, ticket });
  }

  private notePeak(): void {
    const demand = this.seatsInUse + this.seatsWaiting;
    if (demand > this.peak) this.peak = demand;
  }

  /** Lets in whoever there are seats for. */
  private dispatch(): void {
    while (this.waiting > 0 && this.seatsInUse < this.limit) {
      const queue = this.nextQueue();
      const ticket = queue.waiting[0]!;
      if (!this.accommodates(ticket.width)) {
        ticket.flow.usage.unaccommodated += 1;
        break;
      }
      this.robin = queue.index;
      this.dequeue(ticket);
      this.execute(ticket, this.lastSync);
      queue.bound();
      ticket.onDecided?.("execute");
    }
    this.watchLingering();
  }

  /** Nobody else tells those who wait that seats become free which linger. */
  private watchLingering(): void {
    const first = this.lingering[0];
    if (this.timer !== undefined || this.waiting === 0 || first === undefined) return;
    this.timer = this.clock.after(first.until - this.lastSync, () => {
      this.timer = undefined;
      this.sync();
      this.dispatch();
    });
  }

  /** The queue whose first request would be done first if all got the same; those that tie take turns. */
  private nextQueue(): Queue {
    const { queues } = this;
    let best: Queue | undefined;
    let bestFinish = Infinity;
    for (let step = 1; step <= queues.length; step++) {
      const queue = queues[(this.robin + step) % queues.length]!;
      const oldest = queue.waiting[0];
      if (!oldest) continue;
      const finish = queue.nextDispatch + totalWork(oldest);
      if (finish < bestFinish) {
        bestFinish = finish;
        best = queue;
      }
    }
    return best!;
  }

  private removeIfSpare(queue: Queue): void {
    const wanted = this.queuing.type === "queue" ? this.queuing.queues : 0;
    if (this.queues.length <= wanted || queue.active || queue.seatsInUse > 0) return;
    if (this.queues[queue.index] !== queue) return;
    this.queues.splice(queue.index, 1);
    for (let index = queue.index; index < this.queues.length; index++) this.queues[index]!.index = index;
    if (this.robin >= queue.index) this.robin -= 1;
  }

  private link(ticket: Ticket): void {
    const first = this.running;
    if (!first) {
      ticket.previous = ticket;
      ticket.next = ticket;
      this.running = ticket;
      return;
    }
    const last = first.previous!;
    ticket.previous = last;
    ticket.next = first;
    last.next = ticket;
    first.previous = ticket;
  }

  private unlink(ticket: Ticket): void {
    const { previous, next } = ticket;
    if (next === ticket) this.running = undefined;
    else {
      previous!.next = next;
      next!.previous = previous;
      if (this.running === ticket) this.running = next;
    }
    ticket.previous = undefined;
    ticket.next = undefined;
  }
}
