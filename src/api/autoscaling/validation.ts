import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isDNS1123Label, isPathSegmentName } from "../../apimachinery/index.ts";
import { nanosOf } from "../common/amounts.ts";
import { invalidFor } from "../common/checks.ts";
import { validateSegments } from "../common/references.ts";
import { validateContainerResourceName } from "../core/resource-names.ts";
import type {
  ContainerResourceMetricSource,
  CrossVersionObjectReference,
  ExternalMetricSource,
  HorizontalPodAutoscalerSpec,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
  ObjectMetricSource,
  PodsMetricSource,
  ResourceMetricSource,
} from "../types/autoscaling-v2.ts";
import { validateScalingRules } from "./behavior.ts";

const sourceTypes = ["ContainerResource", "External", "Object", "Pods", "Resource"];
const targetTypes = ["Utilization", "Value", "AverageValue"];
/** Sources of metrics in the order in which they are looked for. */
const sources = ["object", "external", "pods", "resource", "containerResource"] as const;
type Source = (typeof sources)[number];

/** Which versions a reference to another object may name. */
interface ReferenceRules {
  /** What is there already stays. */
  readonly allowsAny?: boolean;
  readonly allowsCore?: boolean;
}

/** Checks the spec of an autoscaler; what an old one was allowed stays allowed. */
export function validateAutoscalerSpec(
  spec: HorizontalPodAutoscalerSpec,
  path: FieldPath,
  old?: HorizontalPodAutoscalerSpec,
): FieldError[] {
  return [
    ...validateReplicas(spec, path, { least: old?.minReplicas === 0 ? 0 : 1 }),
    ...validateReference(spec.scaleTargetRef, path.child("scaleTargetRef"), targetRules(spec, old)),
    ...validateMetrics(spec, path.child("metrics"), { allowsAny: hasUnreadableVersion(old) }),
    ...(["scaleUp", "scaleDown"] as const).flatMap((direction) =>
      validateScalingRules(spec.behavior?.[direction], path.child("behavior", direction)),
    ),
  ];
}

