import type { Milliseconds } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { KubernetesObject, New, OwnerReference, Resource } from "../../apimachinery/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import type { PodCondition, PodTemplateSpec } from "../../api/types/core-v1.ts";
import type { ControllerContext } from "./controller.ts";

/** RFC 3339 text as milliseconds. */
export const timeOf = (text: string | undefined): Milliseconds => (text === undefined ? 0 : Date.parse(text));

/** Whether the pod has ended, well or not. */
export const isFinished = (pod: Pod): boolean =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Whether the pod counts as a replica: neither ended nor going. */
export const isActive = (pod: Pod): boolean =>
  !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;

export const isTerminating = (pod: Pod): boolean =>
  !isFinished(pod) && pod.metadata.deletionTimestamp !== undefined;

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export const isReady = (pod: Pod): boolean => podCondition(pod, "Ready")?.status === "True";

/** When a ready pod becomes available; undefined if it is not ready. */
export function availableAt(pod: Pod, minReadySeconds = 0): Milliseconds | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return undefined;
  if (minReadySeconds === 0) return 0;
  if (ready.lastTransitionTime === undefined) return undefined;
  return timeOf(ready.lastTransitionTime) + minReadySeconds * 1000;
}

export function isAvailable(
  pod: Pod,
  options: { minReadySeconds?: number | undefined; now: Milliseconds },
): boolean {
  const at = availableAt(pod, options.minReadySeconds);
  return at !== undefined && at <= options.now;
}

/** A pod made from a template for its controller. */
export function podFromTemplate(
  template: PodTemplateSpec | New<PodTemplateSpec>,
  of: { readonly owner: KubernetesObject; readonly reference: OwnerReference; readonly namePrefix?: string },
): New<Pod> & { metadata: object } {
  const { labels, annotations, finalizers } = (template as PodTemplateSpec).metadata ?? {};
  const { namespace, name } = of.owner.metadata;
  return {
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      generateName: `${of.namePrefix ?? name}-`,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [of.reference],
    },
    spec: (template as PodTemplateSpec).spec,
  };
}

/** Creates a controller's pod, and tells users of success and failure alike. */
export async function createPodFor<T extends KubernetesObject>(
  owner: { readonly resource: Resource<T>; readonly object: T },
  { draft, context }: { readonly draft: New<Pod>; readonly context: ControllerContext },
): Promise<Pod> {
  const { client, events } = context;
  try {
    const created = await client.create<Pod>(Pod, draft);
    const message = `Created pod: ${created.metadata.name}`;
    events.event(owner, { type: "Normal", reason: "SuccessfulCreate", message });
    return created;
  } catch (error) {
    const message = `Error creating: ${ApiError.from(error).message}`;
    events.event(owner, { type: "Warning", reason: "FailedCreate", message });
    throw error;
  }
}
