import { expect, test } from "vitest";
import { VirtualClock, silentLogger } from "../base/index.ts";
import type { Pod } from "../api/types/core-v1.ts";
import type { NodeContext } from "./node-context.ts";
import { PodWorker } from "./pod-worker.ts";

test("a worker ends when the node stops in the middle of a step", async () => {
  const lifetime = new AbortController();
  const pod = { metadata: { name: "p", namespace: "n", uid: "u" }, spec: { containers: [] }, status: {} };
  const asked = () => {
    lifetime.abort();
    return Promise.reject(new Error("the runtime has gone"));
  };
  const context = {
    clock: new VirtualClock(),
    logger: silentLogger,
    directories: { pods: "/nowhere", memory: "/nowhere" },
    objects: { reader: () => ({}), release: () => undefined },
    cri: { listPodSandbox: asked, listContainers: asked },
  } as unknown as NodeContext;
  const options = { pod: pod as unknown as Pod, others: () => [], signal: lifetime.signal };
  await expect(new PodWorker(context, options).run()).resolves.toBeUndefined();
});
