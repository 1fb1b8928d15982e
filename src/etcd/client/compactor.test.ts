import { expect, test } from "vitest";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import { runEtcdCompactor } from "./compactor.ts";

test("of several servers one compacts after each interval, to where history was an interval ago", async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  let version = 0;
  let revision = 100;
  const done: string[] = [];
  const server = (name: string, interval: number) =>
    runEtcdCompactor({
      store: {
        async takeTurn({ turn }) {
          revision++;
          const isOurs = turn === version;
          if (isOurs) version++;
          return { isOurs, turn: version, revision };
        },
        async compact(through) {
          done.push(`${name} ${through}`);
        },
      },
      clock,
      logger: silentLogger,
      signal: stop.signal,
      interval,
    });
  const running = [server("a", 1_000), server("b", 1_010)];
  await clock.advance(4_500);
  stop.abort();
  await Promise.all(running);
  expect(done).toEqual(["a 101", "a 103", "a 105"]);
});
