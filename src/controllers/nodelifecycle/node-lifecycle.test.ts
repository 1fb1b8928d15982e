import { afterEach, beforeEach, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { Node, Pod } from "../../api/types/core-v1.ts";
import { Lease } from "../../api/types/coordination-v1.ts";
import { Harness } from "../testing/harness.ts";
import { nodeLifecycleController, taintEvictionController } from "./index.ts";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
  harness.start([nodeLifecycleController, taintEvictionController]);
});
afterEach(() => harness.stop());

const node = () =>
  harness.create(Node, {
    metadata: { name: "a" },
    status: { conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: "2026-01-01T00:00:00Z" }] },
  } as unknown as New<Node>);
const pod = (name: string, tolerationSeconds?: number) =>
  harness.create(Pod, {
    metadata: { namespace: "n", name },
    spec: {
      nodeName: "a",
      tolerations:
        tolerationSeconds === undefined
          ? []
          : ["not-ready", "unreachable"].map((key) => ({
              key: `node.kubernetes.io/${key}`,
              operator: "Exists",
              effect: "NoExecute",
              tolerationSeconds,
            })),
    },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  } as unknown as New<Pod>);
const pods = async () => (await harness.list(Pod)).map(({ metadata }) => metadata.name);
const taints = async () =>
  ((await harness.list(Node))[0]?.spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);

it("notices a silent kubelet after its grace period, then evicts as pods tolerate", async () => {
  await node();
  await pod("patient", 300);
  await pod("impatient", 10);
  const lease = await harness.create(Lease, {
    metadata: { namespace: "kube-node-lease", name: "a" },
    spec: { renewTime: "1" },
  } as New<Lease>);
  await harness.settle(45_000);
  await harness.change(Lease, lease, { spec: { renewTime: "2" } });
  await harness.settle(45_000);
  expect(await taints()).toEqual([]);
  await harness.settle(20_000);
  expect(await taints()).toEqual([
    "node.kubernetes.io/unreachable:NoSchedule",
    "node.kubernetes.io/unreachable:NoExecute",
  ]);
  const [silent] = await harness.list(Node);
  expect(silent?.status?.conditions?.[0]).toMatchObject({
    status: "Unknown",
    reason: "NodeStatusUnknown",
    message: "Kubelet stopped posting node status.",
  });
  expect((await harness.list(Pod))[0]?.status?.conditions?.[0]).toMatchObject({
    type: "Ready",
    status: "False",
  });
  await harness.settle(12_000);
  expect(await pods()).toEqual(["patient"]);
  expect(await harness.events()).toContain(
    "Normal TaintManagerEviction Marking for deletion Pod n/impatient",
  );
  await harness.change(Node, silent!, { status: { conditions: [{ type: "Ready", status: "True" }] } });
  await harness.settle(1_000);
  expect(await taints()).toEqual([]);
  expect(await pods()).toEqual(["patient"]);
});

it("evicts at once what does not tolerate a taint", async () => {
  const object = await node();
  await pod("plain");
  await harness.change(Node, object, { spec: { taints: [{ key: "go", effect: "NoExecute" }] } });
  await harness.settle();
  expect(await pods()).toEqual([]);
});
