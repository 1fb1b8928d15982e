import type { Milliseconds } from "../../base/index.ts";
import type { Container, Pod } from "../../api/types/core-v1.ts";
import { containerHash } from "../container-hash.ts";
import { latestContainer } from "../observation.ts";
import type { ObservedContainer, PodObservation } from "../observation.ts";
import { backedOffUntil } from "./back-off.ts";
import type { BackOff } from "./back-off.ts";

/** Which list of the pod a container is in. */
type ContainerKind = "init" | "main" | "ephemeral";

/** What the planner knows besides the runtime's view. */
export interface PodKnowledge {
  readonly now: Milliseconds;
  readonly backOffs: ReadonlyMap<string, BackOff>;
  /** Containers, by runtime id, whose startup probe has succeeded or that have none. */
  readonly started: (containerId: string) => boolean;
  /** Containers, by runtime id, whose liveness or startup probe has failed. */
  readonly failedProbe: (containerId: string) => "liveness" | "startup" | undefined;
  /** Init containers whose records the runtime no longer has, but that have completed. */
  readonly completedInit: (name: string) => boolean;
  /** How often a container had been restarted, by the pod's last status; for those without record. */
  readonly restartsBefore: (name: string) => number | undefined;
}

export type PodAction =
  | { readonly type: "createSandbox"; readonly attempt: number }
  /** Stops everything of the pod, for instance because its sandbox died or all its containers are done. */
  | { readonly type: "stopPod"; readonly why: "sandboxChanged" | "completed" }
  | {
      readonly type: "start";
      readonly kind: ContainerKind;
      readonly container: Container;
      readonly restartCount: number;
    }
  | {
      readonly type: "kill";
      readonly container: ObservedContainer;
      readonly message: string;
      readonly reason: KillReason;
    }
  | { readonly type: "backOff"; readonly container: Container; readonly delay: Milliseconds };

type KillReason = "changed" | "liveness" | "startup" | "unknown" | "completed";

/** What to do for a pod now, and when to look again though nothing has changed. */
export interface PodPlan {
  readonly actions: readonly PodAction[];
  readonly wakeAt?: Milliseconds;
  /** All containers are done and will not run again. */
  readonly completed: boolean;
}

/** Decides what a pod that should run needs next. */
export function planPod(pod: Pod, observed: PodObservation, knowledge: PodKnowledge): PodPlan {
  const sandbox = observed.sandboxes[0];
  const needsSandbox =
    sandbox === undefined ||
    !sandbox.ready ||
    observed.sandboxes.filter(({ ready }) => ready).length > 1 ||
    sandbox.hostNetwork !== (pod.spec.hostNetwork ?? false) ||
    (!sandbox.hostNetwork && sandbox.ips.length === 0);
  const planner = new Planner(pod, observed, knowledge);
  if (needsSandbox) return planner.withoutSandbox((sandbox?.attempt ?? -1) + 1);
  return planner.withSandbox();
}

const lostExitCode = 137;

/** Whether an init container is a sidecar, which runs on beside the main containers. */
const isSidecar = (container: Container) => container.restartPolicy === "Always";

/** Whether a container that ended may run again, by the pod's restart policy and the container's own rules. */
function mayRestart(pod: Pod, container: Container, ended: { readonly exitCode: number }): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const values = rule.exitCodes?.values ?? [];
    const listed = values.includes(ended.exitCode);
    const matches = rule.exitCodes?.operator === "NotIn" ? !listed : listed;
    if (matches && rule.action === "Restart") return true;
  }
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? "Always";
  return policy === "Always" || (policy === "OnFailure" && ended.exitCode !== 0);
}

class Planner {
  private readonly pod: Pod;
  private readonly observed: PodObservation;
  private readonly knowledge: PodKnowledge;
  private readonly actions: PodAction[] = [];
  private wakeAt: Milliseconds | undefined;

  constructor(pod: Pod, observed: PodObservation, knowledge: PodKnowledge) {
    this.pod = pod;
    this.observed = observed;
    this.knowledge = knowledge;
  }

  withoutSandbox(attempt: number): PodPlan {
    const { pod, observed } = this;
    const outstanding = pod.spec.containers.filter((container) => {
      const last = latestContainer(observed, container.name) ?? this.lost(container);
      return last === undefined || last.state !== "exited" || mayRestart(pod, container, last);
    });
    const initFailed = this.initHasFailed();
    if (outstanding.length === 0 || initFailed) {
      const leftOver = observed.sandboxes.some(({ ready }) => ready);
      if (leftOver) this.actions.push({ type: "stopPod", why: "completed" });
      return this.plan(true);
    }
    if (observed.sandboxes.length > 0) this.actions.push({ type: "stopPod", why: "sandboxChanged" });
    this.actions.push({ type: "createSandbox", attempt });
    const init = pod.spec.initContainers ?? [];
    const first = init[0];
    // In a new sandbox initialization begins anew.
    if (first) this.start(first, "init");
    else for (const container of outstanding) this.start(container, "main");
    return this.plan(false);
  }

  withSandbox(): PodPlan {
    const { pod, observed } = this;
    for (const container of pod.spec.ephemeralContainers ?? []) {
      if (latestContainer(observed, container.name) === undefined)
        this.actions.push({
          type: "start",
          kind: "ephemeral",
          container: container as unknown as Container,
          restartCount: 0,
        });
    }
    const initialization = this.planInit();
    if (initialization === "failed") {
      this.actions.push({ type: "stopPod", why: "completed" });
      return this.plan(true);
    }
    if (initialization === "running") return this.plan(false);
    const kept = pod.spec.containers.map((container) => this.planMain(container));
    if (kept.includes(true)) return this.plan(false);
    this.actions.push({ type: "stopPod", why: "completed" });
    return this.plan(true);
  }

