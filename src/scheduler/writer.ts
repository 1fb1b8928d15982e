import type { Clock } from "../base/index.ts";
import { ApiError, keyOf, timestampOf } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { PersistentVolume, PersistentVolumeClaim, Pod } from "../api/types/core-v1.ts";
import { referenceTo, type EventRecorder } from "../client/index.ts";
import { selectedNode, type VolumeStep } from "./plugins/volume-binding.ts";
import { preemptionReason } from "./preemption.ts";

/** What to tell about a pod that got no node. */
export interface FailureReport {
  readonly reason: "Unschedulable" | "SchedulerError";
  readonly message: string;
  /** The node the pod waits for from now on, "" for none; absent: as before. */
  readonly nomination?: string;
}

/** All that the scheduler writes: bindings, conditions, preemptions and their events. */
export class PodWriter {
  private readonly client: Client;
  private readonly events: EventRecorder;
  private readonly clock: Clock;
  private readonly schedulerName: string;

  constructor(options: {
    readonly client: Client;
    readonly events: EventRecorder;
    readonly clock: Clock;
    readonly schedulerName: string;
  }) {
    this.client = options.client;
    this.events = options.events;
    this.clock = options.clock;
    this.schedulerName = options.schedulerName;
  }

  async bind(pod: Pod, nodeName: string): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    await this.client.post(Pod, keyOf(pod), "binding", {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { namespace, name, uid },
      target: { apiVersion: "v1", kind: "Node", name: nodeName },
    });
    const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
    this.events.event({ resource: Pod, object: pod }, { type: "Normal", reason: "Scheduled", message });
  }

  /** Tells by an event and, where it says something new, by the pod's condition. */
  async reportFailure(pod: Pod, { reason, message, nomination }: FailureReport): Promise<void> {
    this.events.event(
      { resource: Pod, object: pod },
      { type: "Warning", reason: "FailedScheduling", message },
    );
    const present = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
    const told = present?.status === "False" && present.reason === reason && present.message === message;
    const before = pod.status.nominatedNodeName ?? "";
    const renominated = nomination !== undefined && nomination !== before;
    if (told && !renominated) return;
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason,
      message,
      lastProbeTime: null,
      lastTransitionTime: present?.status === "False" ? present.lastTransitionTime : this.now(),
    };
    await this.patchStatus(pod, {
      conditions: [condition],
      ...(renominated ? { nominatedNodeName: nomination === "" ? null : nomination } : {}),
    });
  }

  /** Reserves the volume for the claim, or tells the provisioner for which node to make one. */
  async prepareVolume(step: VolumeStep, nodeName: string): Promise<void> {
    const { namespace = "", name, uid } = step.claim.metadata;
    try {
      if (step.type === "provision") {
        if (step.claim.metadata.annotations?.[selectedNode] === nodeName) return;
        const body = { metadata: { uid, annotations: { [selectedNode]: nodeName } } };
        await this.client.patch(PersistentVolumeClaim, { namespace, name }, { type: "merge", body });
        return;
      }
      const { volume } = step;
      if (volume.spec.claimRef?.uid === uid) return;
      const { resourceVersion } = volume.metadata;
      const claimRef = { ...referenceTo(PersistentVolumeClaim, step.claim) };
      const annotations = { "pv.kubernetes.io/bound-by-controller": "yes" };
      const body = { metadata: { resourceVersion, annotations }, spec: { claimRef } };
      await this.client.patch(PersistentVolume, { name: volume.metadata.name }, { type: "merge", body });
    } catch (error) {
      if (!ApiError.is(error, "NotFound") && !ApiError.is(error, "Conflict")) throw error;
    }
  }

  async clearNomination(pod: Pod): Promise<void> {
    await this.patchStatus(pod, { nominatedNodeName: null });
  }

  /** Removes the victim for the sake of a more important pod. */
  async preempt(
    victim: Pod,
    { by, nodeName }: { readonly by: Pod; readonly nodeName: string },
  ): Promise<void> {
    if (victim.metadata.deletionTimestamp !== undefined) return;
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: preemptionReason,
      message: `${this.schedulerName}: preempting to accommodate a higher priority pod`,
      lastProbeTime: null,
      lastTransitionTime: this.now(),
    };
    await this.patchStatus(victim, { conditions: [condition] });
    try {
      await this.client.delete(Pod, keyOf(victim), { preconditions: { uid: victim.metadata.uid } });
    } catch (error) {
      if (ApiError.is(error, "NotFound") || ApiError.is(error, "Conflict")) return;
      throw error;
    }
    const message = `Preempted by pod ${by.metadata.uid} on node ${nodeName}`;
    this.events.event({ resource: Pod, object: victim }, { type: "Normal", reason: "Preempted", message });
  }

  private async patchStatus(pod: Pod, status: object): Promise<void> {
    // With the uid a pod of the same name that came later is left alone.
    const body = { metadata: { uid: pod.metadata.uid }, status };
    try {
      await this.client.patch(Pod, keyOf(pod), { type: "strategic", body }, { subresource: "status" });
    } catch (error) {
      if (!ApiError.is(error, "NotFound") && !ApiError.is(error, "Conflict")) throw error;
    }
  }

  private now(): string {
    return timestampOf(this.clock.now());
  }
}
