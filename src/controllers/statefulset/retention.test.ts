import { describe, expect, it } from "vitest";
import type { PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import type { StatefulSet } from "../../api/types/apps-v1.ts";
import { planClaimOwners } from "./retention.ts";

describe("owners of a claim", () => {
  const set = (whenDeleted: string, whenScaled: string): StatefulSet =>
    ({
      metadata: { name: "db", namespace: "n", uid: "set" },
      spec: { replicas: 1, persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } },
    }) as unknown as StatefulSet;
  const check = (of: StatefulSet, ordinal: number, owners: readonly object[] = []) => {
    const pod = { metadata: { name: `db-${ordinal}`, uid: `pod-${ordinal}` } } as Pod;
    const claim = { metadata: { name: "c", ownerReferences: owners } } as unknown as PersistentVolumeClaim;
    return planClaimOwners(of, { claim, pod })?.map(({ uid }) => uid);
  };
  const bySet = { kind: "StatefulSet", name: "db", uid: "set", controller: true };
  const byPod = { kind: "Pod", name: "db-1", uid: "pod-1", controller: true };
  const stranger = { kind: "Other", name: "x", uid: "x", controller: true };
  const cases: readonly (readonly [string, readonly string[] | undefined, readonly string[] | undefined])[] =
    [
      ["none when all stay", check(set("Retain", "Retain"), 0), undefined],
      ["none any more when all stay", check(set("Retain", "Retain"), 0, [bySet]), []],
      ["the set when they go with it", check(set("Delete", "Retain"), 0), ["set"]],
      ["the set once", check(set("Delete", "Retain"), 0, [bySet]), undefined],
      ["the set for condemned pods too", check(set("Delete", "Retain"), 1), ["set"]],
      ["the pod when it is condemned", check(set("Retain", "Delete"), 1), ["pod-1"]],
      ["no pod that stays", check(set("Retain", "Delete"), 0), undefined],
      ["the pod in place of the set", check(set("Delete", "Delete"), 1, [bySet]), ["pod-1"]],
      [
        "the set again when scaled up",
        check(set("Delete", "Delete"), 0, [{ ...byPod, name: "db-0", uid: "old" }]),
        ["set"],
      ],
      ["whoever controls it", check(set("Delete", "Delete"), 0, [stranger]), undefined],
    ];
  for (const [name, got, expected] of cases) it(name, () => expect(got).toEqual(expected));
});
