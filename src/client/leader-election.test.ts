import { expect, it } from "vitest";
import { seededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import { ApiError } from "../apimachinery/index.ts";
import { Lease } from "../api/types/coordination-v1.ts";
import { runLeaderElection } from "./leader-election.ts";
import { MemoryClient } from "./testing/index.ts";

function setUp() {
  const clock = new VirtualClock();
  const client = new MemoryClient({ clock, random: seededRandom(1) });
  const log: string[] = [];
  const stand = (identity: string, signal: AbortSignal) =>
    runLeaderElection(
      {
        client,
        lease: { namespace: "kube-system", name: "test" },
        identity,
        clock,
        logger: silentLogger,
        random: seededRandom(3),
        lead: async (leading) => {
          log.push(`${identity} leads`);
          await new Promise<void>((resolve) =>
            leading.addEventListener("abort", () => resolve(), { once: true }),
          );
          log.push(`${identity} ends`);
        },
      },
      signal,
    );
  return { clock, client, log, stand };
}

it("has one leader, who hands over at once when it stops", async () => {
  const { clock, client, log, stand } = setUp();
  const [a, b] = [new AbortController(), new AbortController()];
  const first = stand("a", a.signal);
  await clock.advance(1);
  const second = stand("b", b.signal);
  await clock.advance(60_000);
  expect(log).toEqual(["a leads"]);
  a.abort();
  await first;
  await clock.advance(4_400);
  expect(log).toEqual(["a leads", "a ends", "b leads"]);
  const lease = await client.get(Lease, { namespace: "kube-system", name: "test" });
  expect(lease.spec).toMatchObject({ holderIdentity: "b", leaseDurationSeconds: 15, leaseTransitions: 1 });
  b.abort();
  await second;
});

it("ends when it cannot renew for 10 s, before others may take over", async () => {
  const { clock, client, log, stand } = setUp();
  const first = stand("a", new AbortController().signal);
  await clock.advance(1);
  client.intercept = () => {
    throw ApiError.serviceUnavailable("down");
  };
  await clock.advance(9_000);
  expect(log).toEqual(["a leads"]);
  await clock.advance(1_000);
  await first;
  expect(log).toEqual(["a leads", "a ends"]);
});
