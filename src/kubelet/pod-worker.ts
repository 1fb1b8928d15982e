import type { Milliseconds } from "../base/index.ts";
import { Node } from "../api/types/core-v1.ts";
import type { Pod, PodStatus, ResourceRequirements } from "../api/types/core-v1.ts";
import { Alarm } from "./alarm.ts";
import type { NodeContext } from "./node-context.ts";
import { isAlive, nothingObserved } from "./observation.ts";
import type { ObservedContainer, PodObservation } from "./observation.ts";
import { choosesNodes, refuseNode, refusePod } from "./plan/admit-pod.ts";
import type { Refusal } from "./plan/admit-pod.ts";
import { nextBackOff } from "./plan/back-off.ts";
import type { BackOff } from "./plan/back-off.ts";
import { planPod } from "./plan/plan-pod.ts";
import type { PodAction, PodPlan } from "./plan/plan-pod.ts";
import { planResize } from "./plan/resize.ts";
import { PodActions, containerOf, fieldPathOf } from "./pod-actions.ts";
import type { CurrentSandbox } from "./pod-actions.ts";
import { Prober } from "./probes/prober.ts";
import { observePod } from "./runtime/observe.ts";
import { StartError } from "./runtime/start-error.ts";
import { terminationMessage } from "./runtime/termination-message.ts";
import type { Waiting } from "./status/container-status.ts";
import { podStatus } from "./status/pod-status.ts";
import type { PodFailure } from "./status/pod-status.ts";
import { StatusWriter } from "./status/status-writer.ts";
import { deadlineOf, earliest, goDuration, graceOf, isDeleted } from "./pod-times.ts";
import { VolumeUpkeep } from "./volume-upkeep.ts";
import { PodVolumes, VolumeError } from "./volumes/index.ts";

const second = 1000;
const retryDelay: Milliseconds = 10 * second;
const firstErrorDelay: Milliseconds = 500;
const longestErrorDelay: Milliseconds = 122 * second;

/** Where a pod is in its life on this node. */
type Life =
  | { readonly type: "running" }
  /** All containers are done, or the node ended the pod; its record stays until it is deleted. */
  | { readonly type: "over"; readonly failure?: PodFailure }
  | { readonly type: "gone" };

type Step = { readonly type: "again" } | { readonly type: "wait"; readonly until?: Milliseconds | undefined };

/** Brings one pod to what its definition says, and through its end; all its steps run one after the other. */
export class PodWorker {
  readonly uid: string;
  /** The last definition known. */
  pod: Pod;
  observed: PodObservation = nothingObserved;
  private life: Life = { type: "running" };
  private deletedFromApi = false;
  private readonly context: NodeContext;
  private readonly signal: AbortSignal;
  private readonly actions: PodActions;
  private readonly volumes: PodVolumes;
  private readonly upkeep: VolumeUpkeep;
  private readonly prober: Prober;
  private readonly writer: StatusWriter;
  private readonly objects;
  private readonly backOffs = new Map<string, BackOff>();
  private readonly waiting = new Map<string, Waiting>();
  private readonly messages = new Map<string, string>();
  /** By runtime id: what running containers were given. */
  private readonly resources = new Map<string, ResourceRequirements>();
  /** Aborted when what runs now has become pointless, because the pod is to end, or to end sooner. */
  private current = new AbortController();
  private errorDelay = firstErrorDelay;
  private cleaned = false;
  /** The node has taken the pod on, now or in an earlier run. */
  private admitted: boolean;
  private readonly others: () => readonly Pod[];
  private readonly alarm = new Alarm();

