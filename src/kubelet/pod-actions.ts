import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ApiError, keyOf } from "../apimachinery/index.ts";
import { CriError } from "../cri/index.ts";
import type { PodSandboxConfig } from "../cri/index.ts";
import { Pod } from "../api/types/core-v1.ts";
import type { Container, ImageVolumeSource, Secret } from "../api/types/core-v1.ts";
import { RuntimeClass } from "../api/types/node-v1.ts";
import { ContainerConfigError, containerEnvironment } from "./environment/environment.ts";
import type { ObjectReader } from "./environment/environment.ts";
import { serviceVariables } from "./environment/service-variables.ts";
import { removeLogs } from "./log-rotation.ts";
import type { NodeContext } from "./node-context.ts";
import type { ObservedContainer, PodObservation } from "./observation.ts";
import { runHook } from "./probes/handlers.ts";
import type { AttemptTarget } from "./probes/handlers.ts";
import { containerConfig, discardContainerFiles } from "./runtime/container-config.ts";
import { hostsFile } from "./runtime/hosts-file.ts";
import type { ContainerEvent } from "./runtime/images.ts";
import { linuxResources } from "./runtime/resources.ts";
import { sandboxConfig } from "./runtime/sandbox-config.ts";
import { StartError } from "./runtime/start-error.ts";
import type { PodVolumes } from "./volumes/index.ts";

const hookTimeout = 3600_000;
const minimumGrace = 2;

/** The sandbox that containers are started in. */
export interface CurrentSandbox {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly ips: readonly string[];
}

/** Does to the runtime what a plan says, for one pod. */
export class PodActions {
  private readonly context: NodeContext;
  private readonly volumes: PodVolumes;
  private readonly objects: ObjectReader;
  readonly uid: string;

  constructor(options: { context: NodeContext; volumes: PodVolumes; objects: ObjectReader; uid: string }) {
    this.context = options.context;
    this.volumes = options.volumes;
    this.objects = options.objects;
    this.uid = options.uid;
  }

  record(pod: Pod, event: ContainerEvent & { readonly fieldPath?: string }): void {
    this.context.recorder.event({ resource: Pod, object: pod }, event);
  }

  logDirectory(pod: Pod): string {
    const { namespace, name, uid } = pod.metadata;
    return join(this.context.directories.logs, `${namespace}_${name}_${uid}`);
  }

  sandboxConfig(pod: Pod, attempt: number): PodSandboxConfig {
    return sandboxConfig(pod, {
      attempt,
      logDirectory: this.logDirectory(pod),
      cgroupParent: this.context.cgroups.path(pod),
      seccompDirectory: this.context.directories.seccomp,
      dns: this.context.dns,
    });
  }

  async createSandbox(pod: Pod, attempt: number): Promise<CurrentSandbox> {
    const { cri } = this.context;
    const config = this.sandboxConfig(pod, attempt);
    await mkdir(this.logDirectory(pod), { recursive: true });
    try {
      const { podSandboxId: id } = await cri.runPodSandbox({
        config,
        runtimeHandler: await this.runtimeHandler(pod),
      });
      const { status } = await cri.podSandboxStatus({ podSandboxId: id });
      return { id, config, ips: status?.network?.ip ? [status.network.ip] : [] };
    } catch (error) {
      const why = error instanceof CriError ? error.rpcText : (error as Error).message;
      const message = `Failed to create pod sandbox: ${why}`;
      this.record(pod, { type: "Warning", reason: "FailedCreatePodSandBox", message });
      throw new StartError("CreatePodSandboxError", message, { retryAt: this.context.clock.now() + 1000 });
    }
  }

  private async runtimeHandler(pod: Pod): Promise<string> {
    const name = pod.spec.runtimeClassName;
    if (!name) return "";
    return (await this.context.client.get(RuntimeClass, { name })).handler;
  }

  /** Sets a running container's limits, and its pod's. */
  async resize(
    pod: Pod,
    { container, containerId }: { container: Container; containerId: string },
  ): Promise<void> {
    const { cgroups, cri, memoryCapacity } = this.context;
    const linux = linuxResources(pod, { container, memoryCapacity, unified: cgroups.unified });
    // A pod's limit must be raised before and lowered after those of its containers.
    await cgroups.prepareUpdate(pod);
    await cri.updateContainerResources({ containerId, linux });
    await cgroups.update(pod);
  }

