import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { drained } from "./drained.ts";

const slowBody = () => {
  const actions: (() => void)[] = [];
  return {
    onDrain: (action: () => void) => void actions.push(action),
    drain: () => actions.splice(0).forEach((go) => go()),
  };
};

test("a body that is slow for long gathers no listeners on the signal of its request", async () => {
  const { signal } = new AbortController();
  const body = slowBody();
  for (let turn = 0; turn < 20; turn++) {
    const waiting = drained(body, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    body.drain();
    await waiting;
  }
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("an aborted signal ends the wait", async () => {
  const request = new AbortController();
  const waiting = drained(slowBody(), request.signal);
  request.abort();
  await waiting;
  await drained(slowBody(), request.signal);
  expect(request.signal.aborted).toBe(true);
});