  constructor(
    context: NodeContext,
    options: {
      pod: Pod;
      /** The other pods that hold resources of the node. */
      others: () => readonly Pod[];
      signal: AbortSignal;
    },
  ) {
    this.context = context;
    this.pod = options.pod;
    this.others = options.others;
    this.admitted = options.pod.status?.startTime !== undefined;
    this.signal = options.signal;
    this.uid = options.pod.metadata.uid ?? "";
    this.volumes = new PodVolumes(context.directories, this.uid);
    this.writer = new StatusWriter(options.pod, { ...context, signal: options.signal });
    this.objects = context.objects.reader({
      namespace: options.pod.metadata.namespace ?? "",
      uid: this.uid,
      signal: options.signal,
      changed: () => {
        this.upkeep.markStale();
        this.wake();
      },
    });
    this.actions = new PodActions({ context, volumes: this.volumes, objects: this.objects, uid: this.uid });
    this.upkeep = new VolumeUpkeep({
      context,
      volumes: this.volumes,
      objects: this.objects,
      mountImage: (pod, of) => this.actions.mountImage(pod, { ...of, signal: this.current.signal }),
    });
    this.prober = this.newProber();
  }

  /** Whether the pod has resources and ports of the node. */
  get holdsResources(): boolean {
    return this.admitted && !this.cleaned;
  }

  /** Takes over a newer definition; an end that comes sooner than the one under way cuts that short. */
  update(pod: Pod): void {
    const endsSooner = graceOf(pod) < graceOf(this.pod);
    const before = this.pod;
    this.pod = pod;
    if ((isDeleted(pod) && !isDeleted(before)) || (isDeleted(before) && endsSooner)) this.interrupt();
    if (
      before.metadata.labels !== pod.metadata.labels ||
      before.metadata.annotations !== pod.metadata.annotations
    )
      this.upkeep.markStale();
    this.wake();
  }

  /** The pod is no longer in the API. */
  removed(): void {
    this.deletedFromApi = true;
    this.interrupt();
    this.wake();
  }

  /** Something may have changed in the runtime. */
  wake(): void {
    this.alarm.ring();
  }

  private interrupt(): void {
    this.current.abort();
    this.current = new AbortController();
  }

  /** Works until the pod is gone from the node, or the node stops. */
  async run(): Promise<void> {
    while (this.life.type !== "gone" && !this.signal.aborted) {
      const seen = this.alarm.rings;
      const step = await this.trySteps();
      const { signal } = this;
      if (step.type === "wait")
        await this.alarm.sleep({ until: step.until, seen, clock: this.context.clock, signal });
    }
    this.prober.stop();
    this.context.objects.release(this.uid);
    await this.writer.flush();
  }

  private async trySteps(): Promise<Step> {
    const { clock, logger } = this.context;
    try {
      const step = await this.step();
      this.errorDelay = firstErrorDelay;
      return step;
    } catch (error) {
      if (this.signal.aborted) return { type: "wait" };
      if (error instanceof VolumeError)
        this.actions.record(this.pod, { type: "Warning", reason: "FailedMount", message: error.message });
      else logger.warn("a pod's step failed", { pod: this.pod.metadata.name, error });
      if (!this.signal.aborted && this.life.type !== "gone") this.publish();
      const until = clock.now() + this.errorDelay;
      this.errorDelay = Math.min(2 * this.errorDelay, longestErrorDelay);
      return { type: "wait", until };
    }
  }

  private async step(): Promise<Step> {
    await this.observe();
    const { phase } = this.pod.status ?? {};
    if (this.life.type === "running" && (phase === "Failed" || phase === "Succeeded"))
      this.life = { type: "over" };
    const deadline = deadlineOf(this.pod, this.writer.current?.startTime);
    if (this.life.type === "running" && deadline !== undefined && this.context.clock.now() >= deadline)
      this.passDeadline();
    if (isDeleted(this.pod) || this.deletedFromApi) return this.end();
    if (this.life.type === "over") return this.finish();
    if (!this.admitted && (await this.refuse())) return { type: "again" };
    await this.resize();
    const plan = this.plan();
    if (plan.completed && plan.actions.length === 0) return this.complete();
    // Users see that the node has taken the pod on before images are pulled.
    if (plan.actions.some(({ type }) => type === "createSandbox")) this.publish();
    const retryAt = await this.perform(plan);
    if (retryAt === "again") {
      await this.observe();
      this.publish();
      return { type: "again" };
    }
    this.publish();
    await this.upkeep.refreshWhenDue(this.pod, this.podIPs());
    return { type: "wait", until: earliest(plan.wakeAt, deadline, retryAt, this.upkeep.refreshAt) };
  }

