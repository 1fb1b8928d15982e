import { describe, expect, test } from "vitest";
import { resource } from "../../apimachinery/index.ts";
import type { KubernetesObject, ObjectMeta, Resource } from "../../apimachinery/index.ts";
import type { DeleteOptions, ResourceDefinition } from "../../api/index.ts";
import { planDeletion } from "./delete.ts";
import type { AnyObject } from "./entry.ts";

const now = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(now + seconds * 1_000).toISOString().replace(".000Z", "Z");

const things: Resource = resource<KubernetesObject>({
  group: "",
  version: "v1",
  kind: "Thing",
  plural: "things",
  namespaced: true,
});
const plain: ResourceDefinition = { resource: things };
const graceful: ResourceDefinition = {
  resource: things,
  gracePeriodSeconds: (_object, requested) => requested ?? 30,
};

function thing(metadata: Partial<ObjectMeta> = {}): AnyObject {
  return { kind: "Thing", apiVersion: "v1", metadata: { name: "x", uid: "u", ...metadata } } as AnyObject;
}

interface Case {
  readonly name: string;
  readonly definition: ResourceDefinition;
  readonly metadata?: Partial<ObjectMeta>;
  readonly options?: DeleteOptions;
  /** The plan's type, and the metadata that it leaves. */
  readonly plan: string;
  readonly leaves?: Partial<ObjectMeta>;
}

const cases: readonly Case[] = [
  { name: "goes at once", definition: plain, plan: "remove" },
  {
    name: "waits for its finalizers",
    definition: plain,
    metadata: { finalizers: ["a"], generation: 1 },
    plan: "mark",
    leaves: { deletionTimestamp: at(0), deletionGracePeriodSeconds: 0, finalizers: ["a"], generation: 2 },
  },
  {
    name: "that waits for its finalizers keeps waiting",
    definition: plain,
    metadata: { finalizers: ["a"], deletionTimestamp: at(-9), deletionGracePeriodSeconds: 0 },
    plan: "pending",
  },
  {
    name: "goes at once where nothing depends on it",
    definition: { resource: things, hasNoDependents: true },
    options: { propagationPolicy: "Foreground" },
    plan: "remove",
  },
  {
    name: "in the foreground waits for its dependents",
    definition: plain,
    options: { propagationPolicy: "Foreground" },
    plan: "mark",
    leaves: { finalizers: ["foregroundDeletion"] },
  },
  {
    name: "whose dependents are orphaned waits for that",
    definition: plain,
    options: { propagationPolicy: "Orphan" },
    plan: "mark",
    leaves: { finalizers: ["orphan"] },
  },
  {
    name: "in the background drops what other policies had asked for",
    definition: plain,
    metadata: { finalizers: ["orphan"] },
    options: { propagationPolicy: "Background" },
    plan: "remove",
  },
  {
    name: "whose kind orphans by default does so",
    definition: { ...plain, orphansByDefault: true },
    plan: "mark",
    leaves: { finalizers: ["orphan"] },
  },
  {
    name: "gets its grace period",
    definition: graceful,
    plan: "mark",
    leaves: { deletionTimestamp: at(30), deletionGracePeriodSeconds: 30 },
  },
  {
    name: "gets the grace period asked for",
    definition: graceful,
    options: { gracePeriodSeconds: 5 },
    plan: "mark",
    leaves: { deletionTimestamp: at(5), deletionGracePeriodSeconds: 5 },
  },
  {
    name: "with a negative grace period gets a second",
    definition: graceful,
    options: { gracePeriodSeconds: -1 },
    plan: "mark",
    leaves: { deletionGracePeriodSeconds: 1 },
  },
  {
    name: "without grace goes at once",
    definition: graceful,
    options: { gracePeriodSeconds: 0 },
    plan: "remove",
  },
  {
    name: "in its grace period is not given more",
    definition: graceful,
    metadata: { deletionTimestamp: at(20), deletionGracePeriodSeconds: 30 },
    options: { gracePeriodSeconds: 60 },
    plan: "pending",
  },
  {
    name: "in its grace period can be given less",
    definition: graceful,
    metadata: { deletionTimestamp: at(20), deletionGracePeriodSeconds: 30 },
    options: { gracePeriodSeconds: 10 },
    plan: "mark",
    leaves: { deletionTimestamp: at(0), deletionGracePeriodSeconds: 10 },
  },
  {
    name: "whose grace period is ended goes",
    definition: graceful,
    metadata: { deletionTimestamp: at(20), deletionGracePeriodSeconds: 30 },
    options: { gracePeriodSeconds: 0 },
    plan: "remove",
  },
  {
    name: "without grace but with finalizers stays",
    definition: graceful,
    metadata: { finalizers: ["a"] },
    options: { gracePeriodSeconds: 0 },
    plan: "mark",
    leaves: { deletionTimestamp: at(0), deletionGracePeriodSeconds: 0 },
  },
];

describe("a deleted object", () => {
  for (const { name, definition, metadata, options = {}, plan, leaves } of cases) {
    test(name, () => {
      const planned = planDeletion({ definition }, { old: thing(metadata), options, now });
      expect(planned.type).toBe(plan);
      if (planned.type !== "pending" && leaves) expect(planned.object.metadata).toMatchObject(leaves);
    });
  }
});
