import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PersistentVolume, PersistentVolumeClaim } from "../../api/types/core-v1.ts";
import type { StorageClass } from "../../api/types/storage-v1.ts";
import { Harness } from "../testing/harness.ts";
import { claimBinder, volumeBinder } from "./index.ts";
import { planClaim } from "./plan.ts";

const volume = (name: string, size: string, spec: object = {}, rest: object = {}) =>
  ({
    metadata: { name, uid: name },
    spec: { capacity: { storage: size }, accessModes: ["ReadWriteOnce"], ...spec },
    status: { phase: "Available" },
    ...rest,
  }) as unknown as PersistentVolume;
const claim = (spec: object = {}, metadata: object = {}) =>
  ({
    metadata: { namespace: "n", name: "c", uid: "u", ...metadata },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "5Gi" } }, ...spec },
    status: { phase: "Pending" },
  }) as unknown as PersistentVolumeClaim;

describe("claims", () => {
  const classes: Readonly<Record<string, StorageClass>> = Object.fromEntries(
    [
      ["late", "example.com/p", "WaitForFirstConsumer"],
      ["fast", "example.com/p", "Immediate"],
      ["none", "kubernetes.io/no-provisioner", "Immediate"],
    ].map(([name = "", provisioner, volumeBindingMode]) => [
      name,
      { metadata: { name }, provisioner, volumeBindingMode } as unknown as StorageClass,
    ]),
  );
  const check = (
    given: PersistentVolumeClaim,
    volumes: readonly PersistentVolume[],
    defaultClass?: string,
  ) => {
    const step = planClaim(given, {
      volumes,
      volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
      storageClass: (name) => classes[name],
      defaultClass: () => (defaultClass ? classes[defaultClass] : undefined),
      waitingPods: () => [],
    });
    switch (step.type) {
      case "bind":
        return `bind ${step.volume.metadata.name}`;
      case "chooseClass":
        return `chooseClass ${step.name}`;
      default:
        return `${step.type} ${step.event?.reason ?? ""}`.trim();
    }
  };
  const mine = { claimRef: { namespace: "n", name: "c" } };
  const other = { claimRef: { namespace: "n", name: "d", uid: "d" } };
  const done = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };
  const cases: readonly (readonly [string, string, string])[] = [
    [
      "the smallest that will do",
      check(claim(), [volume("a", "10Gi"), volume("b", "6Gi"), volume("c", "1Gi")]),
      "bind b",
    ],
    ["one reserved for it first", check(claim(), [volume("a", "6Gi"), volume("b", "10Gi", mine)]), "bind b"],
    ["none of another", check(claim(), [volume("a", "6Gi", other)]), "wait FailedBinding"],
    [
      "none of another class",
      check(claim({ storageClassName: "x" }), [volume("a", "6Gi")]),
      "wait ProvisioningFailed",
    ],
    [
      "none with fewer access modes",
      check(claim({ accessModes: ["ReadWriteMany"] }), [volume("a", "6Gi")]),
      "wait FailedBinding",
    ],
    ["none that is raw", check(claim(), [volume("a", "6Gi", { volumeMode: "Block" })]), "wait FailedBinding"],
    [
      "none that is not selected",
      check(claim({ selector: { matchLabels: { a: "b" } } }), [volume("a", "6Gi")]),
      "wait FailedBinding",
    ],
    [
      "not before a pod is there",
      check(claim({ storageClassName: "late" }), [volume("a", "6Gi", { storageClassName: "late" })]),
      "wait WaitForFirstConsumer",
    ],
    [
      "but one reserved even then",
      check(claim({ storageClassName: "late" }), [volume("a", "6Gi", { storageClassName: "late", ...mine })]),
      "bind a",
    ],
    ["asks a provisioner", check(claim({ storageClassName: "fast" }), []), "provision ExternalProvisioning"],
    ["that is there", check(claim({ storageClassName: "none" }), []), "wait ProvisioningFailed"],
    ["takes a default that came late", check(claim(), [], "fast"), "chooseClass fast"],
    ["the named one", check(claim({ volumeName: "a" }), [volume("a", "6Gi")]), "bind a"],
    ["if it is there", check(claim({ volumeName: "a" }), []), "wait"],
    ["if it is large enough", check(claim({ volumeName: "a" }), [volume("a", "1Gi")]), "wait VolumeMismatch"],
    ["if it is free", check(claim({ volumeName: "a" }), [volume("a", "6Gi", other)]), "wait FailedBinding"],
    ["lost with its volume", check(claim({ volumeName: "a" }, done), []), "lost ClaimLost"],
    [
      "lost to another",
      check(claim({ volumeName: "a" }, done), [volume("a", "6Gi", other)]),
      "lost ClaimMisbound",
    ],
  ];
  for (const [name, got, expected] of cases) it(name, () => expect(got).toBe(expected));
});

describe("binders", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
    harness.start([claimBinder, volumeBinder]);
  });
  afterEach(() => harness.stop());

  const volumes = async () =>
    (await harness.list(PersistentVolume)).map(({ metadata, status }) => `${metadata.name} ${status?.phase}`);

  it("bind a claim and a volume, and release the volume after the claim", async () => {
    const { status: _, ...fresh } = volume("v", "6Gi");
    await harness.create(PersistentVolume, fresh);
    await harness.settle();
    expect(await volumes()).toEqual(["v Available"]);
    const made = await harness.create(PersistentVolumeClaim, claim());
    await harness.settle();
    expect((await harness.list(PersistentVolumeClaim))[0]).toMatchObject({
      metadata: {
        annotations: {
          "pv.kubernetes.io/bind-completed": "yes",
          "pv.kubernetes.io/bound-by-controller": "yes",
        },
      },
      spec: { volumeName: "v" },
      status: { phase: "Bound", capacity: { storage: "6Gi" }, accessModes: ["ReadWriteOnce"] },
    });
    expect((await harness.list(PersistentVolume))[0]).toMatchObject({
      metadata: { annotations: { "pv.kubernetes.io/bound-by-controller": "yes" } },
      spec: {
        claimRef: { kind: "PersistentVolumeClaim", namespace: "n", name: "c", uid: made.metadata.uid },
      },
      status: { phase: "Bound" },
    });
    await harness.client.delete(PersistentVolumeClaim, { namespace: "n", name: "c" });
    await harness.settle();
    expect(await volumes()).toEqual(["v Released"]);
  });

  it("a claim waits, and says why", async () => {
    await harness.create(PersistentVolumeClaim, claim());
    await harness.settle();
    expect(await harness.events()).toEqual([
      "Normal FailedBinding no persistent volumes available for this claim and no storage class is set",
    ]);
  });

  it("what cannot be deleted has failed", async () => {
    const gone = {
      claimRef: { namespace: "n", name: "gone", uid: "gone" },
      persistentVolumeReclaimPolicy: "Delete",
    };
    await harness.create(PersistentVolume, volume("v", "6Gi", gone));
    await harness.settle();
    expect(await volumes()).toEqual(["v Failed"]);
  });
});