  /** Pulls, creates and starts a container and runs its postStart hook; answers its id, or throws a `StartError`. */
  async start(
    pod: Pod,
    options: {
      container: Container;
      kind: "init" | "main" | "ephemeral";
      restartCount: number;
      sandbox: CurrentSandbox;
      observed: PodObservation;
      signal: AbortSignal;
    },
  ): Promise<string> {
    const { container, sandbox } = options;
    const fieldPath = fieldPathOf(pod, container);
    const record = (event: ContainerEvent) => this.record(pod, { ...event, fieldPath });
    const fail = (reason: string, message: string): never => {
      record({ type: "Warning", reason: "Failed", message: `Error: ${message}` });
      throw new StartError(reason, message);
    };
    const secrets = await this.pullSecrets(pod);
    let image;
    try {
      image = await this.context.images.ensure({ pod, container, secrets, record, signal: options.signal });
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      if (error.reason !== "ErrImageNeverPull")
        record({ type: "Warning", reason: "Failed", message: `Error: ${error.reason}` });
      throw error;
    }
    const settings = await this.settings(pod, { ...options, image }).catch((error: unknown) => {
      if (error instanceof ContainerConfigError) return fail("CreateContainerConfigError", error.message);
      throw error;
    });
    const config = await containerConfig(settings).catch((error: unknown) => {
      if (error instanceof ContainerConfigError) return fail("CreateContainerConfigError", error.message);
      throw error;
    });
    const { cri } = this.context;
    let containerId;
    try {
      const request = { podSandboxId: sandbox.id, config, sandboxConfig: sandbox.config };
      ({ containerId } = await cri.createContainer(request));
    } catch (error) {
      await discardContainerFiles(settings);
      return fail("CreateContainerError", error instanceof Error ? error.message : String(error));
    }
    record({ type: "Normal", reason: "Created", message: "Container created" });
    try {
      await cri.startContainer({ containerId });
    } catch (error) {
      return fail("RunContainerError", error instanceof Error ? error.message : String(error));
    }
    record({ type: "Normal", reason: "Started", message: "Container started" });
    await this.postStart(pod, { container, containerId, sandbox, fieldPath });
    return containerId;
  }

  /** Pulls the image of a volume and shows its files at a directory. */
  async mountImage(
    pod: Pod,
    options: { source: ImageVolumeSource; directory: string; signal: AbortSignal },
  ): Promise<void> {
    const { source, directory, signal } = options;
    const { reference = "", pullPolicy } = source;
    const image = await this.context.images.ensure({
      pod,
      container: { image: reference, ...(pullPolicy ? { imagePullPolicy: pullPolicy } : {}) },
      secrets: await this.pullSecrets(pod),
      record: (event) => this.record(pod, event),
      signal,
    });
    await this.context.mountImage(image.id, directory);
  }

  private async settings(
    pod: Pod,
    options: {
      container: Container;
      restartCount: number;
      sandbox: CurrentSandbox;
      observed: PodObservation;
      image: Parameters<typeof containerConfig>[0]["image"];
    },
  ) {
    const { context } = this;
    const { container, sandbox } = options;
    const podIPs = pod.spec.hostNetwork ? context.hostIPs : sandbox.ips;
    const environment = await containerEnvironment({
      pod,
      container,
      nodeName: context.nodeName,
      hostIPs: context.hostIPs,
      podIPs,
      allocatable: context.allocatable,
      objects: this.objects,
      serviceVariables: serviceVariables(context.services.list(), {
        namespace: pod.metadata.namespace ?? "",
        enableServiceLinks: pod.spec.enableServiceLinks ?? true,
      }),
    });
    const target = (container as { readonly targetContainerName?: string }).targetContainerName;
    return {
      ...options,
      pod,
      environment,
      volume: (name: string) => this.volumes.get(name),
      podDirectory: join(context.directories.pods, this.uid),
      hostsFile: hostsFile(pod, {
        ips: sandbox.ips,
        clusterDomain: context.dns.clusterDomain,
        hostFile: pod.spec.hostNetwork ? await readFile("/etc/hosts", "utf8").catch(() => "") : "",
      }),
      stamp: context.random.uuid().slice(0, 8),
      seccompDirectory: context.directories.seccomp,
      memoryCapacity: context.memoryCapacity,
      unified: context.cgroups.unified,
      targetId: target && options.observed.containers.find(({ name }) => name === target)?.id,
    };
  }

