import { omit } from "../common/fill.ts";
import type {
  HorizontalPodAutoscaler as FirstAutoscaler,
  MetricSpec as FirstMetricSpec,
  MetricStatus as FirstMetricStatus,
} from "../types/autoscaling-v1.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
} from "../types/autoscaling-v2.ts";
import { parsed, readAs } from "./annotation-value.ts";
import { readBehavior, writeBehavior } from "./behavior-annotation.ts";
import { measuredFromFirst, measuredToFirst, metricFromFirst, metricToFirst } from "./metric-conversion.ts";

/** Where the first version keeps what it has no fields for. */
const annotations = {
  metrics: "autoscaling.alpha.kubernetes.io/metrics",
  currentMetrics: "autoscaling.alpha.kubernetes.io/current-metrics",
  conditions: "autoscaling.alpha.kubernetes.io/conditions",
  behavior: "autoscaling.alpha.kubernetes.io/behavior",
  // Written by upstream for versions between the two.
  scaleUpTolerance: "autoscaling.alpha.kubernetes.io/scale-up-tolerance",
  scaleDownTolerance: "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
} as const;
/** The annotations that stand for fields. */
export const fieldAnnotations: readonly string[] = Object.values(annotations);

/** Percent of its request that a pod should use of its CPU, where nothing else is said. */
export const defaultUtilization = 80;

