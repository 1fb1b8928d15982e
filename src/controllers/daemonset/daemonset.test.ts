import { afterEach, beforeEach, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import { DaemonSet } from "../../api/types/apps-v1.ts";
import { Harness } from "../testing/harness.ts";
import { daemonSetController } from "./daemonset-controller.ts";
import { nodeOf } from "./plan.ts";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
  harness.start([daemonSetController]);
});
afterEach(() => harness.stop());

const labels = { app: "agent" };
const template = (image: string) => ({
  metadata: { labels },
  spec: { containers: [{ name: "c", image }], nodeSelector: { os: "linux" } },
});
const addNode = (name: string, spec: object = {}, os = "linux") =>
  harness.create(Node, { metadata: { name, labels: { os } }, spec } as unknown as New<Node>);
const create = () =>
  harness.create(DaemonSet, {
    metadata: { namespace: "n", name: "agent" },
    spec: {
      selector: { matchLabels: labels },
      template: template("one"),
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
    },
  } as unknown as New<DaemonSet>);
const placed = async () =>
  (await harness.list(Pod)).map((pod) => `${nodeOf(pod)} ${pod.spec?.containers[0]?.image}`).sort();
/** Lets the pods run where they are meant to. */
async function run(): Promise<void> {
  for (const pod of await harness.list(Pod)) {
    const lastTransitionTime = new Date(harness.clock.now()).toISOString();
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime }];
    const body = { spec: { nodeName: nodeOf(pod) }, status: { phase: "Running", conditions } };
    if (!pod.status) await harness.change(Pod, pod, body);
  }
  await harness.settle();
}

it("puts a daemon on every node that fits, and takes it from those that no longer do", async () => {
  await addNode("a");
  await addNode("windows", {}, "windows");
  await addNode("tainted", { taints: [{ key: "x", effect: "NoSchedule" }] });
  await addNode("sick", { taints: [{ key: "node.kubernetes.io/not-ready", effect: "NoExecute" }] });
  await create();
  await harness.settle();
  expect(await placed()).toEqual(["a one", "sick one"]);
  await run();
  const status = async () => (await harness.list(DaemonSet))[0]?.status;
  expect(await status()).toMatchObject({ desiredNumberScheduled: 2, numberReady: 2, numberAvailable: 2 });
  const b = await addNode("b");
  await harness.settle();
  expect(await placed()).toEqual(["a one", "b one", "sick one"]);
  await harness.change(Node, b, { metadata: { labels: { os: "plan9" } } });
  await harness.settle();
  expect(await placed()).toEqual(["a one", "sick one"]);
});

it("updates one node after the other", async () => {
  for (const name of ["a", "b"]) await addNode(name);
  const set = await create();
  await harness.settle();
  await run();
  await harness.change(DaemonSet, set, { spec: { template: template("two") } });
  await harness.settle();
  expect((await placed()).filter((text) => text.endsWith("two"))).toHaveLength(1);
  await run();
  await run();
  expect(await placed()).toEqual(["a two", "b two"]);
});

it("surges: an old daemon goes when its successor on the node is available", async () => {
  for (const name of ["a", "b"]) await addNode(name);
  const set = await create();
  await harness.settle();
  await run();
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
  await harness.change(DaemonSet, set, { spec: { template: template("two"), updateStrategy } });
  await harness.settle();
  expect(await placed()).toEqual(["a one", "a two", "b one"]);
  await run();
  expect(await placed()).toEqual(["a two", "b one", "b two"]);
  await run();
  expect(await placed()).toEqual(["a two", "b two"]);
});
