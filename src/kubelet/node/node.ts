import type { Clock, Logger, Milliseconds } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { New } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { Node } from "../../api/types/core-v1.ts";
import type { NodeAddress, NodeStatus, Taint } from "../../api/types/core-v1.ts";
import type { EventRecorder } from "../../client/index.ts";
import type { CriClient } from "../../cri/index.ts";
import { keepLease } from "./lease.ts";
import type { Machine } from "./machine-info.ts";
import { nodeStatus } from "./node-status.ts";
import type { RuntimeState } from "./node-status.ts";

export interface NodeOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cri: CriClient;
  readonly recorder: EventRecorder;
  readonly nodeName: string;
  readonly machine: Machine;
  readonly addresses: readonly NodeAddress[];
  readonly serverPort: number;
  readonly podCIDRs?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly onReady?: () => void;
}

const second = 1000;
/** How often the runtime is asked; what has changed is reported at once, else after five minutes. */
const checkInterval: Milliseconds = 10 * second;
const reportInterval: Milliseconds = 300 * second;
const retryInterval: Milliseconds = 200;

/** Registers the node and keeps its status and lease current until `signal` aborts. */
export async function runNode(options: NodeOptions, signal: AbortSignal): Promise<void> {
  const reporter = new NodeReporter(options);
  await Promise.all([reporter.run(signal), keepLease(options, signal)]);
}

class NodeReporter {
  private readonly options: NodeOptions;
  private reported: { text: string; at: Milliseconds } | undefined;
  private wasReady = false;

  constructor(options: NodeOptions) {
    this.options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, nodeName, recorder } = this.options;
    const about = { kind: "Node", name: nodeName, uid: nodeName };
    recorder.eventFor(about, { type: "Normal", reason: "Starting", message: "Starting kubelet." });
    while (!signal.aborted) {
      let delay = checkInterval;
      try {
        await this.report(signal);
        if (!this.wasReady) delay = retryInterval;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("cannot report the node's status", { error });
        delay = second;
      }
      await clock.sleep(delay, signal).catch(() => undefined);
    }
  }

  private async report(signal: AbortSignal): Promise<void> {
    const { client, clock, nodeName } = this.options;
    const runtime = await this.askRuntime();
    const now = clock.now();
    const node = (await this.present(signal)) ?? (await this.register(runtime));
    const status = nodeStatus({ ...this.options, runtime, before: node.status, now });
    const text = JSON.stringify({
      ...status,
      conditions: status.conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: undefined })),
    });
    const due = this.reported === undefined || now - this.reported.at >= reportInterval;
    if (due || this.reported?.text !== text) {
      const body = { status };
      await client.patch(
        Node,
        { name: nodeName },
        { type: "strategic", body },
        { subresource: "status", signal },
      );
      this.reported = { text, at: now };
    }
    this.noteReadiness(status);
  }

  private noteReadiness(status: NodeStatus): void {
    const ready =
      status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false;
    if (ready === this.wasReady) return;
    const { onReady } = this.options;
    this.tell(ready ? "NodeReady" : "NodeNotReady");
    this.wasReady = ready;
    if (ready) onReady?.();
  }

  private tell(condition: "NodeReady" | "NodeNotReady"): void {
    const { recorder, nodeName } = this.options;
    const message = `Node ${nodeName} status is now: ${condition}`;
    recorder.eventFor(
      { kind: "Node", name: nodeName, uid: nodeName },
      { type: "Normal", reason: condition, message },
    );
  }

  private async askRuntime(): Promise<RuntimeState> {
    const { cri } = this.options;
    try {
      const [version, conditions, { images }] = await Promise.all([
        cri.version({}),
        cri.status({}),
        cri.listImages({}),
      ]);
      return { version, conditions, images };
    } catch {
      return { version: undefined, conditions: undefined, images: [] };
    }
  }

  /** The node's object as others have left it; undefined before it is registered, and when it has been deleted. */
  private async present(signal: AbortSignal): Promise<Node | undefined> {
    if (this.reported === undefined) return undefined;
    try {
      return await this.options.client.get(Node, { name: this.options.nodeName }, { signal });
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
      this.reported = undefined;
      return undefined;
    }
  }

  /** Creates the node's object, or brings the labels of the one that is there up to date. */
  private async register(runtime: RuntimeState): Promise<Node> {
    const { client, nodeName, clock, taints, podCIDRs } = this.options;
    const labels = this.labels();
    const status = nodeStatus({ ...this.options, runtime, before: undefined, now: clock.now() });
    const node: New<Node> = {
      metadata: {
        name: nodeName,
        labels,
        annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
      },
      spec: {
        ...(taints ? { taints } : {}),
        ...(podCIDRs?.[0] === undefined ? {} : { podCIDR: podCIDRs[0], podCIDRs }),
      },
      status,
    };
    try {
      return await client.create<Node>(Node, node);
    } catch (error) {
      if (!ApiError.is(error, "AlreadyExists")) throw error;
    }
    const body = { metadata: { labels } };
    return client.patch(Node, { name: nodeName }, { type: "strategic", body });
  }

  private labels(): Record<string, string> {
    const { nodeName, machine, labels } = this.options;
    const { architecture, operatingSystem } = machine.info;
    return {
      "beta.kubernetes.io/arch": architecture,
      "beta.kubernetes.io/os": operatingSystem,
      "kubernetes.io/arch": architecture,
      "kubernetes.io/hostname": nodeName,
      "kubernetes.io/os": operatingSystem,
      ...labels,
    };
  }
}
