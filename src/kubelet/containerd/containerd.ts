import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../base/index.ts";
import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import { containerState, createCriClient } from "../../cri/index.ts";
import type { CriClient } from "../../cri/index.ts";
import { makePauseImage, pauseImageName } from "../image/index.ts";
import { containerdConfig, podNetworkConfig } from "./config.ts";
import type { OciRuntime } from "./config.ts";
import { ContainerdProcess } from "./containerd-process.ts";
import { findProgram, mayLowerOomScore, readCgroupLayout } from "./machine.ts";
import type { CgroupLayout } from "./machine.ts";
import { setUpPodNetwork, tearDownPodNetwork } from "./network.ts";
import { processesOf, terminate } from "./processes.ts";
import { runProgram } from "../../machine/index.ts";

export interface ContainerdOptions {
  /** Images, snapshots, addresses in use; kept between runs. */
  readonly rootDirectory: string;
  /** Sockets and live state, e.g. `/run/kubets/NAME`; at most 80 bytes long. */
  readonly stateDirectory: string;
  /** Where the kubelet keeps volumes: mounts made beneath it are seen by containers. */
  readonly kubeletDirectory: string;
  readonly clusterName: string;
  readonly bridgeName: string;
  readonly podCIDRs: readonly string[];
  readonly networkPluginDirectory?: string;
  /** Default: crun where it is installed, else runc. */
  readonly runtime?: OciRuntime;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Told containerd's new process after it ended unbidden. */
  readonly onRestarted?: (pid: number) => void;
}

/** A containerd of the cluster's own; one that ends unbidden is started again. */
export interface Containerd {
  readonly socketPath: string;
  readonly cri: CriClient;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Imports an OCI image archive. */
  importImage(archive: Uint8Array): Promise<void>;
  /** Shows the files of an image, read-only, at a directory until that is unmounted. */
  mountImage(imageId: string, directory: string): Promise<void>;
  /** Ends and removes all pods' containers, politely at first, then containerd itself; leaves no processes and mounts. */
  stop(): Promise<void>;
}

const longestStateDirectory = 80;
const startTimeout: Milliseconds = 30_000;
const pollInterval: Milliseconds = 20;
/** How long containers may take to end by themselves when all of them are stopped. */
const stopGraceSeconds = 4;
const stopPatience: Milliseconds = 5000;
const defaultPluginDirectories = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/** Starts the cluster's containerd, or takes over the one that an earlier run left; settles when it answers. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  if (Buffer.byteLength(options.stateDirectory) > longestStateDirectory)
    throw new Error(`${options.stateDirectory} is too long for a socket's path`);
  const program = await findProgram("containerd");
  if (program === undefined) throw new Error("containerd is not installed");
  const layout = await readCgroupLayout();
  const paths = pathsOf(options);
  await prepare(options, paths);
  await setUpPodNetwork(options);
  if (layout === "hybrid") await shareMounts(options.kubeletDirectory);
  const clock = options.clock ?? systemClock;
  const process = new ContainerdProcess({
    program,
    configFile: paths.config,
    socketPath: paths.socket,
    logFile: paths.log,
    layout,
    clock,
    logger: options.logger,
    onRestarted: options.onRestarted,
  });
  await process.start();
  const lifetime = new AbortController();
  const cri = createCriClient({ socketPath: paths.socket, signal: lifetime.signal });
  const running = new RunningContainerd({ options, paths, cri, lifetime, process, layout, clock });
  await running.whenReady();
  process.supervise();
  await running.ensurePauseImage();
  return running;
}

interface Paths {
  readonly config: string;
  readonly socket: string;
  readonly log: string;
  readonly containerdState: string;
  readonly containerdRoot: string;
  readonly networks: string;
}

function pathsOf({ rootDirectory, stateDirectory }: ContainerdOptions): Paths {
  return {
    config: join(stateDirectory, "containerd.toml"),
    socket: join(stateDirectory, "containerd.sock"),
    log: join(rootDirectory, "containerd.log"),
    containerdState: join(stateDirectory, "containerd"),
    containerdRoot: join(rootDirectory, "containerd"),
    networks: join(stateDirectory, "net.d"),
  };
}

async function prepare(options: ContainerdOptions, paths: Paths): Promise<void> {
  const folders = [paths.containerdState, paths.containerdRoot, paths.networks, options.kubeletDirectory];
  for (const folder of folders) await mkdir(folder, { recursive: true });
  const config = containerdConfig({
    rootDirectory: paths.containerdRoot,
    stateDirectory: paths.containerdState,
    socketPath: paths.socket,
    networkConfigDirectory: paths.networks,
    networkPluginDirectory: options.networkPluginDirectory ?? (await pluginDirectory()),
    runtime: options.runtime ?? (await defaultRuntime()),
    sandboxImage: pauseImageName,
    registryConfigDirectory: "/etc/containerd/certs.d",
    restrictOomScoreAdjust: !(await mayLowerOomScore()),
  });
  const network = podNetworkConfig({
    clusterName: options.clusterName,
    bridgeName: options.bridgeName,
    podCIDRs: options.podCIDRs,
    addressDirectory: join(options.rootDirectory, "addresses"),
  });
  await writeFile(paths.config, config);
  await writeFile(join(paths.networks, "10-pods.conflist"), network);
}

async function defaultRuntime(): Promise<OciRuntime> {
  for (const name of ["crun", "runc"] as const) {
    const program = await findProgram(name);
    if (program !== undefined) return { name, program };
  }
  throw new Error("neither crun nor runc is installed");
}

async function pluginDirectory(): Promise<string> {
  for (const folder of defaultPluginDirectories) {
    try {
      await (await open(join(folder, "bridge"))).close();
      return folder;
    } catch {
      continue;
    }
  }
  throw new Error("the CNI plugins are not installed");
}

/** Makes mounts beneath `directory` pass into containerd's own mount namespace. */
async function shareMounts(directory: string): Promise<void> {
  const mounts = await readFile("/proc/self/mountinfo", "utf8");
  if (mounts.split("\n").some((line) => line.split(" ")[4] === directory)) return;
  await runProgram("mount", ["--bind", directory, directory]);
  await runProgram("mount", ["--make-shared", directory]);
}