  private async pullSecrets(pod: Pod): Promise<Secret[]> {
    const secrets = await Promise.all(
      (pod.spec.imagePullSecrets ?? []).map(({ name = "" }) => this.objects.secret(name)),
    );
    return secrets.filter((secret) => secret !== undefined);
  }

  private async postStart(
    pod: Pod,
    options: { container: Container; containerId: string; sandbox: CurrentSandbox; fieldPath: string },
  ): Promise<void> {
    const { container, containerId, sandbox, fieldPath } = options;
    const hook = container.lifecycle?.postStart;
    if (!hook) return;
    const podIP = (pod.spec.hostNetwork ? this.context.hostIPs : sandbox.ips)[0] ?? "";
    try {
      if (hook.sleep) await this.context.clock.sleep(hook.sleep.seconds * 1000);
      else await runHook(hook, this.target({ container, containerId, podIP }));
    } catch {
      const message = "PostStartHook failed";
      this.record(pod, { type: "Warning", reason: "FailedPostStartHook", message, fieldPath });
      await this.context.cri.stopContainer({ containerId, timeout: minimumGrace });
      throw new StartError("PostStartHookError", message);
    }
  }

  target(options: { container: Container; containerId: string; podIP: string }): AttemptTarget {
    const { cri, userAgent } = this.context;
    return { ...options, cri, userAgent, timeout: hookTimeout };
  }

  /** Runs the preStop hook and stops a container, all within the grace period. */
  async kill(
    pod: Pod,
    options: {
      running: ObservedContainer;
      message?: string;
      graceSeconds: number;
      podIP: string;
      signal?: AbortSignal;
    },
  ): Promise<void> {
    const { running, signal } = options;
    const { clock, cri } = this.context;
    const container = containerOf(pod, running.name);
    const fieldPath = container ? fieldPathOf(pod, container) : `spec.containers{${running.name}}`;
    const message = options.message ?? `Stopping container ${running.name}`;
    this.record(pod, { type: "Normal", reason: "Killing", message, fieldPath });
    const started = clock.now();
    const hook = container?.lifecycle?.preStop;
    if (container && hook && running.state === "running" && options.graceSeconds > 0)
      await this.preStop(pod, { ...options, container, fieldPath });
    const left = Math.ceil(options.graceSeconds - (clock.now() - started) / 1000);
    const timeout = Math.max(
      options.graceSeconds === 0 ? 0 : Math.min(minimumGrace, options.graceSeconds),
      left,
    );
    try {
      await cri.stopContainer(
        { containerId: running.id, timeout },
        { timeout: (timeout + 120) * 1000, ...(signal ? { signal } : {}) },
      );
    } catch (error) {
      if (!CriError.isNotFound(error)) throw error;
    }
  }

  private async preStop(
    pod: Pod,
    options: {
      container: Container;
      running: ObservedContainer;
      graceSeconds: number;
      podIP: string;
      signal?: AbortSignal;
      fieldPath: string;
    },
  ): Promise<void> {
    const { container, running, podIP, fieldPath, signal } = options;
    const { clock } = this.context;
    const hook = container.lifecycle?.preStop ?? {};
    const limit = new AbortController();
    const stop = () => limit.abort();
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    const work = hook.sleep
      ? clock.sleep(hook.sleep.seconds * 1000, limit.signal)
      : runHook(hook, this.target({ container, containerId: running.id, podIP }));
    try {
      // A hook that outlives the grace period is left behind; the container is stopped under it.
      await Promise.race([work, clock.sleep(options.graceSeconds * 1000, limit.signal)]);
    } catch {
      if (!signal?.aborted)
        this.record(pod, {
          type: "Warning",
          reason: "FailedPreStopHook",
          message: "PreStopHook failed",
          fieldPath,
        });
    } finally {
      work.catch(() => undefined);
      signal?.removeEventListener("abort", stop);
      limit.abort();
    }
  }

