import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KubernetesObject, OwnerReference } from "../../apimachinery/index.ts";
import { ConfigMap, Secret } from "../../api/types/core-v1.ts";
import { fixedCatalog } from "../framework/index.ts";
import { Harness } from "../testing/harness.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { planCollection } from "./plan.ts";
import type { CollectionPlan, Subject } from "./plan.ts";

describe("garbage collector", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
    harness.start([garbageCollector], { catalog: fixedCatalog([ConfigMap, Secret]) });
  });
  afterEach(() => harness.stop());

  const ownedBy = (...owners: readonly KubernetesObject[]): OwnerReference[] =>
    owners.map(({ metadata: { name, uid } }) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      name,
      uid,
      blockOwnerDeletion: true,
    }));
  const owner = (name: string) => harness.create(ConfigMap, { metadata: { namespace: "n", name } });
  const secret = (name: string, ownerReferences: OwnerReference[], finalizers: string[] = []) =>
    harness.create(Secret, { metadata: { namespace: "n", name, ownerReferences, finalizers } });
  const names = async () =>
    [...(await harness.list(ConfigMap)), ...(await harness.list(Secret))].map(
      ({ metadata }) => metadata.name,
    );
  const remove = async (name: string, propagationPolicy?: "Orphan" | "Foreground") => {
    await harness.client.delete(
      ConfigMap,
      { namespace: "n", name },
      propagationPolicy ? { propagationPolicy } : {},
    );
    await harness.settle();
  };

  it("deletes dependents in the background, also of owners that never were", async () => {
    const [a, b] = [await owner("a"), await owner("b")];
    await secret("of-a", ownedBy(a));
    await secret("of-both", ownedBy(a, b));
    await secret("of-nobody", [{ apiVersion: "v1", kind: "ConfigMap", name: "ghost", uid: "ghost" }]);
    await harness.settle();
    expect(await names()).toEqual(["a", "b", "of-a", "of-both"]);
    await remove("a");
    expect(await names()).toEqual(["b", "of-both"]);
    expect((await harness.list(Secret))[0]?.metadata.ownerReferences).toEqual(ownedBy(b));
  });

  it("orphans", async () => {
    await secret("child", ownedBy(await owner("a")));
    await harness.settle();
    await remove("a", "Orphan");
    expect(await names()).toEqual(["child"]);
    expect((await harness.list(Secret))[0]?.metadata.ownerReferences).toBeUndefined();
  });

  it("deletes a circle of owners in the foreground", async () => {
    const [a, b, c] = [await owner("a"), await owner("b"), await owner("c")];
    await harness.change(ConfigMap, a, { metadata: { ownerReferences: ownedBy(c) } });
    await harness.change(ConfigMap, b, { metadata: { ownerReferences: ownedBy(a) } });
    await harness.change(ConfigMap, c, { metadata: { ownerReferences: ownedBy(b) } });
    await harness.settle();
    await remove("a", "Foreground");
    expect(await names()).toEqual([]);
  });

  it("deletes in the foreground: the owner goes last", async () => {
    const child = await secret("child", ownedBy(await owner("a")), ["hold"]);
    await harness.settle();
    await remove("a", "Foreground");
    expect(await names()).toEqual(["a", "child"]);
    await harness.change(Secret, child, { metadata: { finalizers: null } });
    await harness.settle();
    expect(await names()).toEqual([]);
  });
});

describe("plan", () => {
  const reference = (uid: string) => ({ apiVersion: "v1", kind: "X", name: uid, uid });
  const subject = (change: Partial<Subject>): Subject => ({
    finalizers: [],
    deleting: false,
    owners: [],
    hasDependents: false,
    dependentWaits: false,
    blockers: [],
    ...change,
  });
  const present = { reference: reference("p"), state: "present" } as const;
  const absent = { reference: reference("a"), state: "absent" } as const;
  const waiting = { reference: reference("w"), state: "waitingForDependents" } as const;
  const rows: readonly [string, Partial<Subject>, CollectionPlan][] = [
    ["keeps what has no owners", {}, { type: "keep" }],
    ["keeps what is owned", { owners: [present] }, { type: "keep" }],
    ["forgets lost owners", { owners: [present, absent, waiting] }, { type: "disown", uids: ["a", "w"] }],
    ["deletes orphans of the lost", { owners: [absent] }, { type: "delete", policy: "Background" }],
    [
      "goes on in the foreground",
      { owners: [waiting], hasDependents: true },
      { type: "delete", policy: "Foreground" },
    ],
    [
      "breaks a circle of owners that wait for one another",
      {
        owners: [{ ...waiting, reference: { ...reference("w"), blockOwnerDeletion: true } }],
        hasDependents: true,
        dependentWaits: true,
      },
      { type: "unblockOwners" },
    ],
    [
      "heeds the orphan finalizer",
      { owners: [absent], finalizers: ["orphan"] },
      { type: "delete", policy: "Orphan" },
    ],
    ["leaves what is going already", { owners: [absent], deleting: true }, { type: "keep" }],
  ];
  it.each(rows)("%s", (_, change, plan) => {
    expect(planCollection(subject(change))).toEqual(plan);
  });
});
