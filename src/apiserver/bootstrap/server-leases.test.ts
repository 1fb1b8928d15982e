import { expect, test } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { ServerLeases } from "./server-leases.ts";

test("servers that renew what they say of themselves are known, others are forgotten", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const leases = new ServerLeases(store, { timeToLive: 15_000 });
  await leases.renew("10.0.0.2");
  await leases.renew("10.0.0.1");
  expect(await leases.addresses()).toEqual(["10.0.0.1", "10.0.0.2"]);
  await clock.advance(10_000);
  await leases.renew("10.0.0.1");
  await clock.advance(10_000);
  expect(await leases.addresses()).toEqual(["10.0.0.1"]);
  await leases.end("10.0.0.1");
  await leases.end("10.0.0.1");
  expect(await leases.addresses()).toEqual([]);
  expect((await store.list("/registry/masterleases/")).items).toEqual([]);
});
