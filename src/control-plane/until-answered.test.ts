import { expect, test } from "vitest";
import { ApiError } from "../apimachinery/index.ts";
import { Namespace } from "../api/types/core-v1.ts";
import { ClusterRole } from "../api/types/rbac-v1.ts";
import { silentLogger, VirtualClock } from "../base/index.ts";
import { createMemoryStore, StoreError } from "../store/index.ts";
import { administrator, testOptions } from "./control-plane-suite.ts";
import { createControlPlane } from "./index.ts";
import { untilAnswered } from "./until-answered.ts";

/** A store that breaks off again and again: half of what it does not answer it has done. */
function unreliable() {
  const memory = createMemoryStore();
  let writes = 0;
  const broken = (key: string) =>
    new StoreError(
      "unavailable",
      `broke off while ${key} was written, and whether that happened cannot be told`,
    );
  const commit: typeof memory.commit = async (write) => {
    writes++;
    if (writes % 40 === 20) throw broken(write.key);
    const revision = await memory.commit(write);
    if (writes % 40 === 0) throw broken(write.key);
    return revision;
  };
  return Object.assign(Object.create(memory) as typeof memory, { commit });
}

/** A clock whose sleepers wake at once. */
const impatient = Object.assign(Object.create(new VirtualClock()) as VirtualClock, { sleep: async () => {} });

test("a start goes on though the store breaks off, and makes all that a cluster has", async () => {
  const complete = await createControlPlane(await testOptions());
  const options = { ...(await testOptions()), store: unreliable(), clock: impatient };
  const plane = await createControlPlane(options);
  for (const resource of [Namespace, ClusterRole]) {
    const [found, expected] = await Promise.all(
      [plane, complete].map(async (one) => {
        const { items } = await one.clientFor(administrator).list<ClusterRole | Namespace>(resource);
        return items.map(({ metadata }) => metadata.name);
      }),
    );
    expect(found).toEqual(expected);
  }
  await plane.close();
  await complete.close();
});

test.each([
  { error: new Error("a bug"), expected: 1 },
  { error: ApiError.notFound({ group: "", resource: "pods" }, "one"), expected: 1 },
  { error: ApiError.serviceUnavailable("storage is unavailable"), expected: 30 },
])("$error is tried $expected times", async ({ error, expected }) => {
  let tries = 0;
  const failing = async () => {
    tries++;
    throw error;
  };
  await expect(untilAnswered(failing, { clock: impatient, logger: silentLogger })).rejects.toBe(error);
  expect(tries).toBe(expected);
});
