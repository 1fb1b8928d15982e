import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { fill, mapField } from "../common/fill.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import { HorizontalPodAutoscaler as FirstAutoscaler } from "../types/autoscaling-v1.ts";
import type {
  HPAScalingRules,
  HorizontalPodAutoscalerSpec,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from "../types/autoscaling-v2.ts";
import { HorizontalPodAutoscaler } from "../types/autoscaling-v2.ts";
import { autoscalerFromFirst, defaultUtilization } from "./conversion.ts";

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
  column("MaxPods", "Most pods", { type: "integer", value: ({ spec }) => spec.maxReplicas ?? 0 }),
  column("Replicas", "Pods there are", {
    type: "integer",
    value: ({ status }) => status?.currentReplicas ?? 0,
  }),
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
    spec = mapField(spec, "behavior", (behavior) => ({
      ...behavior,
      scaleUp: scaleUpRules(behavior.scaleUp),
      scaleDown: scaleDownRules(behavior.scaleDown),
    }));
    return { ...autoscaler, spec };
  },
  validate,
  prepareForStatusUpdate: (autoscaler, old) => ({ ...autoscaler, spec: old.spec }),
  columns,
  tracksGeneration: false,
});

/** The rules of autoscalers in their first version. */
export const firstAutoscalerDefinition = defineResource<FirstAutoscaler>({
  resource: FirstAutoscaler,
  defaults: (autoscaler) => ({ ...autoscaler, spec: fill(autoscaler.spec, { minReplicas: 1 }) }),
  validate: (autoscaler) => validate(autoscalerFromFirst(autoscaler)),
  prepareForStatusUpdate: (autoscaler, old) => ({ ...autoscaler, spec: old.spec }),
  columns: columns.map((each) => ({
    ...each,
    value: (autoscaler, now) => each.value(autoscalerFromFirst(autoscaler), now),
  })),
  tracksGeneration: false,
});

function scaleUpRules(rules: HPAScalingRules | undefined): HPAScalingRules {
  return fill(rules, {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  });
}

function scaleDownRules(rules: HPAScalingRules | undefined): HPAScalingRules {
  return fill(rules, { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] });
}

function validate({ spec }: HorizontalPodAutoscaler): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  const { minReplicas, scaleTargetRef } = spec;
  const maxReplicas = spec.maxReplicas ?? 0;
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(
      fieldErrors.invalid(path.child("minReplicas"), minReplicas, "must be greater than or equal to 1"),
    );
  }
  if (maxReplicas < 1) {
    errors.push(fieldErrors.invalid(path.child("maxReplicas"), maxReplicas, "must be greater than 0"));
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const why = "must be greater than or equal to `minReplicas`";
    errors.push(fieldErrors.invalid(path.child("maxReplicas"), maxReplicas, why));
  }
  if (!scaleTargetRef?.kind) errors.push(fieldErrors.required(path.child("scaleTargetRef", "kind")));
  if (!scaleTargetRef?.name) errors.push(fieldErrors.required(path.child("scaleTargetRef", "name")));
  for (const [index, metric] of (spec.metrics ?? []).entries()) {
    if (!metric.type) {
      errors.push(
        fieldErrors.required(
          path.child("metrics").index(index).child("type"),
          "must specify a metric source type",
        ),
      );
    }
  }
  return errors;
}

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
