import { omit } from "../common/fill.ts";
import type {
  HorizontalPodAutoscaler as FirstAutoscaler,
  MetricSpec as FirstMetricSpec,
} from "../types/autoscaling-v1.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "../types/autoscaling-v2.ts";

/** Where the first version keeps what it has no fields for. */
const annotations = {
  metrics: "autoscaling.alpha.kubernetes.io/metrics",
  currentMetrics: "autoscaling.alpha.kubernetes.io/current-metrics",
  conditions: "autoscaling.alpha.kubernetes.io/conditions",
  behavior: "autoscaling.alpha.kubernetes.io/behavior",
} as const;

/** Percent of its request that a pod should use of its CPU, where nothing else is said. */
export const defaultUtilization = 80;

/** An autoscaler of autoscaling/v1 as v2 has it. */
export function autoscalerFromFirst(autoscaler: FirstAutoscaler): HorizontalPodAutoscaler {
  const { metadata, spec, status } = autoscaler;
  const others = parsed<readonly FirstMetricSpec[]>(metadata.annotations, annotations.metrics) ?? [];
  // Only here all metrics are known, so only here the lack of any can be filled.
  const utilization =
    spec.targetCPUUtilizationPercentage ?? (others.length === 0 ? defaultUtilization : undefined);
  const cpu: readonly MetricSpec[] =
    utilization === undefined
      ? []
      : [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: utilization } },
          },
        ];
  const metrics = [...others.map(metricFromFirst), ...cpu];
  const behavior = parsed<HorizontalPodAutoscalerBehavior>(metadata.annotations, annotations.behavior);
  const currentMetrics =
    parsed<readonly MetricStatus[]>(metadata.annotations, annotations.currentMetrics) ?? [];
  const conditions = parsed<readonly HorizontalPodAutoscalerCondition[]>(
    metadata.annotations,
    annotations.conditions,
  );
  const currentCpu = status?.currentCPUUtilizationPercentage;
  const current: readonly MetricStatus[] = [
    ...currentMetrics,
    ...(currentCpu === undefined
      ? []
      : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: currentCpu } } }]),
  ];
  return {
    ...autoscaler,
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: withoutAnnotations(metadata),
    spec: {
      ...omit(spec, "targetCPUUtilizationPercentage"),
      metrics,
      ...(behavior === undefined ? {} : { behavior }),
    },
    status: {
      ...omit(status ?? { currentReplicas: 0, desiredReplicas: 0 }, "currentCPUUtilizationPercentage"),
      ...(current.length > 0 ? { currentMetrics: current } : {}),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}

/** An autoscaler of autoscaling/v2 as v1 has it: what has no field goes into annotations. */
export function autoscalerToFirst(autoscaler: HorizontalPodAutoscaler): FirstAutoscaler {
  const { metadata, spec, status } = autoscaler;
  const metrics = spec.metrics ?? [];
  const cpu = metrics.find(isCpuUtilization);
  const others = metrics.filter((metric) => metric !== cpu).map(metricToFirst);
  const current = status?.currentMetrics ?? [];
  const currentCpu = current.find(
    (metric) => metric.resource?.name === "cpu" && metric.resource.current.averageUtilization !== undefined,
  );
  const otherCurrent = current.filter((metric) => metric !== currentCpu);
  const added = {
    ...serialized(annotations.metrics, others),
    ...serialized(annotations.currentMetrics, otherCurrent),
    ...serialized(annotations.conditions, status?.conditions ?? []),
    ...(spec.behavior === undefined ? {} : { [annotations.behavior]: JSON.stringify(spec.behavior) }),
  };
  const utilization = cpu?.resource?.target.averageUtilization;
  const currentUtilization = currentCpu?.resource?.current.averageUtilization;
  const { currentReplicas = 0, ...rest } = omit(
    status ?? { desiredReplicas: 0 },
    "currentMetrics",
    "conditions",
  );
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
      ...rest,
      ...(currentUtilization === undefined ? {} : { currentCPUUtilizationPercentage: currentUtilization }),
    },
  };
}

function isCpuUtilization(metric: MetricSpec): boolean {
  return metric.resource?.name === "cpu" && metric.resource.target.averageUtilization !== undefined;
}

