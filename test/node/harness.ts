import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger, systemClock, systemRandom } from "../../src/base/index.ts";
import type { Milliseconds } from "../../src/base/index.ts";
import type { ObjectKey, Resource } from "../../src/apimachinery/index.ts";
import type { DeleteOptions } from "../../src/api/index.ts";
import { Pod } from "../../src/api/types/core-v1.ts";
import { MemoryClient } from "../../src/client/testing/index.ts";
import { startContainerd } from "../../src/kubelet/containerd/index.ts";
import type { Containerd } from "../../src/kubelet/containerd/index.ts";
import { makeBusyboxImage } from "../../src/kubelet/image/index.ts";
import { removeKubeletLeftovers, runKubelet } from "../../src/kubelet/index.ts";
import type { Kubelet } from "../../src/kubelet/index.ts";

const needed = ["/usr/bin/containerd", "/usr/lib/cni/bridge", "/bin/busybox", "/usr/sbin/nft"];

/** Why real containers cannot be run here; undefined when they can. */
export function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  const missing = needed.filter((file) => !existsSync(file));
  return missing.length > 0 ? `missing: ${missing.join(", ")}` : undefined;
}

/** Holds pods back until the kubelet itself deletes them, as their grace period does in a real API. */
const heldBack = "kubets.test/held-back";

/** An API that keeps objects in memory and answers token requests. */
class NodeTestClient extends MemoryClient {
  override async delete<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<void> {
    if (resource.kind === "Pod" && options.gracePeriodSeconds === 0) this.vanish(resource, key);
    else await super.delete(resource, key, options);
  }

  override async post<_T extends object, _B extends object, R extends object>(): Promise<R> {
    const expirationTimestamp = new Date(Date.now() + 3600_000).toISOString();
    return { status: { token: "test-token", expirationTimestamp } } as unknown as R;
  }
}

export interface TestNode {
  readonly client: MemoryClient;
  readonly kubelet: Kubelet;
  /** Creates a pod on the node. */
  run(name: string, spec: Partial<Pod["spec"]>, metadata?: Partial<Pod["metadata"]>): Promise<void>;
  /** Marks a pod for deletion as the API does. */
  endPod(name: string, graceSeconds: number): Promise<void>;
  /** Settles with the pod once `holds` is true of it. */
  until(name: string, holds: (pod: Pod) => boolean, limit?: Milliseconds): Promise<Pod>;
  untilGone(name: string): Promise<void>;
  messages(reason: string): string[];
  /** Ends containerd as a crash does. */
  killContainerd(): void;
  /** Once; later calls wait for the first. */
  stop(): Promise<void>;
}

const namespace = "default";

/** A node with real containers over an API in memory. */
export async function startTestNode(): Promise<TestNode> {
  const folder = await mkdtemp("/tmp/kubets-node-");
  const client = new NodeTestClient({ clock: systemClock, random: systemRandom });
  const lifetime = new AbortController();
  const kubeletDirectory = join(folder, "kubelet");
  const cgroupPrefix = `kubets-test-${process.pid}`;
  const containerd = await startContainerd({
    rootDirectory: join(folder, "root"),
    stateDirectory: join(folder, "run"),
    kubeletDirectory,
    clusterName: cgroupPrefix,
    bridgeName: "kubetstest0",
    podCIDRs: ["10.211.0.0/24"],
    logger: silentLogger,
  });
  await containerd.importImage(await makeBusyboxImage({ names: ["docker.io/library/busybox:1"] }));
  let handle: Kubelet | undefined;
  let running: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    running = runKubelet(
      {
        client,
        nodeName: "node-1",
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
        cri: containerd.cri,
        mountImage: (imageId, directory) => containerd.mountImage(imageId, directory),
        directory: kubeletDirectory,
        logDirectory: join(folder, "logs"),
        cgroupPrefix,
        addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
        clusterDNS: ["10.96.0.10"],
        clusterDomain: "cluster.local",
        serverPort: 10250,
        onStarted: (kubelet) => (handle = kubelet),
        onReady: resolve,
      },
      lifetime.signal,
    );
    running.catch(reject);
  });
  if (!handle) throw new Error("the kubelet did not start");
  const stop = async () => {
    lifetime.abort();
    await running;
    await containerd.stop();
    await removeKubeletLeftovers({ directory: kubeletDirectory, cgroupPrefix });
    await rm(folder, { recursive: true, force: true });
  };
  let stopped: Promise<void> | undefined;
  return new RunningTestNode({ client, kubelet: handle, containerd }, { stop: () => (stopped ??= stop()) });
}

class RunningTestNode implements TestNode {
  readonly client: MemoryClient;
  readonly kubelet: Kubelet;
  readonly stop: () => Promise<void>;
  private readonly containerd: Containerd;

  constructor(
    parts: { client: MemoryClient; kubelet: Kubelet; containerd: Containerd },
    { stop }: { stop: () => Promise<void> },
  ) {
    this.client = parts.client;
    this.kubelet = parts.kubelet;
    this.containerd = parts.containerd;
    this.stop = stop;
  }

  killContainerd(): void {
    if (this.containerd.pid !== undefined) process.kill(this.containerd.pid, "SIGKILL");
  }

  async run(
    name: string,
    spec: Partial<Pod["spec"]>,
    metadata: Partial<Pod["metadata"]> = {},
  ): Promise<void> {
    await this.client.create(Pod, {
      metadata: { namespace, name, finalizers: [heldBack], ...metadata },
      spec: { nodeName: "node-1", terminationGracePeriodSeconds: 30, ...spec },
      status: { phase: "Pending" },
    });
  }

  async endPod(name: string, graceSeconds: number): Promise<void> {
    const body = {
      metadata: { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: graceSeconds },
    };
    await this.client.patch(Pod, { namespace, name }, { type: "merge", body });
  }

  async until(name: string, holds: (pod: Pod) => boolean, limit: Milliseconds = 15_000): Promise<Pod> {
    const deadline = Date.now() + limit;
    for (;;) {
      const pod = await this.client.get(Pod, { namespace, name });
      if (holds(pod)) return pod;
      if (Date.now() > deadline)
        throw new Error(`pod ${name} is ${JSON.stringify(pod.status, undefined, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async untilGone(name: string): Promise<void> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const gone = await this.client.get(Pod, { namespace, name }).then(
        () => false,
        () => true,
      );
      if (gone) return;
      if (Date.now() > deadline) throw new Error(`pod ${name} is still there`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  messages(reason: string): string[] {
    return this.client.calls
      .filter(({ verb, resource }) => verb === "create" && resource.startsWith("events"))
      .map(({ body }) => body as { reason: string; message: string })
      .filter((event) => event.reason === reason)
      .map(({ message }) => message);
  }
}