  /** Answers whether the container runs or will run. */
  private planMain(container: Container): boolean {
    const last = this.inSandbox(container.name);
    if (last === undefined) {
      const before = latestContainer(this.observed, container.name);
      if (before?.state === "exited" && !mayRestart(this.pod, container, before)) return false;
      this.start(container, "main");
      return true;
    }
    if (last.state === "exited") {
      if (!mayRestart(this.pod, container, last)) return false;
      this.start(container, "main");
      return true;
    }
    if (last.state !== "running") {
      this.kill(last, {
        reason: "unknown",
        message: `Container is in ${last.state} state, try killing it before restart`,
      });
      this.start(container, "main");
      return true;
    }
    return this.keepRunning(container, last);
  }

  private keepRunning(container: Container, last: ObservedContainer): boolean {
    if (last.hash !== containerHash(container)) {
      const message = `Container ${container.name} definition changed, will be restarted`;
      this.kill(last, { reason: "changed", message });
      this.start(container, isSidecar(container) ? "init" : "main");
      return true;
    }
    const failed = this.knowledge.failedProbe(last.id);
    if (failed === undefined) return true;
    const restart = mayRestart(this.pod, container, { exitCode: 137 });
    const what = `Container ${container.name} failed ${failed} probe`;
    this.kill(last, { reason: failed, message: restart ? `${what}, will be restarted` : what });
    return true;
  }

  private initHasFailed(): boolean {
    return (this.pod.spec.initContainers ?? []).some((container) => {
      const last = latestContainer(this.observed, container.name);
      return (
        !isSidecar(container) &&
        last?.state === "exited" &&
        last.exitCode !== 0 &&
        !this.mayRestartInit(container, last)
      );
    });
  }

  /** A container that ran and whose record is gone, as after a restart of the machine: it counts as killed. */
  private lost(container: Container): { readonly state: "exited"; readonly exitCode: number } | undefined {
    const ran = this.knowledge.restartsBefore(container.name) !== undefined;
    return ran ? { state: "exited", exitCode: lostExitCode } : undefined;
  }

  private mayRestartInit(container: Container, last: ObservedContainer): boolean {
    return last.exitCode !== 0 && mayRestart(this.pod, container, last);
  }

  /** Init containers run one after the other; sidecars among them are started and kept. */
  private planInit(): "done" | "running" | "failed" {
    const init = this.pod.spec.initContainers ?? [];
    const mainStarted = this.pod.spec.containers.some(({ name }) => this.inSandbox(name) !== undefined);
    for (const container of init) {
      if (isSidecar(container)) {
        if (!this.planSidecar(container) && !mainStarted) return "running";
        continue;
      }
      if (mainStarted) continue;
      const last = this.inSandbox(container.name);
      if (last === undefined) {
        if (this.knowledge.completedInit(container.name) && this.laterRan(container)) continue;
        this.start(container, "init");
        return "running";
      }
      if (last.state === "exited" && last.exitCode === 0) continue;
      if (last.state === "running") return this.keepInitRunning(last);
      if (last.state === "exited" && !this.mayRestartInit(container, last)) return "failed";
      this.start(container, "init");
      return "running";
    }
    return "done";
  }

  private keepInitRunning(last: ObservedContainer): "running" {
    const failed = this.knowledge.failedProbe(last.id);
    if (failed)
      this.kill(last, { reason: failed, message: `Init container ${last.name} failed ${failed} probe` });
    return "running";
  }

  /** Whether a container after this one has run, so that a missing record means that it was cleaned up. */
  private laterRan(container: Container): boolean {
    const init = this.pod.spec.initContainers ?? [];
    const later = [...init.slice(init.indexOf(container) + 1), ...this.pod.spec.containers];
    return later.some(({ name }) => this.inSandbox(name) !== undefined);
  }

  /** Answers whether the sidecar has started, so that the next container may. */
  private planSidecar(container: Container): boolean {
    const last = this.inSandbox(container.name);
    if (last?.state === "running") {
      this.keepRunning(container, last);
      return this.knowledge.started(last.id);
    }
    if (this.mainIsOver()) return true;
    this.start(container, "init");
    return false;
  }

  private mainIsOver(): boolean {
    return this.pod.spec.containers.every((container) => {
      const last = this.inSandbox(container.name);
      return last?.state === "exited" && !mayRestart(this.pod, container, last);
    });
  }

  private inSandbox(name: string): ObservedContainer | undefined {
    const last = latestContainer(this.observed, name);
    return last?.sandboxId === this.observed.sandboxes[0]?.id ? last : undefined;
  }

  private kill(container: ObservedContainer, why: { reason: KillReason; message: string }): void {
    this.actions.push({ type: "kill", container, ...why });
  }

  /** Starts a container unless it has ended too lately. */
  private start(container: Container, kind: ContainerKind): void {
    const last = latestContainer(this.observed, container.name);
    const before = last?.restartCount ?? this.knowledge.restartsBefore(container.name);
    const restartCount = before === undefined ? 0 : before + 1;
    if (last?.state === "exited") {
      const backOff = this.knowledge.backOffs.get(container.name);
      const until = backedOffUntil(backOff, { since: last.finishedAt, now: this.knowledge.now });
      if (until !== undefined) {
        this.actions.push({ type: "backOff", container, delay: backOff?.delay ?? 0 });
        this.wakeAt = Math.min(until, this.wakeAt ?? until);
        return;
      }
    }
    this.actions.push({ type: "start", kind, container, restartCount });
  }

  private plan(completed: boolean): PodPlan {
    return {
      actions: this.actions,
      completed,
      ...(this.wakeAt === undefined ? {} : { wakeAt: this.wakeAt }),
    };
  }
}