  /** Stops all containers, sidecars last and in reverse order, then the sandboxes. */
  async stopPod(
    pod: Pod,
    observed: PodObservation,
    options: { graceSeconds: number; podIP: string; signal?: AbortSignal },
  ): Promise<void> {
    const { clock, cri } = this.context;
    const sidecars = (pod.spec.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === "Always")
      .map(({ name }) => name)
      .toReversed();
    const alive = observed.containers.filter(({ state }) => state !== "exited");
    const started = clock.now();
    const main = alive.filter(({ name }) => !sidecars.includes(name));
    await Promise.all(main.map((running) => this.kill(pod, { ...options, running })));
    for (const name of sidecars) {
      const graceSeconds = Math.max(1, Math.ceil(options.graceSeconds - (clock.now() - started) / 1000));
      for (const running of alive)
        if (running.name === name) await this.kill(pod, { ...options, running, graceSeconds });
    }
    for (const { id } of observed.sandboxes)
      await cri.stopPodSandbox({ podSandboxId: id }).catch(ignoreMissing);
  }

  /** Removes records that nothing needs any more: all but the newest two of each container, and empty sandboxes. */
  async collectGarbage(observed: PodObservation): Promise<void> {
    const { cri } = this.context;
    const kept = new Map<string, number>();
    const used = new Set(observed.sandboxes.slice(0, 1).map(({ id }) => id));
    for (const container of observed.containers) {
      const count = (kept.get(container.name) ?? 0) + 1;
      kept.set(container.name, count);
      if (count > 2 && container.state === "exited") {
        await cri.removeContainer({ containerId: container.id }).catch(ignoreMissing);
        await removeLogs(container.logPath);
      } else used.add(container.sandboxId);
    }
    for (const sandbox of observed.sandboxes)
      if (!sandbox.ready && !used.has(sandbox.id))
        await cri.removePodSandbox({ podSandboxId: sandbox.id }).catch(ignoreMissing);
  }

  /** Lets the pod's object go, unless it has gone or another has come. */
  async deleteObject(pod: Pod, signal: AbortSignal): Promise<void> {
    try {
      await this.context.client.delete(Pod, keyOf(pod), {
        gracePeriodSeconds: 0,
        preconditions: { uid: this.uid },
        signal,
      });
    } catch (error) {
      if (!ApiError.is(error, "NotFound") && !ApiError.is(error, "Conflict")) throw error;
    }
  }

  /** Removes everything that the runtime has of the pod, and its logs. */
  async removeAll(pod: Pod, observed: PodObservation): Promise<void> {
    const { cri } = this.context;
    await Promise.all(
      observed.containers.map(({ id }) => cri.removeContainer({ containerId: id }).catch(ignoreMissing)),
    );
    await Promise.all(
      observed.sandboxes.map(({ id }) => cri.removePodSandbox({ podSandboxId: id }).catch(ignoreMissing)),
    );
    await rm(this.logDirectory(pod), { recursive: true, force: true });
  }
}

function ignoreMissing(error: unknown): void {
  if (!CriError.isNotFound(error)) throw error;
}

/** A pod's container by name, in whichever list it is. */
export function containerOf(pod: Pod, name: string): Container | undefined {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const all = [...containers, ...initContainers, ...(ephemeralContainers as unknown as Container[])];
  return all.find((container) => container.name === name);
}

/** How events name a container. */
export function fieldPathOf(pod: Pod, container: Container): string {
  const { initContainers = [], ephemeralContainers = [] } = pod.spec;
  const isIn = (list: readonly { readonly name: string }[]) =>
    list.some(({ name }) => name === container.name);
  const list = isIn(initContainers)
    ? "initContainers"
    : isIn(ephemeralContainers)
      ? "ephemeralContainers"
      : "containers";
  return `spec.${list}{${container.name}}`;
}