  /** Answers whether the node does not take the pod on. */
  private async refuse(): Promise<boolean> {
    const refusal =
      (await this.refusedNode()) ?? refusePod(this.pod, { ...this.context, others: this.others() });
    if (!refusal) {
      this.admitted = true;
      return false;
    }
    this.actions.record(this.pod, { type: "Warning", ...refusal });
    const message = `Pod was rejected: ${refusal.message}`;
    this.life = { type: "over", failure: { reason: refusal.reason, message, neverRan: true } };
    return true;
  }

  private async refusedNode(): Promise<Refusal | undefined> {
    const { client, nodeName: name } = this.context;
    if (!choosesNodes(this.pod)) return undefined;
    // Asked for anew: the scheduler may have seen a label that came this moment.
    return refuseNode(this.pod, await client.get(Node, { name }, { signal: this.signal }));
  }

  /** Follows changes of running containers' resources; one that demands a restart is killed and comes back with them. */
  private async resize(): Promise<void> {
    for (const running of this.observed.containers.filter(({ state }) => state === "running")) {
      const container = containerOf(this.pod, running.name);
      if (!container) continue;
      const applied = this.resources.get(running.id) ?? container.resources ?? {};
      const change = planResize(container, applied);
      if (change === "restart") {
        const message = `Container ${container.name} resize requires restart`;
        await this.kill(running, { message, graceSeconds: graceOf(this.pod) });
        this.wake();
      } else if (change === "update")
        await this.actions.resize(this.pod, { container, containerId: running.id });
      this.resources.set(running.id, container.resources ?? {});
    }
  }

  private plan(): PodPlan {
    const init = this.pod.status?.initContainerStatuses ?? [];
    const known = [...init, ...(this.pod.status?.containerStatuses ?? [])];
    return planPod(this.pod, this.observed, {
      now: this.context.clock.now(),
      backOffs: this.backOffs,
      started: (id) => this.prober.verdict(id)?.started ?? false,
      failedProbe: (id) => this.prober.verdict(id)?.failed,
      restartsBefore: (name) =>
        known.find((status) => status.name === name && status.containerID !== undefined)?.restartCount,
      completedInit: (name) =>
        init.some((status) => status.name === name && status.state.terminated?.exitCode === 0),
    });
  }

  /** Does what the plan says; answers "again" when the plan should be made anew, or when to try again what failed. */
  private async perform(plan: PodPlan): Promise<"again" | Milliseconds | undefined> {
    const { signal } = this.current;
    let acted = false;
    let retryAt: Milliseconds | undefined;
    let sandbox = this.currentSandbox();
    for (const action of plan.actions) {
      if (signal.aborted || this.signal.aborted) return "again";
      try {
        if (action.type === "createSandbox" || action.type === "start") await this.prepare();
        if (action.type === "createSandbox")
          sandbox = await this.actions.createSandbox(this.pod, action.attempt);
        else if (action.type === "start") await this.start(action, { sandbox, signal });
        else if (!(await this.performOther(action))) continue;
        acted = true;
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        if (signal.aborted) return "again";
        retryAt = earliest(retryAt, error.retryAt ?? this.context.clock.now() + retryDelay);
        if (action.type !== "start") return retryAt;
        this.waiting.set(action.container.name, { reason: error.reason, message: error.message });
      }
    }
    return acted && retryAt === undefined ? "again" : retryAt;
  }

