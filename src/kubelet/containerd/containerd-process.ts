import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import type { CgroupLayout } from "./machine.ts";
import { isRunning, processesOf, terminate } from "./processes.ts";

export interface ContainerdProcessOptions {
  /** Path of the executable. */
  readonly program: string;
  readonly configFile: string;
  readonly socketPath: string;
  readonly logFile: string;
  readonly layout: CgroupLayout;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told the new process after an end that nobody asked for. */
  readonly onRestarted?: ((pid: number) => void) | undefined;
}

interface Run {
  readonly pid: number;
  /** Settles with how the process ended. */
  readonly ended: Promise<string>;
}

const firstRestartDelay: Milliseconds = 100;
const longestRestartDelay: Milliseconds = 30_000;
/** Who lived as long as this is started again at once. */
const steadyAfter: Milliseconds = 60_000;
const adoptedPollInterval: Milliseconds = 500;

/** The process of the cluster's containerd: taken over or started, and started again when it ends unbidden. */
export class ContainerdProcess {
  private readonly options: ContainerdProcessOptions;
  private readonly lifetime = new AbortController();
  private current: Run | undefined;
  private supervising: Promise<void> = Promise.resolve();

  constructor(options: ContainerdProcessOptions) {
    this.options = options;
  }

  get isRunning(): boolean {
    return this.current !== undefined;
  }

  get pid(): number | undefined {
    return this.current?.pid;
  }

  /** Takes over the process that an earlier run left, or starts one. */
  async start(): Promise<void> {
    const { configFile } = this.options;
    const adopted = (await processesOf(["containerd", "--config", configFile]))[0];
    this.track(adopted === undefined ? await this.launch() : this.adopt(adopted));
  }

  /** From now on an end that nobody asked for is reported and mended. */
  supervise(): void {
    this.supervising = this.keepRunning();
  }

  /** From now on the process may end; one that is not there is started, for there may be containers to remove. */
  async leave(): Promise<void> {
    this.lifetime.abort();
    await this.supervising;
    if (!this.current || !isRunning(this.current.pid)) await this.start();
  }

  async stop(): Promise<void> {
    this.lifetime.abort();
    await this.supervising;
    if (this.current) await terminate([this.current.pid]);
    await terminate(await processesOf(["containerd", "--config", this.options.configFile]));
  }

  private track(run: Run): Run {
    this.current = run;
    void run.ended.then(() => {
      if (this.current === run) this.current = undefined;
    });
    return run;
  }

  private async keepRunning(): Promise<void> {
    const { clock, logger, logFile } = this.options;
    const { signal } = this.lifetime;
    const aborted = new Promise<undefined>((resolve) =>
      signal.addEventListener("abort", () => resolve(undefined), { once: true }),
    );
    let delay = firstRestartDelay;
    let started = clock.now();
    while (!signal.aborted) {
      const how = await Promise.race([this.current?.ended ?? Promise.resolve("is not there"), aborted]);
      if (how === undefined) return;
      if (clock.now() - started > steadyAfter) delay = firstRestartDelay;
      logger.error(`containerd ${how}; it is started again, and containers go on meanwhile`, {
        log: logFile,
      });
      await clock.sleep(delay, signal).catch(() => undefined);
      delay = Math.min(2 * delay, longestRestartDelay);
      if (signal.aborted) return;
      started = clock.now();
      await this.launch().then(
        (run) => {
          this.track(run);
          this.options.onRestarted?.(run.pid);
        },
        (error: unknown) => logger.error("containerd cannot be started", { error }),
      );
    }
  }

  private adopt(pid: number): Run {
    return { pid, ended: this.watch(pid) };
  }

  private async watch(pid: number): Promise<string> {
    while (!this.lifetime.signal.aborted && isRunning(pid))
      await this.options.clock.sleep(adoptedPollInterval);
    return "ended";
  }

  private async launch(): Promise<Run> {
    const { logFile } = this.options;
    const [name = "", ...args] = await this.command();
    const log = await open(logFile, "a");
    try {
      const child = spawn(name, args, { stdio: ["ignore", log.fd, log.fd], detached: true, cwd: "/" });
      const ended = new Promise<string>((resolve) => {
        child.once("exit", (code, signal) =>
          resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`),
        );
        child.once("error", (error) => resolve(`could not be started: ${error.message}`));
      });
      return { pid: child.pid ?? 0, ended };
    } finally {
      await log.close();
    }
  }

  private async command(): Promise<string[]> {
    const { program, configFile, layout, socketPath } = this.options;
    const shims =
      layout === "hybrid" ? await processesOf(["containerd-shim-runc-v2", "-address", socketPath]) : [];
    return containerdCommand([program, "--config", configFile, "--log-level", "warn"], {
      layout,
      shim: shims[0],
    });
  }
}

/**
 * crun refuses to work where version 2 of the control groups is mounted beside version 1, so there containerd gets a
 * mount namespace without it; the one of an earlier run, where a container's shim still holds it, because that has the
 * containers' mounts.
 */
export function containerdCommand(
  command: readonly string[],
  { layout, shim }: { readonly layout: CgroupLayout; readonly shim: number | undefined },
): string[] {
  if (layout !== "hybrid") return [...command];
  if (shim !== undefined) return ["nsenter", `--mount=/proc/${shim}/ns/mnt`, "--", ...command];
  const hidden = 'mount --make-rprivate /sys/fs/cgroup 2>/dev/null; umount /sys/fs/cgroup/unified; exec "$@"';
  return ["unshare", "--mount", "--propagation", "unchanged", "--", "sh", "-c", hidden, "sh", ...command];
}