/** An autoscaler of autoscaling/v1 as v2 has it. */
export function autoscalerFromFirst(autoscaler: FirstAutoscaler): HorizontalPodAutoscaler {
  const { metadata, spec } = autoscaler;
  const status: Partial<FirstAutoscaler["status"]> = autoscaler.status ?? {};
  const annotation = (name: keyof typeof annotations) => metadata.annotations?.[annotations[name]];
  const others = listIn<FirstMetricSpec>(annotation("metrics"), "MetricSpec") ?? [];
  // Only here all metrics are known, so only here the lack of any can be filled.
  const utilization =
    spec.targetCPUUtilizationPercentage ?? (others.length === 0 ? defaultUtilization : undefined);
  const metrics = [
    ...others.map(metricFromFirst),
    ...(utilization === undefined ? [] : [cpuUtilization(utilization)]),
  ];
  const behavior = readBehavior(annotation("behavior"));
  const currentCpu = status.currentCPUUtilizationPercentage;
  const currentMetrics =
    listIn<FirstMetricStatus>(annotation("currentMetrics"), "MetricStatus")?.map(measuredFromFirst) ??
    (currentCpu === undefined ? undefined : [measuredCpu(currentCpu)]);
  const conditions = listIn<HorizontalPodAutoscalerCondition>(
    annotation("conditions"),
    "HorizontalPodAutoscalerCondition",
  );
  return {
    ...autoscaler,
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: withoutOwnAnnotations(metadata),
    spec: {
      ...omit(spec, "targetCPUUtilizationPercentage"),
      metrics,
      ...(behavior === undefined ? {} : { behavior }),
    },
    status: {
      ...omit(status, "currentCPUUtilizationPercentage"),
      desiredReplicas: status.desiredReplicas ?? 0,
      ...(currentMetrics === undefined ? {} : { currentMetrics }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}

/** An autoscaler of autoscaling/v2 as v1 has it: what has no field goes into annotations. */
export function autoscalerToFirst(autoscaler: HorizontalPodAutoscaler): FirstAutoscaler {
  const { spec } = autoscaler;
  const status: Partial<HorizontalPodAutoscaler["status"]> = autoscaler.status ?? {};
  const metrics = spec.metrics ?? [];
  const cpu = metrics.find(isCpu);
  const others = metrics.filter((metric) => !isCpuUtilization(metric)).map(metricToFirst);
  const measured = status.currentMetrics ?? [];
  const conditions = status.conditions ?? [];
  const currentUtilization = measured.findLast(
    (each) => isCpu(each) && each.resource?.current.averageUtilization !== undefined,
  )?.resource?.current.averageUtilization;
  const added = {
    ...(others.length === 0 ? {} : { [annotations.metrics]: JSON.stringify(others) }),
    ...(measured.length === 0
      ? {}
      : { [annotations.currentMetrics]: JSON.stringify(measured.map(measuredToFirst)) }),
    ...(spec.behavior === undefined ? {} : { [annotations.behavior]: writeBehavior(spec.behavior) }),
    ...(conditions.length === 0 ? {} : { [annotations.conditions]: JSON.stringify(conditions) }),
  };
  const utilization = cpu?.resource?.target.averageUtilization;
  const metadata = withoutOwnAnnotations(autoscaler.metadata);
  const { currentReplicas = 0, desiredReplicas = 0, ...rest } = omit(status, "currentMetrics", "conditions");
  return {
    ...autoscaler,
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata:
      Object.keys(added).length === 0
        ? metadata
        : { ...metadata, annotations: { ...metadata.annotations, ...added } },
    spec: {
      ...omit(spec, "metrics", "behavior"),
      ...(utilization === undefined ? {} : { targetCPUUtilizationPercentage: utilization }),
    },
    status: {
      currentReplicas,
      desiredReplicas,
      ...rest,
      ...(currentUtilization === undefined ? {} : { currentCPUUtilizationPercentage: currentUtilization }),
    },
  };
}

/** An autoscaler of autoscaling/v1 with the part in its annotations that is status from another one, if any. */
export function withStatusOf(
  autoscaler: FirstAutoscaler,
  other: FirstAutoscaler | undefined,
): FirstAutoscaler {
  return withAnnotationsOf(autoscaler, other, [annotations.conditions, annotations.currentMetrics]);
}

/** An autoscaler of autoscaling/v1 with the spec of another one, also what its annotations hold of it. */
export function withSpecOf(autoscaler: FirstAutoscaler, other: FirstAutoscaler): FirstAutoscaler {
  const changed = withAnnotationsOf(autoscaler, other, [annotations.metrics, annotations.behavior]);
  return { ...changed, spec: other.spec };
}

function withAnnotationsOf(
  autoscaler: FirstAutoscaler,
  other: FirstAutoscaler | undefined,
  names: readonly string[],
): FirstAutoscaler {
  const own = Object.entries(autoscaler.metadata.annotations ?? {}).filter(([name]) => !names.includes(name));
  const others = Object.entries(other?.metadata.annotations ?? {}).filter(([name]) => names.includes(name));
  const all = Object.fromEntries([...own, ...others]);
  const rest = omit(autoscaler.metadata, "annotations");
  const metadata = Object.keys(all).length === 0 ? rest : { ...rest, annotations: all };
  return { ...autoscaler, metadata };
}

function cpuUtilization(averageUtilization: number): MetricSpec {
  return { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } };
}

function measuredCpu(averageUtilization: number): MetricStatus {
  return { type: "Resource", resource: { name: "cpu", current: { averageUtilization } } };
}

function isCpu({ type, resource }: MetricSpec | MetricStatus): boolean {
  return type === "Resource" && resource?.name === "cpu";
}

function isCpuUtilization(metric: MetricSpec): boolean {
  return isCpu(metric) && metric.resource?.target.averageUtilization !== undefined;
}

/** The list of what is called `type` in an annotation; what cannot be read counts as absent. */
function listIn<T>(text: string | undefined, type: string): readonly T[] | undefined {
  const value = parsed(text);
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item: unknown) => readAs<T>(item ?? {}, `v1.${type}`));
  return items.every((item) => item !== undefined) ? items : undefined;
}

function withoutOwnAnnotations<M extends { readonly annotations?: Readonly<Record<string, string>> }>(
  metadata: M,
): M {
  const all = Object.entries(metadata.annotations ?? {});
  const kept = all.filter(([key]) => !fieldAnnotations.includes(key));
  if (kept.length === all.length) return metadata;
  const rest = omit(metadata, "annotations");
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}
