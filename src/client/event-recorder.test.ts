import { expect, it } from "vitest";
import { seededRandom, VirtualClock } from "../base/index.ts";
import { ApiError } from "../apimachinery/index.ts";
import { Event, Pod } from "../api/types/core-v1.ts";
import { createEventRecorder } from "./event-recorder.ts";
import { MemoryClient } from "./testing/index.ts";

async function setUp() {
  const clock = new VirtualClock();
  const client = new MemoryClient({ clock, random: seededRandom(1) });
  const recorder = createEventRecorder({
    client,
    component: "test",
    host: "here",
    clock,
    random: seededRandom(2),
  });
  const object = await client.create(Pod, { metadata: { namespace: "default", name: "web" } });
  const tell = (message: string) =>
    recorder.event({ resource: Pod, object }, { type: "Normal", reason: "Tested", message });
  const stored = async () => {
    await recorder.flush();
    return (await client.list(Event)).items.map((event) => [event.message, event.count]);
  };
  return { clock, client, recorder, tell, stored };
}

it("counts repetitions up and combines similar events", async () => {
  const { client, tell, stored } = await setUp();
  tell("same");
  tell("same");
  expect(await stored()).toEqual([["same", 2]]);
  const [event] = (await client.list(Event)).items;
  expect(event).toMatchObject({
    involvedObject: { kind: "Pod", apiVersion: "v1", namespace: "default", name: "web" },
    source: { component: "test", host: "here" },
    type: "Normal",
  });
  for (let index = 0; index < 10; index++) tell(`message ${index}`);
  const combined = (await stored()).slice(9);
  expect(combined).toEqual([["(combined from similar events): message 9", 2]]);
});

it("drops what exceeds 25 events about one object", async () => {
  const { tell, stored } = await setUp();
  for (let index = 0; index < 40; index++) tell("flood");
  expect(await stored()).toEqual([["flood", 25]]);
});

it("tries again when the server was not able, and not when it refused", async () => {
  const { client, clock, tell, stored } = await setUp();
  let failures = 2;
  client.intercept = (call) => {
    if (call.resource === "events" && failures-- > 0) throw ApiError.serviceUnavailable("down");
  };
  tell("late");
  await clock.advance(20_000);
  expect(await stored()).toEqual([["late", 1]]);
  client.intercept = () => {
    throw ApiError.forbidden({ group: "", resource: "events" }, "", "no");
  };
  tell("never");
  expect(await stored()).toEqual([["late", 1]]);
});

it("sends what waits before it stops", async () => {
  const { client, recorder, tell } = await setUp();
  tell("last");
  await recorder.stop();
  tell("too late");
  expect((await client.list(Event)).items.map((event) => event.message)).toEqual(["last"]);
});
