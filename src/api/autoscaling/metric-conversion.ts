import type { MetricSpec as FirstSpec, MetricStatus as FirstStatus } from "../types/autoscaling-v1.ts";
import type {
  CrossVersionObjectReference,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "../types/autoscaling-v2.ts";

/** What stands where the first version demands a quantity and there is none. */
const noQuantity = "0";

/** A metric as the first version has it, its fields in the order in which upstream writes them. */
export function metricToFirst(metric: MetricSpec): FirstSpec {
  const { resource, containerResource, pods, object, external } = metric;
  const targets = (target: MetricTarget | undefined) =>
    given({
      targetAverageUtilization: target?.averageUtilization,
      targetAverageValue: target?.averageValue,
    });
  return {
    type: metric.type as FirstSpec["type"],
    ...given({
      object: object && {
        target: reference(object.describedObject),
        metricName: object.metric.name,
        targetValue: object.target.value ?? noQuantity,
        ...given({ selector: object.metric.selector, averageValue: object.target.averageValue }),
      },
      pods: pods && {
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue ?? noQuantity,
        ...given({ selector: pods.metric.selector }),
      },
      resource: resource && { name: resource.name, ...targets(resource.target) },
      containerResource: containerResource && {
        name: containerResource.name,
        ...targets(containerResource.target),
        container: containerResource.container,
      },
      external: external && {
        metricName: external.metric.name,
        ...given({
          metricSelector: external.metric.selector,
          targetValue: external.target.value,
          targetAverageValue: external.target.averageValue,
        }),
      },
    }),
  };
}

/** A metric of the first version. */
export function metricFromFirst(metric: FirstSpec): MetricSpec {
  const { resource, containerResource, pods, object, external } = metric;
  const target = (source: { targetAverageUtilization?: number; targetAverageValue?: string }) => ({
    type: source.targetAverageUtilization === undefined ? "AverageValue" : "Utilization",
    ...given({
      averageValue: source.targetAverageValue,
      averageUtilization: source.targetAverageUtilization,
    }),
  });
  return {
    type: metric.type,
    ...given({
      object: object && {
        describedObject: object.target,
        target:
          object.averageValue === undefined
            ? { type: "Value", value: object.targetValue }
            : { type: "AverageValue", averageValue: object.averageValue },
        metric: { name: object.metricName, ...given({ selector: object.selector }) },
      },
      pods: pods && {
        metric: { name: pods.metricName, ...given({ selector: pods.selector }) },
        target: { type: "AverageValue", averageValue: pods.targetAverageValue },
      },
      resource: resource && { name: resource.name, target: target(resource) },
      containerResource: containerResource && {
        name: containerResource.name,
        target: target(containerResource),
        container: containerResource.container,
      },
      external: external && {
        metric: { name: external.metricName, ...given({ selector: external.metricSelector }) },
        target: {
          type: external.targetValue === undefined ? "AverageValue" : "Value",
          ...given({ value: external.targetValue, averageValue: external.targetAverageValue }),
        },
      },
    }),
  };
}

/** What was measured, as the first version has it, its fields in the order in which upstream writes them. */
export function measuredToFirst(status: MetricStatus): FirstStatus {
  const { resource, containerResource, pods, object, external } = status;
  const averages = ({ averageUtilization, averageValue = noQuantity }: MetricValueStatus) => ({
    ...given({ currentAverageUtilization: averageUtilization }),
    currentAverageValue: averageValue,
  });
  return {
    type: status.type as FirstStatus["type"],
    ...given({
      object: object && {
        target: reference(object.describedObject),
        metricName: object.metric.name,
        currentValue: object.current.value ?? noQuantity,
        ...given({ selector: object.metric.selector, averageValue: object.current.averageValue }),
      },
      pods: pods && {
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? noQuantity,
        ...given({ selector: pods.metric.selector }),
      },
      resource: resource && { name: resource.name, ...averages(resource.current) },
      containerResource: containerResource && {
        name: containerResource.name,
        ...averages(containerResource.current),
        container: containerResource.container,
      },
      external: external && {
        metricName: external.metric.name,
        ...given({ metricSelector: external.metric.selector }),
        currentValue: external.current.value ?? noQuantity,
        ...given({ currentAverageValue: external.current.averageValue }),
      },
    }),
  };
}

/** What was measured, as the first version tells it. */
export function measuredFromFirst(status: FirstStatus): MetricStatus {
  const { resource, containerResource, pods, object, external } = status;
  const averages = (source: { currentAverageUtilization?: number; currentAverageValue: string }) => ({
    averageValue: source.currentAverageValue,
    ...given({ averageUtilization: source.currentAverageUtilization }),
  });
  return {
    type: status.type,
    ...given({
      object: object && {
        metric: { name: object.metricName, ...given({ selector: object.selector }) },
        current: { value: object.currentValue, ...given({ averageValue: object.averageValue }) },
        describedObject: object.target,
      },
      pods: pods && {
        metric: { name: pods.metricName, ...given({ selector: pods.selector }) },
        current: { averageValue: pods.currentAverageValue },
      },
      resource: resource && { name: resource.name, current: averages(resource) },
      containerResource: containerResource && {
        name: containerResource.name,
        current: averages(containerResource),
        container: containerResource.container,
      },
      external: external && {
        metric: { name: external.metricName, ...given({ selector: external.metricSelector }) },
        current: {
          value: external.currentValue,
          ...given({ averageValue: external.currentAverageValue }),
        },
      },
    }),
  };
}

function reference({ kind, name, apiVersion }: CrossVersionObjectReference): CrossVersionObjectReference {
  return { kind, name, ...given({ apiVersion }) };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}
