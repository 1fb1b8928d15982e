import { expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { StructType } from "../../apimachinery/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import { decodeObject } from "./coding.ts";
import { create } from "./create.ts";

/** Bodies of a kind that lack what its rules look at: nothing at all, and parts of nothing. */
function bodiesOf(type: StructType): readonly object[] {
  const bodies: object[] = [{}];
  for (const { name, type: part } of type.fields) {
    if (name === "metadata" || part.kind !== "struct") continue;
    bodies.push({ [name]: null }, { [name]: {} });
    for (const inner of part.fields) {
      const empty = inner.type.kind === "struct" || inner.type.kind === "map" ? {} : null;
      const one = inner.type.kind === "list" && inner.type.element.kind === "struct" ? [{}] : [];
      for (const value of [empty, ...(inner.type.kind === "list" ? [[], one] : [])]) {
        bodies.push({ [name]: { [inner.name]: value } });
      }
    }
  }
  return bodies;
}

test("objects of every kind that lack parts are created or refused, and no more", async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const { core } = await createApiServer({
    store: createMemoryStore({ clock }),
    clock,
    random: seededRandom(1),
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
  });
  const failures: string[] = [];
  for (const served of core.served.all()) {
    if (core.answers.has(`${served.resource.group}/${served.resource.plural}`)) continue;
    const namespace = served.resource.namespaced ? "default" : undefined;
    for (const body of bodiesOf(served.type)) {
      for (const metadata of [{ name: "x" }, {}]) {
        try {
          const object = decodeObject(served, { ...body, metadata }, {});
          await create(core, served, { user: { name: "u", groups: [] }, namespace, object, dryRun: true });
        } catch (error) {
          if (ApiError.is(error) && error.code < 500) continue;
          failures.push(
            `${served.apiVersion} ${served.resource.kind} ${JSON.stringify(body)}: ${String(error)}`,
          );
        }
      }
    }
  }
  expect(failures).toEqual([]);
});