function validateReplicas(
  { minReplicas, maxReplicas = 0 }: Partial<HorizontalPodAutoscalerSpec>,
  path: FieldPath,
  { least }: { readonly least: number },
): FieldError[] {
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < least) {
    const why = `must be greater than or equal to ${least}`;
    errors.push(fieldErrors.invalid(path.child("minReplicas"), minReplicas, why));
  }
  const at = path.child("maxReplicas");
  if (maxReplicas < 1) errors.push(fieldErrors.invalid(at, maxReplicas, "must be greater than 0"));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(fieldErrors.invalid(at, maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  return errors;
}

function targetRules(spec: HorizontalPodAutoscalerSpec, old?: HorizontalPodAutoscalerSpec): ReferenceRules {
  const { scaleTargetRef: target } = spec;
  const before = old?.scaleTargetRef;
  return {
    allowsAny: before !== undefined && before.kind === target.kind && before.apiVersion === target.apiVersion,
    // The only kind of the core group that can be scaled.
    allowsCore: target.kind === "ReplicationController",
  };
}

function hasUnreadableVersion(spec: HorizontalPodAutoscalerSpec | undefined): boolean {
  return (spec?.metrics ?? []).some(
    ({ type, object }) =>
      type === "Object" && versionProblem(object?.describedObject, { allowsCore: true }) !== undefined,
  );
}

function versionProblem(
  reference: CrossVersionObjectReference | undefined,
  { allowsAny, allowsCore }: ReferenceRules,
): string | undefined {
  const { apiVersion = "" } = reference ?? {};
  if (allowsAny) return undefined;
  const parts = apiVersion.split("/");
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  const hasGroup = parts.length === 2 && parts[0] !== "";
  return hasGroup || allowsCore ? undefined : "apiVersion must specify API group";
}

function validateReference(
  reference: CrossVersionObjectReference | undefined,
  path: FieldPath,
  rules: ReferenceRules,
): FieldError[] {
  const { apiVersion = "" } = reference ?? {};
  const errors = validateSegments(reference ?? {}, path, ["kind", "name"]);
  const problem = versionProblem(reference, rules);
  if (problem === undefined) return errors;
  return [...errors, fieldErrors.invalid(path.child("apiVersion"), apiVersion, problem)];
}

function validateMetrics(
  { metrics = [], minReplicas }: HorizontalPodAutoscalerSpec,
  path: FieldPath,
  rules: ReferenceRules,
): FieldError[] {
  const errors = metrics.flatMap((metric, index) => validateMetric(metric, path.index(index), rules));
  const measuresOthers = metrics.some(({ type }) => type === "Object" || type === "External");
  if (minReplicas !== 0 || measuresOthers) return errors;
  const why = "must specify at least one Object or External metric to support scaling to zero replicas";
  return [...errors, fieldErrors.forbidden(path, why)];
}

function validateMetric(metric: Partial<MetricSpec>, path: FieldPath, rules: ReferenceRules): FieldError[] {
  const { type = "" } = metric;
  const at = path.child("type");
  const isKnown = sourceTypes.includes(type);
  const unknown = isKnown ? [] : [fieldErrors.notSupported(at, type, sourceTypes)];
  const present = sources.filter((source) => metric[source] !== undefined);
  const [first] = present;
  const expected = `${type.slice(0, 1).toLowerCase()}${type.slice(1)}`;
  const errors = [
    ...(type === "" ? [fieldErrors.required(at, "must specify a metric source type")] : []),
    ...unknown,
    ...(first === undefined ? [] : validateSource(metric, { source: first, path: path.child(first), rules })),
    // Upstream meets a type that it does not know twice.
    ...unknown,
  ];
  if (isKnown && metric[expected as Source] === undefined) {
    const why = "must populate information for the given metric source";
    errors.push(fieldErrors.required(path.child(expected), why));
  }
  if (present.length === 1) return errors;
  const others = present.filter((source) => source !== expected);
  return [
    ...errors,
    ...others.map((source) =>
      fieldErrors.forbidden(path.child(source), "must populate the given metric source only"),
    ),
  ];
}

function validateSource(
  metric: Partial<MetricSpec>,
  at: { readonly source: Source; readonly path: FieldPath; readonly rules: ReferenceRules },
): FieldError[] {
  const { source, path, rules } = at;
  switch (source) {
    case "object":
      return metric.object ? validateObject(metric.object, path, rules) : [];
    case "external":
      return metric.external ? validateExternal(metric.external, path) : [];
    case "pods":
      return metric.pods ? validatePods(metric.pods, path) : [];
    case "resource":
      return metric.resource ? validateResource(metric.resource, path) : [];
    case "containerResource":
      return metric.containerResource ? validateContainerResource(metric.containerResource, path) : [];
  }
}

function validateObject(source: ObjectMetricSource, path: FieldPath, rules: ReferenceRules): FieldError[] {
  const { describedObject, metric, target } = source;
  const why = "must set either a target value or averageValue";
  return [
    ...validateReference(describedObject, path.child("describedObject"), { ...rules, allowsCore: true }),
    ...validateIdentifier(metric, path.child("metric")),
    ...validateTarget(target, path.child("target")),
    ...(target?.value === undefined && target?.averageValue === undefined
      ? [fieldErrors.required(path.child("target", "averageValue"), why)]
      : []),
  ];
}

function validateExternal({ metric, target }: ExternalMetricSource, path: FieldPath): FieldError[] {
  const at = path.child("target");
  const errors = [...validateIdentifier(metric, path.child("metric")), ...validateTarget(target, at)];
  const given = [target?.value, target?.averageValue].filter((value) => value !== undefined).length;
  if (given === 0) {
    const why = "must set either a target value for metric or a per-pod target";
    errors.push(fieldErrors.required(at.child("averageValue"), why));
  }
  if (given === 2) {
    const why = "may not set both a target value for metric and a per-pod target";
    errors.push(fieldErrors.forbidden(at.child("value"), why));
  }
  return errors;
}

function validatePods({ metric, target }: PodsMetricSource, path: FieldPath): FieldError[] {
  const why = "must specify a positive target averageValue";
  return [
    ...validateIdentifier(metric, path.child("metric")),
    ...validateTarget(target, path.child("target")),
    ...(target?.averageValue === undefined
      ? [fieldErrors.required(path.child("target", "averageValue"), why)]
      : []),
  ];
}

function validateResource({ name, target }: ResourceMetricSource, path: FieldPath): FieldError[] {
  return [
    ...(name ? [] : [fieldErrors.required(path.child("name"), "must specify a resource name")]),
    ...validateUtilization(target, path.child("target")),
  ];
}

function validateContainerResource(source: ContainerResourceMetricSource, path: FieldPath): FieldError[] {
  const { name, container, target } = source;
  const at = path.child("container");
  return [
    ...(name
      ? validateContainerResourceName(name, path.child("name"))
      : [fieldErrors.required(path.child("name"), "must specify a resource name")]),
    ...(container
      ? invalidFor(at, container, isDNS1123Label(container))
      : [fieldErrors.required(at, "must specify a container")]),
    ...validateUtilization(target, path.child("target")),
  ];
}

function validateUtilization(target: MetricTarget | undefined, path: FieldPath): FieldError[] {
  const errors = validateTarget(target, path);
  const given = [target?.averageUtilization, target?.averageValue].filter((value) => value !== undefined);
  if (given.length === 0) {
    const why = "must set either a target raw value or a target utilization";
    errors.push(fieldErrors.required(path.child("averageUtilization"), why));
  }
  if (given.length === 2) {
    const why = "may not set both a target raw value and a target utilization";
    errors.push(fieldErrors.forbidden(path.child("averageValue"), why));
  }
  return errors;
}

function validateTarget(target: MetricTarget | undefined, path: FieldPath): FieldError[] {
  const { type = "", averageUtilization } = target ?? {};
  const errors: FieldError[] = [];
  const at = path.child("type");
  if (type === "") errors.push(fieldErrors.required(at, "must specify a metric target type"));
  if (!targetTypes.includes(type)) {
    errors.push(fieldErrors.invalid(at, type, "must be either Utilization, Value, or AverageValue"));
  }
  for (const field of ["value", "averageValue"] as const) {
    const quantity = target?.[field];
    if (quantity === undefined || (nanosOf(quantity) ?? 0n) > 0n) continue;
    errors.push(fieldErrors.invalid(path.child(field), quantity, "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    const why = "must be greater than 0";
    errors.push(fieldErrors.invalid(path.child("averageUtilization"), averageUtilization, why));
  }
  return errors;
}

function validateIdentifier(metric: MetricIdentifier | undefined, path: FieldPath): FieldError[] {
  const at = path.child("name");
  return metric?.name
    ? invalidFor(at, metric.name, isPathSegmentName(metric.name))
    : [fieldErrors.required(at, "must specify a metric name")];
}