  /** Answers whether anything was done. */
  private async performOther(
    action: Exclude<PodAction, { type: "createSandbox" | "start" }>,
  ): Promise<boolean> {
    switch (action.type) {
      case "backOff":
        this.noteBackOff(action);
        return false;
      case "kill": {
        const probe = containerOf(this.pod, action.container.name)?.[
          `${action.reason}Probe` as "livenessProbe"
        ];
        const graceSeconds = probe?.terminationGracePeriodSeconds ?? graceOf(this.pod);
        await this.kill(action.container, { message: action.message, graceSeconds });
        return true;
      }
      case "stopPod": {
        if (action.why === "sandboxChanged") {
          const message = "Pod sandbox changed, it will be killed and re-created.";
          this.actions.record(this.pod, { type: "Normal", reason: "SandboxChanged", message });
        }
        await this.stopAll();
        return true;
      }
    }
  }

  private async start(
    action: Extract<PodAction, { type: "start" }>,
    { sandbox, signal }: { sandbox: CurrentSandbox | undefined; signal: AbortSignal },
  ): Promise<void> {
    if (!sandbox) return;
    const { container } = action;
    const { clock } = this.context;
    const last = this.observed.containers.find(({ name }) => name === container.name);
    if (last?.state === "exited")
      this.backOffs.set(container.name, nextBackOff(this.backOffs.get(container.name), clock.now()));
    const id = await this.actions.start(this.pod, { ...action, sandbox, signal, observed: this.observed });
    this.resources.set(id, container.resources ?? {});
    this.waiting.delete(container.name);
  }

  /** Makes what must be there before anything starts; containers wait for what could not be made. */
  private async prepare(): Promise<void> {
    if (this.upkeep.done) return;
    try {
      await this.context.cgroups.create(this.pod);
      await this.upkeep.setUp(this.pod, this.podIPs());
    } catch (error) {
      if (error instanceof StartError)
        for (const { name } of this.pod.spec.containers)
          this.waiting.set(name, { reason: error.reason, message: error.message });
      throw error;
    }
  }

  private currentSandbox(): CurrentSandbox | undefined {
    const sandbox = this.observed.sandboxes[0];
    if (!sandbox?.ready) return undefined;
    const config = this.actions.sandboxConfig(this.pod, sandbox.attempt);
    return { id: sandbox.id, config, ips: sandbox.ips };
  }

  private noteBackOff({ container, delay }: Extract<PodAction, { type: "backOff" }>): void {
    const { name, namespace } = this.pod.metadata;
    const where = `pod=${name}_${namespace}(${this.uid})`;
    const message = `back-off ${goDuration(delay)} restarting failed container=${container.name} ${where}`;
    if (this.waiting.get(container.name)?.message === message) return;
    this.waiting.set(container.name, { reason: "CrashLoopBackOff", message });
    this.actions.record(this.pod, {
      type: "Warning",
      reason: "BackOff",
      message: `Back-off restarting failed container ${container.name} in pod ${name}_${namespace}(${this.uid})`,
      fieldPath: fieldPathOf(this.pod, container),
    });
  }

  private async kill(
    running: ObservedContainer,
    options: { message?: string; graceSeconds: number; signal?: AbortSignal },
  ): Promise<void> {
    await this.actions.kill(this.pod, { running, podIP: this.podIP(), ...options });
  }

  private podIPs(): readonly string[] {
    return this.pod.spec.hostNetwork ? this.context.hostIPs : (this.observed.sandboxes[0]?.ips ?? []);
  }

  private podIP(): string {
    return this.podIPs()[0] ?? "";
  }

  private async stopAll(options: { graceSeconds?: number; signal?: AbortSignal } = {}): Promise<void> {
    const graceSeconds = Math.max(1, options.graceSeconds ?? graceOf(this.pod));
    await this.actions.stopPod(this.pod, this.observed, { ...options, graceSeconds, podIP: this.podIP() });
  }

  /** All containers are done by themselves. */
  private complete(): Step {
    this.life = { type: "over" };
    return { type: "again" };
  }

