import { describe, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../../base/index.ts";
import { QueueSet } from "./queue-set.ts";
import type { Queuing } from "./queue-set.ts";
import { dealHand, flowHash } from "./shuffle-sharding.ts";
import { Ticket } from "./ticket.ts";
import type { Asked, Flow, Outcome } from "./ticket.ts";
import { oneSeat } from "./work.ts";
import type { Work } from "./work.ts";

const asked: Asked = {
  info: { type: "path", path: "/x", verb: "get" },
  user: { name: "user", groups: [] },
};
const queues = (count: number, lengthLimit: number): Queuing => ({
  type: "queue",
  queues: count,
  lengthLimit,
});

function open({ seats, queuing = queues(8, 10) }: { seats: number; queuing?: Queuing }) {
  const clock = new VirtualClock(0);
  const set = new QueueSet({ clock });
  set.configure({ queuing, seats });
  const flowOf = (
    name: string,
    hand = dealHand(flowHash("schema", name), { deckSize: 8, handSize: 2 }),
  ): Flow => ({
    schemaName: "schema",
    distinguisher: name,
    hand: queuing.type === "queue" ? hand : [],
    usage: { executing: 0, executingSeats: 0, waiting: 0, waitingSeats: 0, unaccommodated: 0 },
  });
  const ask = (flow: Flow, work: Work = oneSeat) => set.start(flow, { work, asked });
  return { clock, set, flowOf, ask };
}

/** The ticket, which must have been taken in. */
function taken(answer: ReturnType<QueueSet["start"]>): Ticket {
  if (!(answer instanceof Ticket)) throw new Error(`refused: ${answer}`);
  return answer;
}

describe("seats", () => {
  test("requests execute while there are seats, then wait, and follow as others end", () => {
    const { set, flowOf, ask } = open({ seats: 2 });
    const flow = flowOf("a");
    const [first, second, third] = [taken(ask(flow)), taken(ask(flow)), taken(ask(flow))];
    expect([first.state, second.state, third.state]).toEqual(["executing", "executing", "waiting"]);
    expect(flow.usage).toEqual({
      executing: 2,
      executingSeats: 2,
      waiting: 1,
      waitingSeats: 1,
      unaccommodated: 0,
    });
    expect([...set.executingTickets()]).toEqual([first, second]);
    let outcome: Outcome | undefined;
    third.onDecided = (decided) => (outcome = decided);
    set.finish(first);
    expect(outcome).toBe("execute");
    expect([...set.executingTickets()]).toEqual([second, third]);
    set.finish(second);
    set.finish(third);
    expect(set.idle).toBe(true);
    expect(set).toMatchObject({ dispatched: 3, rejected: 0, seatsInUse: 0, seatsWaiting: 0, peak: 3 });
    expect(flow.usage).toEqual({
      executing: 0,
      executingSeats: 0,
      waiting: 0,
      waitingSeats: 0,
      unaccommodated: 0,
    });
  });

  test("a full queue refuses", () => {
    const { set, flowOf, ask } = open({ seats: 1, queuing: queues(1, 2) });
    const flow = flowOf("a", [0]);
    for (let count = 0; count < 3; count++) taken(ask(flow));
    expect(ask(flow)).toBe("queue-full");
    expect(set.rejected).toBe(1);
  });

  test("without queues what does not fit is refused", () => {
    const { set, flowOf, ask } = open({ seats: 1, queuing: { type: "reject" } });
    const first = taken(ask(flowOf("a")));
    expect(ask(flowOf("a"))).toBe("concurrency-limit");
    set.finish(first);
    expect(taken(ask(flowOf("a"))).state).toBe("executing");
  });

  test("the exempt are never refused", () => {
    const { flowOf, ask } = open({ seats: 0, queuing: { type: "exempt" } });
    for (let count = 0; count < 9; count++) expect(taken(ask(flowOf("a"))).state).toBe("executing");
  });

  test("what is wider than all seats runs alone", () => {
    const { set, flowOf, ask } = open({ seats: 2 });
    const wide: Work = { seats: 5, finalSeats: 0, lingering: 0 };
    const small = taken(ask(flowOf("a")));
    const large = taken(ask(flowOf("b"), wide));
    expect(large.flow.usage.unaccommodated).toBeGreaterThan(0);
    expect(large.state).toBe("waiting");
    set.finish(small);
    expect(large.state).toBe("executing");
    expect(taken(ask(flowOf("a"))).state).toBe("waiting");
  });

  test("more seats let in those who wait, fewer take away none", () => {
    const { set, flowOf, ask } = open({ seats: 1 });
    const tickets = ["a", "b", "c"].map((name) => taken(ask(flowOf(name))));
    set.configure({ queuing: queues(8, 10), seats: 3 });
    expect(tickets.map(({ state }) => state)).toEqual(["executing", "executing", "executing"]);
    set.configure({ queuing: queues(8, 10), seats: 1 });
    expect(set.executing).toBe(3);
  });

  test("spare queues go when they are empty", () => {
    const { set, flowOf, ask } = open({ seats: 1 });
    const [first, second] = [taken(ask(flowOf("a", [7]))), taken(ask(flowOf("a", [7])))];
    set.configure({ queuing: queues(2, 10), seats: 1 });
    expect(set.queues.length).toBe(8);
    set.finish(first);
    expect(set.queues.length).toBe(8);
    set.finish(second);
    expect(set.queues.length).toBe(7);
    expect(set.queues.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe("waiting", () => {
  test("where the queues stand can be seen", async () => {
    const { clock, set, flowOf, ask } = open({ seats: 1 });
    for (const [name, hand] of [
      ["a", [0]],
      ["b", [1]],
      ["b", [1]],
    ] as const)
      taken(ask(flowOf(name, [...hand])));
    expect(set.bounds({ discounted: false })).toEqual([0, 0]);
    await clock.advance(10);
    set.finish([...set.executingTickets()][0]!);
    // The first took ten milliseconds where three were expected.
    expect(set.queues[0]?.nextDispatch).toBeCloseTo(0.01);
    expect(set.last.start).toBeCloseTo(0);
    expect(set.bounds({ discounted: false })).toEqual([0.003, 0.003]);
    expect(set.bounds({ discounted: true })[0]).toBeCloseTo(0);
  });

  test("who gives up leaves no trace", () => {
    const { set, flowOf, ask } = open({ seats: 1 });
    const flow = flowOf("a");
    const first = taken(ask(flow));
    const outcomes: Outcome[] = [];
    for (const outcome of ["time-out", "cancelled"] as const) {
      const ticket = taken(ask(flow));
      ticket.onDecided = (decided) => outcomes.push(decided);
      set.abandon(ticket, outcome);
      set.abandon(ticket, outcome);
    }
    expect(outcomes).toEqual(["time-out", "cancelled"]);
    expect(set).toMatchObject({ waiting: 0, seatsWaiting: 0, rejected: 2, timedOut: 1, cancelled: 1 });
    set.finish(first);
    expect(set.idle).toBe(true);
  });

  test("seats that linger are free after a while, for those who wait too", async () => {
    const { clock, set, flowOf, ask } = open({ seats: 2 });
    const flow = flowOf("a");
    const write = taken(ask(flow, { seats: 1, finalSeats: 2, lingering: 5 }));
    set.finish(write);
    expect([set.executing, set.seatsInUse, flow.usage.executing, flow.usage.executingSeats]).toEqual([
      0, 2, 0, 2,
    ]);
    const next = taken(ask(flow));
    expect(next.state).toBe("waiting");
    await clock.advance(4);
    expect(next.state).toBe("waiting");
    await clock.advance(1);
    expect(next.state).toBe("executing");
    set.finish(next);
    expect(set.seatsInUse).toBe(0);
    set.close();
  });

  test("where nobody waits, they are free without anyone being woken", async () => {
    const { clock, set, flowOf, ask } = open({ seats: 1 });
    set.finish(taken(ask(flowOf("a"), { seats: 1, finalSeats: 1, lingering: 5 })));
    await clock.advance(5);
    expect(set.seatsInUse).toBe(1);
    expect(taken(ask(flowOf("a"))).state).toBe("executing");
    expect(set.seatsInUse).toBe(1);
  });
});

/** Has flows keep so many requests going for a while; answers how many of each were served. */
async function served(
  seats: number,
  flows: readonly {
    readonly name: string;
    readonly hand: readonly number[];
    readonly clients: number;
    readonly takes?: number;
    readonly work?: Work;
  }[],
): Promise<Readonly<Record<string, number>>> {
  const { clock, set, flowOf, ask } = open({ seats, queuing: queues(8, 100) });
  const counts: Record<string, number> = {};
  for (const { name, hand, clients, takes = 10, work = oneSeat } of flows) {
    const flow = flowOf(name, [...hand]);
    counts[name] = 0;
    const again = () => {
      const run = (ticket: Ticket) =>
        void clock.after(takes, () => {
          counts[name]! += 1;
          set.finish(ticket);
          again();
        });
      const ticket = taken(ask(flow, work));
      if (ticket.state === "executing") run(ticket);
      else ticket.onDecided = () => run(ticket);
    };
    for (let client = 0; client < clients; client++) again();
  }
  await clock.advance(2_000);
  set.close();
  return counts;
}

describe("fairness", () => {
  const close = (counts: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>) => {
    for (const [name, count] of Object.entries(expected)) {
      expect(Math.abs(counts[name]! - count) / count, `${name}: ${counts[name]}, not ${count}`).toBeLessThan(
        0.1,
      );
    }
  };

  test("a flow with many requests gets no more than one with a few", async () => {
    const counts = await served(4, [
      { name: "elephant", hand: [0], clients: 50 },
      { name: "mouse", hand: [1], clients: 4 },
    ]);
    close(counts, { elephant: 400, mouse: 400 });
  });

  test("a flow that needs less than its part leaves the rest to others", async () => {
    const counts = await served(4, [
      { name: "elephant", hand: [0], clients: 50 },
      { name: "mouse", hand: [1], clients: 1 },
    ]);
    close(counts, { elephant: 640, mouse: 160 });
  });

  test("what counts is the time that requests take, not their number", async () => {
    const counts = await served(4, [
      { name: "slow", hand: [0], clients: 20, takes: 30 },
      { name: "quick", hand: [1], clients: 20, takes: 10 },
    ]);
    close(counts, { slow: 133, quick: 400 });
  });

  test("and the seats that they take", async () => {
    const counts = await served(4, [
      { name: "wide", hand: [0], clients: 20, work: { seats: 2, finalSeats: 0, lingering: 0 } },
      { name: "narrow", hand: [1], clients: 20 },
    ]);
    close(counts, { wide: 200, narrow: 400 });
  });
});

test.each([1, 2])("whatever comes in whatever order, seats and queues add up (seed %d)", async (seed) => {
  const random = seededRandom(seed);
  const below = (count: number) => Math.floor(random.next() * count);
  const { clock, set, flowOf, ask } = open({ seats: 5, queuing: queues(8, 4) });
  const flows = ["a", "b", "c", "d"].map((name) => flowOf(name));
  const live = new Set<Ticket>();
  let seats = 5;
  for (let step = 0; step < 600; step++) {
    const tickets = [...live];
    const ticket = tickets[below(Math.max(tickets.length, 1))];
    const choice = below(10);
    if (choice < 5) {
      const [width, finalSeats, lingering] = [1 + below(3), below(3), below(2) * 5];
      const answer = ask(flows[below(4)]!, {
        seats: width,
        finalSeats: lingering > 0 ? finalSeats : 0,
        lingering,
      });
      if (answer instanceof Ticket) live.add(answer);
    } else if (choice < 8 && ticket) {
      if (ticket.state === "executing") set.finish(ticket);
      else set.abandon(ticket, "cancelled");
      live.delete(ticket);
    } else if (choice === 8) await clock.advance(below(10));
    else {
      seats = 3 + below(6);
      set.configure({ queuing: queues(4 + below(8), 4), seats });
    }
    const executing = [...live].filter(({ state }) => state === "executing");
    expect(set.executing).toBe(executing.length);
    expect(set.waiting).toBe(live.size - executing.length);
    expect(set.waiting).toBe(set.queues.reduce((sum, { waiting }) => sum + waiting.length, 0));
    expect([...set.executingTickets()].length).toBe(set.executing);
    // Nobody waits in front of an empty house.
    if (set.waiting > 0) expect(set.seatsInUse).toBeGreaterThan(Math.min(seats, 3) - 3);
  }
  for (const ticket of live) if (ticket.state === "waiting") set.abandon(ticket, "time-out");
  for (const ticket of live) if (ticket.state === "executing") set.finish(ticket);
  await clock.advance(10);
  set.sync();
  expect(set).toMatchObject({ waiting: 0, executing: 0, seatsInUse: 0, seatsWaiting: 0 });
  expect(flows.map(({ usage }) => ({ ...usage, unaccommodated: 0 }))).toEqual(
    flows.map(() => ({ executing: 0, executingSeats: 0, waiting: 0, waitingSeats: 0, unaccommodated: 0 })),
  );
  expect(set.queues.every((queue) => !queue.active && queue.seatsInUse === 0)).toBe(true);
  set.close();
});