function metricToFirst(metric: MetricSpec): FirstMetricSpec {
  const type = metric.type as FirstMetricSpec["type"];
  const { resource, containerResource, pods, object, external } = metric;
  const targets = (target: MetricTarget) => ({
    ...(target.averageUtilization === undefined
      ? {}
      : { targetAverageUtilization: target.averageUtilization }),
    ...(target.averageValue === undefined ? {} : { targetAverageValue: target.averageValue }),
  });
  const fields: Record<string, unknown> = { type };
  if (resource) fields["resource"] = { name: resource.name, ...targets(resource.target) };
  if (containerResource) {
    const { name, container, target } = containerResource;
    fields["containerResource"] = { name, ...targets(target), container };
  }
  if (pods) {
    fields["pods"] = {
      metricName: pods.metric.name,
      targetAverageValue: pods.target.averageValue ?? "0",
      ...(pods.metric.selector ? { selector: pods.metric.selector } : {}),
    };
  }
  if (object) {
    fields["object"] = {
      target: object.describedObject,
      metricName: object.metric.name,
      targetValue: object.target.value ?? "0",
      ...(object.metric.selector ? { selector: object.metric.selector } : {}),
      ...(object.target.averageValue === undefined ? {} : { averageValue: object.target.averageValue }),
    };
  }
  if (external) {
    fields["external"] = {
      metricName: external.metric.name,
      ...(external.metric.selector ? { metricSelector: external.metric.selector } : {}),
      ...(external.target.value === undefined ? {} : { targetValue: external.target.value }),
      ...(external.target.averageValue === undefined
        ? {}
        : { targetAverageValue: external.target.averageValue }),
    };
  }
  return fields as unknown as FirstMetricSpec;
}

function metricFromFirst(metric: FirstMetricSpec): MetricSpec {
  const { type, resource, containerResource, pods, object, external } = metric;
  return {
    type,
    ...(resource ? { resource: { name: resource.name, target: targetFromFirst(resource) } } : {}),
    ...(containerResource
      ? {
          containerResource: {
            name: containerResource.name,
            target: targetFromFirst(containerResource),
            container: containerResource.container,
          },
        }
      : {}),
    ...(pods
      ? {
          pods: {
            metric: { name: pods.metricName, ...(pods.selector ? { selector: pods.selector } : {}) },
            target: { type: "AverageValue", averageValue: pods.targetAverageValue },
          },
        }
      : {}),
    ...(object
      ? {
          object: {
            describedObject: object.target,
            metric: { name: object.metricName, ...(object.selector ? { selector: object.selector } : {}) },
            target:
              object.averageValue === undefined
                ? { type: "Value", value: object.targetValue }
                : { type: "AverageValue", averageValue: object.averageValue },
          },
        }
      : {}),
    ...(external
      ? {
          external: {
            metric: {
              name: external.metricName,
              ...(external.metricSelector ? { selector: external.metricSelector } : {}),
            },
            target:
              external.targetAverageValue === undefined
                ? {
                    type: "Value",
                    ...(external.targetValue === undefined ? {} : { value: external.targetValue }),
                  }
                : { type: "AverageValue", averageValue: external.targetAverageValue },
          },
        }
      : {}),
  };
}

function targetFromFirst(source: {
  readonly targetAverageUtilization?: number;
  readonly targetAverageValue?: string;
}): MetricTarget {
  return source.targetAverageUtilization === undefined
    ? { type: "AverageValue", averageValue: source.targetAverageValue ?? "0" }
    : { type: "Utilization", averageUtilization: source.targetAverageUtilization };
}

function serialized(annotation: string, list: readonly unknown[]): Readonly<Record<string, string>> {
  return list.length === 0 ? {} : { [annotation]: JSON.stringify(list) };
}

function parsed<T>(all: Readonly<Record<string, string>> | undefined, annotation: string): T | undefined {
  const text = all?.[annotation];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    // Annotations are the user's: what cannot be read counts as absent.
    return undefined;
  }
}

function withoutAnnotations<M extends { readonly annotations?: Readonly<Record<string, string>> }>(
  metadata: M,
): M {
  const kept = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => !Object.values<string>(annotations).includes(key),
  );
  if (kept.length === Object.keys(metadata.annotations ?? {}).length) return metadata;
  const rest = omit(metadata, "annotations");
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}
