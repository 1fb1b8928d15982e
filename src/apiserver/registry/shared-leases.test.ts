import { expect, test } from "vitest";
import { VirtualClock } from "../../base/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { SharedLeases } from "./shared-leases.ts";

const hour = 3_600_000;

test("objects of one minute and one time to live share a lease, up to a thousand", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const leases = new SharedLeases(store, clock);
  const first = await leases.for(hour);
  await clock.advance(59_000);
  expect(await leases.for(hour)).toBe(first);
  expect(await leases.for(2 * hour)).not.toBe(first);
  await clock.advance(1_000);
  const second = await leases.for(hour);
  expect(second).not.toBe(first);
  for (let objects = 1; objects < 1_000; objects++) expect(await leases.for(hour)).toBe(second);
  expect(await leases.for(hour)).not.toBe(second);
  await store.close();
});

test("an object lives its time and at most a minute more", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const leases = new SharedLeases(store, clock);
  const value = new Uint8Array();
  await store.commit({ type: "create", key: "/registry/events/a", value, lease: await leases.for(hour) });
  await clock.advance(59_000);
  await store.commit({ type: "create", key: "/registry/events/b", value, lease: await leases.for(hour) });
  await clock.advance(hour);
  expect(await store.get("/registry/events/b")).toBeDefined();
  await clock.advance(1_000);
  expect(await store.get("/registry/events/a")).toBeUndefined();
  expect(await store.get("/registry/events/b")).toBeUndefined();
  await store.close();
});

test("a lease that was refused is asked for again", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  let refuse = true;
  const leases = new SharedLeases(
    new Proxy(store, {
      get(target, name) {
        if (name === "grantLease" && refuse) return () => Promise.reject(new Error("disk full"));
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
    clock,
  );
  await expect(leases.for(hour)).rejects.toThrow("disk full");
  refuse = false;
  expect(await leases.for(hour)).toBe(await leases.for(hour));
  await store.close();
});
