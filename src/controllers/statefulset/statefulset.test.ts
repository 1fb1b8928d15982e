import { afterEach, beforeEach, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { ControllerRevision, StatefulSet } from "../../api/types/apps-v1.ts";
import { Harness } from "../testing/harness.ts";
import { statefulSetController } from "./statefulset-controller.ts";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
  harness.start([statefulSetController]);
});
afterEach(() => harness.stop());

const labels = { app: "db" };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "c", image }] } });
const create = (spec: object = {}) =>
  harness.create(StatefulSet, {
    metadata: { namespace: "n", name: "db" },
    spec: {
      replicas: 3,
      serviceName: "db",
      selector: { matchLabels: labels },
      template: template("one"),
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      ...spec,
    },
  } as unknown as New<StatefulSet>);
const names = async () => (await harness.list(Pod)).map(({ metadata }) => metadata.name);
const set = async () => (await harness.list(StatefulSet))[0]!;
const images = async () =>
  Object.fromEntries(
    (await harness.list(Pod)).map(({ metadata, spec }) => [metadata.name, spec?.containers[0]?.image]),
  );

it("makes pods in order, each with its claims, and takes them away in reverse", async () => {
  await create({ volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }] });
  await harness.settle();
  expect(await names()).toEqual(["db-0"]);
  await harness.runPods();
  expect(await names()).toEqual(["db-0", "db-1"]);
  await harness.runPods();
  await harness.runPods();
  expect(await names()).toEqual(["db-0", "db-1", "db-2"]);
  expect((await harness.list(PersistentVolumeClaim)).map(({ metadata }) => metadata.name)).toEqual([
    "data-db-0",
    "data-db-1",
    "data-db-2",
  ]);
  const [pod] = await harness.list(Pod);
  expect(pod).toMatchObject({
    metadata: {
      labels: { "statefulset.kubernetes.io/pod-name": "db-0", "apps.kubernetes.io/pod-index": "0" },
    },
    spec: {
      hostname: "db-0",
      subdomain: "db",
      volumes: [{ persistentVolumeClaim: { claimName: "data-db-0" } }],
    },
  });
  expect((await set()).status).toMatchObject({ replicas: 3, readyReplicas: 3, currentReplicas: 3 });
  await harness.change(StatefulSet, await set(), { spec: { replicas: 1 } });
  await harness.settle();
  expect(await names()).toEqual(["db-0"]);
  expect(await harness.events()).toContain(
    "Normal SuccessfulCreate create Pod db-0 in StatefulSet db successful",
  );
});

it("updates from the highest ordinal down to the partition, waiting for each", async () => {
  await create({
    podManagementPolicy: "Parallel",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } },
  });
  await harness.settle();
  await harness.runPods();
  await harness.change(StatefulSet, await set(), { spec: { template: template("two") } });
  await harness.settle();
  expect(await images()).toEqual({ "db-0": "one", "db-1": "one", "db-2": "two" });
  await harness.runPods();
  await harness.runPods();
  expect(await images()).toEqual({ "db-0": "one", "db-1": "two", "db-2": "two" });
  expect((await set()).status).toMatchObject({ updatedReplicas: 2, currentReplicas: 1 });
  await harness.change(StatefulSet, await set(), {
    spec: { updateStrategy: { rollingUpdate: { partition: 0 } } },
  });
  await harness.settle();
  await harness.runPods();
  expect(await images()).toEqual({ "db-0": "two", "db-1": "two", "db-2": "two" });
  const { status } = await set();
  expect(status?.currentRevision).toBe(status?.updateRevision);
  expect((await harness.list(ControllerRevision)).map(({ revision }) => revision)).toEqual([1, 2]);
});

it("halts a scale-down while pods are unwell, but for the lowest of them", async () => {
  await create({ podManagementPolicy: "Parallel" });
  await harness.settle();
  await harness.runPods();
  await harness.change(StatefulSet, await set(), { spec: { podManagementPolicy: "OrderedReady" } });
  const setReady = async (status: "True" | "False") => {
    for (const pod of await harness.list(Pod))
      await harness.change(Pod, pod, { status: { conditions: [{ type: "Ready", status }] } });
    await harness.settle();
  };
  await setReady("False");
  await harness.change(StatefulSet, await set(), { spec: { replicas: 0 } });
  await harness.settle();
  expect(await names()).toEqual(["db-0", "db-1", "db-2"]);
  await setReady("True");
  expect(await names()).toEqual([]);
});
