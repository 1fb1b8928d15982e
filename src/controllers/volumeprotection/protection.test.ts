import { afterEach, beforeEach, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { Harness } from "../testing/harness.ts";
import { claimProtectionController, volumeProtectionController } from "./index.ts";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
  harness.start([claimProtectionController, volumeProtectionController]);
});
afterEach(() => harness.stop());

it("holds a claim until no pod on a node uses it", async () => {
  const key = { namespace: "n", name: "data" };
  await harness.create(PersistentVolumeClaim, { metadata: key });
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "data" } }];
  await harness.create(Pod, {
    metadata: { namespace: "n", name: "p" },
    spec: { nodeName: "x", volumes },
  } as New<Pod>);
  await harness.create(Pod, { metadata: { namespace: "n", name: "q" }, spec: { volumes } } as New<Pod>);
  await harness.settle();
  const claims = () => harness.list(PersistentVolumeClaim);
  expect((await claims())[0]?.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
  await harness.client.delete(PersistentVolumeClaim, key);
  await harness.settle();
  expect((await claims())[0]?.metadata.deletionTimestamp).toBeDefined();
  await harness.client.delete(Pod, { namespace: "n", name: "p" });
  await harness.settle();
  expect(await claims()).toEqual([]);
});

it("holds a volume while it is bound", async () => {
  const made = await harness.create(PersistentVolume, {
    metadata: { name: "v" },
    status: { phase: "Bound" },
  } as New<PersistentVolume>);
  await harness.settle();
  await harness.client.delete(PersistentVolume, { name: "v" });
  await harness.settle();
  expect(await harness.list(PersistentVolume)).toHaveLength(1);
  await harness.change(PersistentVolume, made, { status: { phase: "Released" } });
  await harness.settle();
  expect(await harness.list(PersistentVolume)).toEqual([]);
});
