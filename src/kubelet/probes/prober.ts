import type { Clock, Milliseconds, Random, Timer } from "../../base/index.ts";
import type { Container, Probe } from "../../api/types/core-v1.ts";
import { attempt } from "./handlers.ts";
import type { AttemptResult, AttemptTarget } from "./handlers.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";

/** What probes of a container have shown so far. */
export interface ProbeVerdict {
  /** Startup probe passed, or there is none. */
  started: boolean;
  ready: boolean;
  failed: "liveness" | "startup" | undefined;
}

export interface ProbedContainer {
  readonly container: Container;
  readonly containerId: string;
  readonly startedAt: Milliseconds;
  readonly podIP: string;
}

export interface ProberOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly target: (probed: ProbedContainer) => Omit<AttemptTarget, "timeout">;
  /** Called when a verdict has changed. */
  readonly changed: (probed: ProbedContainer) => void;
  /** An attempt failed. */
  readonly unhealthy: (probed: ProbedContainer, failure: { kind: ProbeKind; output: string }) => void;
}

const second = 1000;

interface Running {
  readonly probed: ProbedContainer;
  readonly verdict: ProbeVerdict;
  readonly timers: Map<ProbeKind, Timer>;
  /** The pod's end has begun: only readiness counts. */
  ending: boolean;
  stopped: boolean;
}

/** Runs the probes of one pod's containers. */
export class Prober {
  private readonly options: ProberOptions;
  private readonly running = new Map<string, Running>();

  constructor(options: ProberOptions) {
    this.options = options;
  }

  /** What is known of a container; before its probes have begun, only what the lack of probes says. */
  verdict(containerId: string): ProbeVerdict | undefined {
    return this.running.get(containerId)?.verdict;
  }

  /** Begins to probe a container, once. */
  watch(probed: ProbedContainer): void {
    if (this.running.has(probed.containerId)) return;
    const { startupProbe, readinessProbe } = probed.container;
    const verdict: ProbeVerdict = {
      started: startupProbe === undefined,
      ready: startupProbe === undefined && readinessProbe === undefined,
      failed: undefined,
    };
    const running: Running = { probed, verdict, timers: new Map(), ending: false, stopped: false };
    this.running.set(probed.containerId, running);
    if (startupProbe) this.begin(running, { kind: "startup", probe: startupProbe });
    else this.beginOthers(running);
  }

  /** Stops probing what no longer runs. */
  keepOnly(containerIds: ReadonlySet<string>): void {
    for (const [id, running] of this.running) if (!containerIds.has(id)) this.stopOne(id, running);
  }

  /** Stops what could kill containers; readiness is probed on while they end. */
  beginEnding(): void {
    for (const running of this.running.values()) {
      running.ending = true;
      for (const kind of ["startup", "liveness"] as const) running.timers.get(kind)?.cancel();
    }
  }

  stop(): void {
    for (const [id, running] of this.running) this.stopOne(id, running);
  }

  private stopOne(id: string, running: Running): void {
    running.stopped = true;
    for (const timer of running.timers.values()) timer.cancel();
    this.running.delete(id);
  }

  private beginOthers(running: Running): void {
    const { livenessProbe, readinessProbe } = running.probed.container;
    if (livenessProbe && !running.ending) this.begin(running, { kind: "liveness", probe: livenessProbe });
    if (readinessProbe) this.begin(running, { kind: "readiness", probe: readinessProbe });
    else running.verdict.ready = true;
  }

  private begin(running: Running, { kind, probe }: { kind: ProbeKind; probe: Probe }): void {
    const { clock } = this.options;
    const due = running.probed.startedAt + (probe.initialDelaySeconds ?? 0) * second;
    const state = { kind, probe, successes: 0, failures: 0 };
    this.schedule(running, { delay: Math.max(0, due - clock.now()), state });
  }

  private schedule(running: Running, { delay, state }: { delay: Milliseconds; state: ProbeState }): void {
    const timer = this.options.clock.after(delay, () => void this.tick(running, state));
    running.timers.set(state.kind, timer);
  }

  private async tick(running: Running, state: ProbeState): Promise<void> {
    const { probe } = state;
    const started = this.options.clock.now();
    const result = await attempt(probe, {
      ...this.options.target(running.probed),
      timeout: (probe.timeoutSeconds ?? 1) * second,
    });
    if (running.stopped) return;
    const ends = this.note(running, { state, result });
    if (ends) return;
    const period = (probe.periodSeconds ?? 10) * second;
    this.schedule(running, { delay: Math.max(0, started + period - this.options.clock.now()), state });
  }

  /** Counts a result; answers whether this probe is over. */
  private note(running: Running, { state, result }: { state: ProbeState; result: AttemptResult }): boolean {
    const { probe, kind } = state;
    if (result.success) {
      state.failures = 0;
      state.successes++;
      return state.successes >= (probe.successThreshold ?? 1) && this.succeed(running, kind);
    }
    state.successes = 0;
    state.failures++;
    this.options.unhealthy(running.probed, { kind, output: result.output });
    return state.failures >= (probe.failureThreshold ?? 3) && this.fail(running, kind);
  }

  private succeed(running: Running, kind: ProbeKind): boolean {
    const { verdict } = running;
    if (kind === "readiness" && !verdict.ready) {
      verdict.ready = true;
      this.options.changed(running.probed);
    }
    if (kind !== "startup") return false;
    verdict.started = true;
    this.beginOthers(running);
    this.options.changed(running.probed);
    return true;
  }

  private fail(running: Running, kind: ProbeKind): boolean {
    const { verdict } = running;
    if (kind === "readiness") {
      if (verdict.ready) {
        verdict.ready = false;
        this.options.changed(running.probed);
      }
      return false;
    }
    if (running.ending) return true;
    verdict.failed = kind;
    this.options.changed(running.probed);
    return true;
  }
}

interface ProbeState {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  successes: number;
  failures: number;
}
