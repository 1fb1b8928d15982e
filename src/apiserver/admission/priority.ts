import { PriorityClass } from "../../api/types/scheduling-v1.ts";
import { Pod } from "../../api/types/core-v1.ts";
import type { PodSpec } from "../../api/types/core-v1.ts";
import type { New } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { objectAs, podOf, refused } from "./request.ts";

/** The priority classes that every cluster has. */
export const systemPriorityClasses: readonly (New<PriorityClass> & {
  readonly metadata: { readonly name: string };
  readonly value: number;
})[] = [
  {
    metadata: { name: "system-node-critical" },
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
    preemptionPolicy: "PreemptLowerPriority",
  },
  {
    metadata: { name: "system-cluster-critical" },
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    preemptionPolicy: "PreemptLowerPriority",
  },
];

type Chosen = Pick<PriorityClass, "value" | "preemptionPolicy"> & { readonly name: string };

/** Turns a pod's priority class into numbers; allows one default class only. */
export function priorityAdmission(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "Priority",
    operations: ["CREATE", "UPDATE"],
    resources: [Pod, PriorityClass],
    admit(request) {
      const pod = podOf(request);
      if (!pod) return request.object;
      if (request.old) return withPriorityOf(request.old as Pod, pod);
      const chosen = chooseClass(reader, pod.spec);
      if (!chosen) {
        throw refused(request, `no PriorityClass with name ${pod.spec.priorityClassName ?? ""} was found`);
      }
      return { ...pod, spec: withPriority(request, { spec: pod.spec, chosen }) };
    },
    validate(request) {
      const priorityClass = objectAs(request, PriorityClass);
      if (!priorityClass?.globalDefault) return;
      const other = reader
        .list(PriorityClass)
        .find(
          (candidate) => candidate.globalDefault && candidate.metadata.name !== priorityClass.metadata.name,
        );
      if (!other) return;
      throw refused(
        request,
        `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
      );
    },
  };
}

/** What the pod got when it was made, where an update leaves it out. */
function withPriorityOf(old: Pod, pod: Pod): Pod {
  const { priority, preemptionPolicy } = old.spec;
  const kept = {
    ...(priority === undefined || pod.spec.priority !== undefined ? {} : { priority }),
    ...(preemptionPolicy === undefined || pod.spec.preemptionPolicy !== undefined
      ? {}
      : { preemptionPolicy }),
  };
  return Object.keys(kept).length === 0 ? pod : { ...pod, spec: { ...pod.spec, ...kept } };
}

function chooseClass(reader: ObjectReader, spec: PodSpec): Chosen | undefined {
  const { priorityClassName } = spec;
  if (!priorityClassName) return defaultClass(reader);
  const found =
    reader.get(PriorityClass, { name: priorityClassName }) ??
    // Pods of the system may come before the classes are stored.
    systemPriorityClasses.find((candidate) => candidate.metadata.name === priorityClassName);
  return found && ({ ...found, name: priorityClassName } as Chosen);
}

/** The lowest of the default classes, should there be several. */
function defaultClass(reader: ObjectReader): Chosen {
  let lowest: PriorityClass | undefined;
  for (const candidate of reader.list(PriorityClass)) {
    if (candidate.globalDefault && (!lowest || (candidate.value ?? 0) < (lowest.value ?? 0))) {
      lowest = candidate;
    }
  }
  return lowest ? { ...lowest, name: lowest.metadata.name } : { name: "", value: 0 };
}

function withPriority(
  request: AdmissionRequest,
  options: { readonly spec: PodSpec; readonly chosen: Chosen },
): PodSpec {
  const { spec, chosen } = options;
  const value = chosen.value ?? 0;
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refused(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  }
  const policy = chosen.preemptionPolicy ?? "PreemptLowerPriority";
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw refused(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  }
  return {
    ...spec,
    ...(chosen.name === "" ? {} : { priorityClassName: chosen.name }),
    priority: value,
    preemptionPolicy: policy,
  };
}
