import { rm } from "node:fs/promises";
import type { Milliseconds } from "../base/index.ts";
import type { Pod } from "../api/types/core-v1.ts";
import type { SharedInformer } from "../client/index.ts";
import type { LoggingContainer } from "./log-rotation.ts";
import type { NodeContext } from "./node-context.ts";
import { PodWorker } from "./pod-worker.ts";
import { fingerprints, observePod } from "./runtime/observe.ts";
import { PodVolumes } from "./volumes/index.ts";

export interface PodWorkersOptions {
  readonly informer: SharedInformer<Pod>;
  readonly signal: AbortSignal;
  readonly relistInterval: Milliseconds;
}

/** One worker a pod: made, told and forgotten as pods come, change and go. */
export class PodWorkers {
  private readonly context: NodeContext;
  private readonly options: PodWorkersOptions;
  private readonly workers = new Map<string, PodWorker>();
  private readonly running = new Set<Promise<void>>();
  private seen: ReadonlyMap<string, string> = new Map();

  constructor(context: NodeContext, options: PodWorkersOptions) {
    this.context = context;
    this.options = options;
  }

  get(uid: string): PodWorker | undefined {
    return this.workers.get(uid);
  }

  pods(): readonly Pod[] {
    return [...this.workers.values()].map(({ pod }) => pod);
  }

  /** All containers that run and write a log. */
  loggingContainers(): readonly LoggingContainer[] {
    return [...this.workers.values()].flatMap(({ observed }) =>
      observed.containers.filter(({ state, logPath }) => state === "running" && logPath !== ""),
    );
  }

  async run(): Promise<void> {
    const { informer, signal } = this.options;
    await informer.whenSynced(signal).catch(() => undefined);
    if (signal.aborted) return;
    await this.context.services.whenSynced(signal).catch(() => undefined);
    const stopListening = informer.on({
      added: (pod) => this.deliver(pod),
      updated: (pod, old) => {
        if (old.metadata.uid !== pod.metadata.uid) this.remove(old);
        this.deliver(pod);
      },
      deleted: (pod) => this.remove(pod),
    });
    await this.removeStrangers();
    while (!signal.aborted) {
      await this.context.clock.sleep(this.options.relistInterval, signal).catch(() => undefined);
      if (this.workers.size > 0 && !signal.aborted) await this.relist();
    }
    stopListening();
    await Promise.all(this.running);
  }

  private deliver(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const known = this.workers.get(uid);
    if (known) return known.update(pod);
    const others = () =>
      [...this.workers.values()].filter((one) => one.holdsResources && one.uid !== uid).map((one) => one.pod);
    const worker = new PodWorker(this.context, { pod, others, signal: this.options.signal });
    this.workers.set(uid, worker);
    const run = worker.run().finally(() => {
      this.running.delete(run);
      this.workers.delete(uid);
    });
    this.running.add(run);
  }

  private remove(pod: Pod): void {
    this.workers.get(pod.metadata.uid ?? "")?.removed();
  }

  /** Wakes the workers of pods whose sandboxes or containers have changed since the last look. */
  private async relist(): Promise<void> {
    try {
      const now = await fingerprints(this.context.cri);
      for (const [uid, worker] of this.workers) if (now.get(uid) !== this.seen.get(uid)) worker.wake();
      this.seen = now;
    } catch (error) {
      this.context.logger.warn("cannot list what the runtime has", { error });
    }
  }

  /** What the runtime has of pods that were deleted while no kubelet ran. */
  private async removeStrangers(): Promise<void> {
    const { cri, logger, directories } = this.context;
    try {
      for (const uid of (await fingerprints(cri)).keys()) {
        if (this.workers.has(uid)) continue;
        const { sandboxes } = await observePod(cri, uid);
        for (const { id } of sandboxes) {
          await cri.stopPodSandbox({ podSandboxId: id });
          await cri.removePodSandbox({ podSandboxId: id });
        }
        await new PodVolumes(directories, uid).tearDown();
        await rm(`${directories.pods}/${uid}`, { recursive: true, force: true });
      }
    } catch (error) {
      logger.warn("cannot remove what deleted pods left", { error });
    }
  }
}
