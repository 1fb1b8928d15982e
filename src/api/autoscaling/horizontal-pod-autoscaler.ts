import { FieldPath } from "../../apimachinery/index.ts";
import { nonNegativeFields } from "../common/checks.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField } from "../common/fill.ts";
import { updateChecks } from "../common/updates.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { HorizontalPodAutoscaler as FirstAutoscaler } from "../types/autoscaling-v1.ts";
import type {
  HorizontalPodAutoscalerSpec,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "../types/autoscaling-v2.ts";
import { HorizontalPodAutoscaler } from "../types/autoscaling-v2.ts";
import { defaultBehavior } from "./behavior.ts";
import {
  autoscalerFromFirst,
  autoscalerToFirst,
  defaultUtilization,
  fieldAnnotations,
  withSpecOf,
  withStatusOf,
} from "./conversion.ts";
import { validateAutoscalerSpec } from "./validation.ts";

const specPath = FieldPath.root("spec");
const statusPath = FieldPath.root("status");
/** How many metrics the table shows. */
const shownMetrics = 2;

const columns: readonly PrinterColumn<HorizontalPodAutoscaler>[] = [
  nameColumn,
  column("Reference", "What is scaled", {
    value: ({ spec }) => `${spec.scaleTargetRef?.kind ?? ""}/${spec.scaleTargetRef?.name ?? ""}`,
  }),
  column("Targets", "Metrics as they are, and as they should be", {
    value: ({ spec, status }) => metricsText(spec.metrics ?? [], status?.currentMetrics ?? []),
  }),
  column("MinPods", "Fewest pods", { value: ({ spec }) => String(spec.minReplicas ?? "<unset>") }),
  column("MaxPods", "Most pods", { value: ({ spec }) => spec.maxReplicas ?? 0 }),
  column("Replicas", "Pods there are", { value: ({ status }) => status?.currentReplicas ?? 0 }),
  ageColumn,
];

/** The rules of autoscalers. */
export const autoscalerDefinition = defineResource<HorizontalPodAutoscaler>({
  resource: HorizontalPodAutoscaler,
  defaults: (autoscaler) => {
    let spec = fill<HorizontalPodAutoscalerSpec>(autoscaler.spec, { minReplicas: 1 });
    if ((spec.metrics ?? []).length === 0) {
      const target = { type: "Utilization", averageUtilization: defaultUtilization };
      spec = { ...spec, metrics: [{ type: "Resource", resource: { name: "cpu", target } }] };
    }
    return { ...autoscaler, spec: mapField(spec, "behavior", defaultBehavior) };
  },
  validateCreate: ({ spec }) => validateAutoscalerSpec(spec, specPath),
  validateUpdate: updateChecks<HorizontalPodAutoscaler>({
    other: ({ spec }, old) => validateAutoscalerSpec(spec, specPath, old.spec),
    status: ({ status }) => nonNegativeFields(statusPath, status, ["currentReplicas", "desiredReplicas"]),
  }),
  prepareForStatusUpdate: (autoscaler, old) => ({ ...autoscaler, spec: old.spec }),
  columns,
  tracksGeneration: false,
});

/** The rules of autoscalers in their first version. */
export const firstAutoscalerDefinition = defineResource<FirstAutoscaler>({
  resource: FirstAutoscaler,
  // What annotations say of the kind's newer fields counts, and is written in one way.
  defaults: (autoscaler) =>
    autoscalerToFirst(
      autoscalerFromFirst({ ...autoscaler, spec: fill(autoscaler.spec, { minReplicas: 1 }) }),
    ),
  validateCreate: (autoscaler) => validateAutoscalerSpec(autoscalerFromFirst(autoscaler).spec, specPath),
  validateUpdate: updateChecks<FirstAutoscaler>({
    other: (autoscaler, old) =>
      validateAutoscalerSpec(autoscalerFromFirst(autoscaler).spec, specPath, autoscalerFromFirst(old).spec),
    status: ({ status }) => nonNegativeFields(statusPath, status, ["currentReplicas", "desiredReplicas"]),
  }),
  fieldAnnotations,
  prepareForCreate: (autoscaler) => withStatusOf(autoscaler, undefined),
  prepareForUpdate: withStatusOf,
  prepareForStatusUpdate: withSpecOf,
  columns: columns.map((each) => ({
    ...each,
    value: (autoscaler, now) => each.value(autoscalerFromFirst(autoscaler), now),
  })),
  tracksGeneration: false,
});

function metricsText(metrics: readonly MetricSpec[], current: readonly MetricStatus[]): string {
  if (metrics.length === 0) return "<none>";
  const texts = metrics.slice(0, shownMetrics).map((metric, index) => metricText(metric, current[index]));
  const more = metrics.length - shownMetrics;
  return more > 0 ? `${texts.join(", ")} + ${more} more...` : texts.join(", ");
}

function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  switch (metric.type) {
    case "External":
      return amountText(metric.external?.target, status?.external?.current);
    case "Object":
      return amountText(metric.object?.target, status?.object?.current);
    case "Pods":
      return `${status?.pods?.current.averageValue ?? "<unknown>"}/${metric.pods?.target.averageValue ?? ""}`;
    case "Resource":
      return resourceText(metric.resource, status?.resource?.current);
    case "ContainerResource":
      return resourceText(metric.containerResource, status?.containerResource?.current);
    default:
      return "<unknown type>";
  }
}

type Current = {
  readonly value?: string;
  readonly averageValue?: string;
  readonly averageUtilization?: number;
};

function amountText(target: MetricTarget | undefined, current: Current | undefined): string {
  if (target?.averageValue !== undefined) {
    return `${current?.averageValue ?? "<unknown>"}/${target.averageValue} (avg)`;
  }
  return `${current?.value ?? "<unknown>"}/${target?.value ?? ""}`;
}

function resourceText(
  source: { readonly name: string; readonly target: MetricTarget } | undefined,
  current: Current | undefined,
): string {
  const name = source?.name ?? "";
  const target = source?.target;
  if (target?.averageValue !== undefined) {
    return `${name}: ${current?.averageValue ?? "<unknown>"}/${target.averageValue}`;
  }
  const now = current?.averageUtilization === undefined ? "<unknown>" : `${current.averageUtilization}%`;
  const wanted = target?.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`;
  return `${name}: ${now}/${wanted}`;
}