class RunningContainerd implements Containerd {
  readonly socketPath: string;
  readonly cri: CriClient;
  private readonly options: ContainerdOptions;
  private readonly paths: Paths;
  private readonly lifetime: AbortController;
  private readonly clock: Clock;
  private readonly layout: CgroupLayout;
  private readonly process: ContainerdProcess;

  constructor(parts: {
    options: ContainerdOptions;
    paths: Paths;
    cri: CriClient;
    lifetime: AbortController;
    process: ContainerdProcess;
    layout: CgroupLayout;
    clock: Clock;
  }) {
    this.options = parts.options;
    this.paths = parts.paths;
    this.socketPath = parts.paths.socket;
    this.cri = parts.cri;
    this.lifetime = parts.lifetime;
    this.layout = parts.layout;
    this.clock = parts.clock;
    this.process = parts.process;
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  async whenReady(): Promise<void> {
    const deadline = this.clock.now() + startTimeout;
    for (;;) {
      try {
        await this.cri.version({}, { timeout: 1000 });
        return;
      } catch (error) {
        if (!this.process.isRunning)
          throw new Error(`containerd did not start: see ${this.paths.log}`, { cause: error });
        if (this.clock.now() > deadline) throw new Error("containerd does not answer", { cause: error });
      }
      await this.clock.sleep(pollInterval);
    }
  }

  async ensurePauseImage(): Promise<void> {
    const { image } = await this.cri.imageStatus({ image: { image: pauseImageName } });
    if (image === undefined) await this.importImage(makePauseImage());
  }

  async importImage(archive: Uint8Array): Promise<void> {
    const file = join(this.options.rootDirectory, `import-${process.pid}-${this.clock.now()}.tar`);
    await writeFile(file, archive);
    try {
      await runProgram("ctr", ["-a", this.socketPath, "-n", "k8s.io", "images", "import", file]);
    } finally {
      await rm(file, { force: true });
    }
  }

  async mountImage(imageId: string, directory: string): Promise<void> {
    const ctr = ["-a", this.socketPath, "-n", "k8s.io"];
    // What a mount of an earlier run left: its name is the directory's.
    await runProgram("ctr", [...ctr, "leases", "delete", directory]).catch(() => undefined);
    await runProgram("ctr", [...ctr, "snapshots", "--snapshotter", "overlayfs", "rm", directory]).catch(
      () => undefined,
    );
    await runProgram("ctr", [...ctr, "images", "mount", "--snapshotter", "overlayfs", imageId, directory]);
  }

  async stop(): Promise<void> {
    try {
      await this.reach();
      await this.endContainers();
      await this.removeSandboxes();
    } catch (error) {
      this.options.logger.error("containers cannot be removed", { error });
    }
    this.lifetime.abort();
    await this.process.stop();
    await terminate(await processesOf(["containerd-shim-runc-v2", "-address", this.socketPath]));
    await this.unmountState();
    await tearDownPodNetwork(this.options);
    if (this.layout === "hybrid")
      await runProgram("umount", ["--lazy", this.options.kubeletDirectory]).catch(() => undefined);
    await rm(this.options.stateDirectory, { recursive: true, force: true });
  }

  /** Sees to it that containerd answers for the last time; it may have died this moment. */
  private async reach(): Promise<void> {
    await this.process.leave();
    try {
      await this.whenReady();
    } catch {
      await this.process.leave();
      await this.whenReady();
    }
  }

  /** Gives containers a chance to end by themselves; those that do not are killed with their sandboxes. */
  private async endContainers(): Promise<void> {
    try {
      const { containers } = await this.cri.listContainers({
        filter: { state: { state: containerState.running } },
      });
      await Promise.all(
        containers.map(({ id }) =>
          this.cri
            .stopContainer({ containerId: id, timeout: stopGraceSeconds }, { timeout: stopPatience })
            .catch(() => undefined),
        ),
      );
    } catch (error) {
      this.options.logger.warn("cannot end containers politely", { error });
    }
  }

  private async removeSandboxes(): Promise<void> {
    try {
      const { items } = await this.cri.listPodSandbox({});
      await Promise.all(
        items.map(async ({ id }) => {
          await this.cri.stopPodSandbox({ podSandboxId: id });
          await this.cri.removePodSandbox({ podSandboxId: id });
        }),
      );
    } catch (error) {
      this.options.logger.warn("cannot remove all sandboxes", { error });
    }
  }

  /** What containerd mounted outside of a namespace of its own, deepest first. */
  private async unmountState(): Promise<void> {
    const mounts = await readFile("/proc/self/mountinfo", "utf8");
    const below = mounts
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(`${this.options.stateDirectory}/`));
    for (const path of below.sort().toReversed()) await runProgram("umount", ["--lazy", path]);
  }
}