  /** Publishes the end of a pod that stays in the API, and frees what it held. */
  private async finish(): Promise<Step> {
    if (isAlive(this.observed)) {
      await this.stopAll({ signal: this.current.signal });
      return { type: "again" };
    }
    this.publish();
    await this.writer.flush();
    await this.cleanUp();
    return { type: "wait" };
  }

  /** Ends a pod that is deleted: containers, then its resources, then its object. */
  private async end(): Promise<Step> {
    this.prober.beginEnding();
    if (isAlive(this.observed)) {
      const { signal } = this.current;
      this.publish();
      try {
        await this.stopAll({ graceSeconds: graceOf(this.pod), signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      return { type: "again" };
    }
    if (this.life.type === "running") this.life = { type: "over" };
    this.publish();
    await this.writer.flush();
    await this.cleanUp();
    if (!this.deletedFromApi) await this.actions.deleteObject(this.pod, this.signal);
    await this.actions.removeAll(this.pod, this.observed);
    this.life = { type: "gone" };
    return { type: "again" };
  }

  private async cleanUp(): Promise<void> {
    if (this.cleaned) return;
    this.prober.stop();
    await this.volumes.tearDown();
    await this.context.cgroups.remove(this.pod);
    this.context.objects.release(this.uid);
    this.cleaned = true;
  }

  private async observe(): Promise<void> {
    const observed = await observePod(this.context.cri, this.uid);
    const running = observed.containers.filter(({ state }) => state === "running");
    const ids = new Set(running.map(({ id }) => id));
    this.prober.keepOnly(ids);
    this.observed = observed;
    for (const { id, name, startedAt } of running) {
      const container = containerOf(this.pod, name);
      if (container && !this.cleaned)
        this.prober.watch({ container, containerId: id, startedAt, podIP: this.podIP() });
    }
    const known = new Set(observed.containers.map(({ id }) => id));
    for (const map of [this.messages, this.resources])
      for (const id of map.keys()) if (!known.has(id)) map.delete(id);
    for (const container of observed.containers) {
      if (container.state === "exited" && !this.messages.has(container.id))
        this.messages.set(container.id, await terminationMessage(container));
    }
    if (observed.containers.length > this.pod.spec.containers.length)
      await this.actions.collectGarbage(observed);
  }

  private publish(): void {
    if (this.deletedFromApi) return;
    this.writer.set(this.status());
  }

  private status(): PodStatus {
    const { life } = this;
    return podStatus({
      // What others wrote into the status stays; what this worker wrote last counts though it may not be back yet.
      pod: { ...this.pod, status: { ...this.pod.status, ...this.writer.current } },
      observed: this.observed,
      waiting: this.waiting,
      terminationMessages: this.messages,
      started: (id) => this.prober.verdict(id)?.started ?? false,
      ready: (id) => this.prober.verdict(id)?.ready ?? false,
      ending: isDeleted(this.pod) || life.type === "over",
      now: this.context.clock.now(),
      hostIPs: this.context.hostIPs,
      final: life.type === "over" && !isAlive(this.observed),
      failure: life.type === "over" ? life.failure : undefined,
    });
  }

  private passDeadline(): void {
    const message = "Pod was active on the node longer than the specified deadline";
    this.life = { type: "over", failure: { reason: "DeadlineExceeded", message } };
    this.actions.record(this.pod, { type: "Normal", reason: "DeadlineExceeded", message });
  }

  private newProber(): Prober {
    return new Prober({
      clock: this.context.clock,
      random: this.context.random,
      target: (probed) => this.actions.target(probed),
      changed: () => this.wake(),
      unhealthy: ({ container }, { kind, output }) => {
        const name = `${kind[0]?.toUpperCase()}${kind.slice(1)}`;
        this.actions.record(this.pod, {
          type: "Warning",
          reason: "Unhealthy",
          message: `${name} probe failed: ${output}`,
          fieldPath: fieldPathOf(this.pod, container),
        });
      },
    });
  }
}
