import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { atMostFullPercent, countOrPercent, immutable, isZeroCount, nonNegative } from "../common/checks.ts";
import {
  ageColumn,
  column,
  containerColumns,
  formatLabels,
  nameColumn,
  selectorColumn,
} from "../common/columns.ts";
import { fill } from "../common/fill.ts";
import { defaultPodTemplate, podTemplateWarnings } from "../core/pod-spec/index.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import type { DaemonSetSpec, DaemonSetUpdateStrategy } from "../types/apps-v1.ts";
import { DaemonSet } from "../types/apps-v1.ts";
import { validateWorkloadSelector, validateWorkloadTemplate } from "./workload.ts";

const count = (
  name: string,
  description: string,
  value: (status: Partial<DaemonSet["status"]>) => number | undefined,
): PrinterColumn<DaemonSet> =>
  column(name, description, { type: "integer", value: ({ status }) => value(status ?? {}) ?? 0 });

/** The rules of daemon sets. */
export const daemonSetDefinition = defineResource<DaemonSet>({
  resource: DaemonSet,
  defaults: (daemonSet) => {
    const strategy = fill<DaemonSetUpdateStrategy>(daemonSet.spec?.updateStrategy, { type: "RollingUpdate" });
    const spec = fill<DaemonSetSpec>(daemonSet.spec, { revisionHistoryLimit: 10 });
    return {
      ...daemonSet,
      spec: {
        ...spec,
        template: defaultPodTemplate(spec.template),
        updateStrategy:
          strategy.type === "RollingUpdate"
            ? { ...strategy, rollingUpdate: fill(strategy.rollingUpdate, { maxUnavailable: 1, maxSurge: 0 }) }
            : strategy,
      },
    };
  },
  validate,
  validateUpdate: (daemonSet, old) =>
    immutable(FieldPath.root("spec").child("selector"), daemonSet.spec.selector, old.spec.selector),
  prepareForStatusUpdate: (daemonSet, old) => ({ ...daemonSet, spec: old.spec }),
  warnings: ({ spec }, old) => (old === undefined ? podTemplateWarnings(spec.template) : []),
  columns: [
    nameColumn,
    count("Desired", "Nodes that should run the pod", (status) => status.desiredNumberScheduled),
    count("Current", "Nodes that run the pod", (status) => status.currentNumberScheduled),
    count("Ready", "Nodes whose pod is ready", (status) => status.numberReady),
    count("Up-to-date", "Nodes with the newest template", (status) => status.updatedNumberScheduled),
    count("Available", "Nodes whose pod has been ready long enough", (status) => status.numberAvailable),
    column("Node Selector", "Labels of the nodes that run the pod", {
      value: ({ spec }) => formatLabels(spec.template?.spec?.nodeSelector),
    }),
    ageColumn,
    ...containerColumns<DaemonSet>((daemonSet) => daemonSet.spec.template?.spec),
    selectorColumn<DaemonSet>((daemonSet) => daemonSet.spec.selector),
  ],
  tracksGeneration: true,
});

function validate(daemonSet: DaemonSet): readonly FieldError[] {
  const { spec } = daemonSet;
  const path = FieldPath.root("spec");
  return [
    ...validateWorkloadSelector(spec.selector, path.child("selector"), { owner: "daemonset" }),
    ...validateWorkloadTemplate(spec.template, path.child("template"), {
      selector: spec.selector,
      owner: "DaemonSet",
    }),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy, path.child("updateStrategy")),
    ...nonNegative(path.child("revisionHistoryLimit"), spec.revisionHistoryLimit),
  ];
}

function validateStrategy(strategy: DaemonSetUpdateStrategy, path: FieldPath): FieldError[] {
  if (strategy.type === "OnDelete") return [];
  if (strategy.type !== "RollingUpdate") {
    return [fieldErrors.notSupported(path.child("type"), strategy.type ?? "", ["OnDelete", "RollingUpdate"])];
  }
  const at = path.child("rollingUpdate");
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate ?? {};
  const errors = [
    ...countOrPercent(at.child("maxUnavailable"), maxUnavailable),
    ...atMostFullPercent(at.child("maxUnavailable"), maxUnavailable),
    ...countOrPercent(at.child("maxSurge"), maxSurge),
    ...atMostFullPercent(at.child("maxSurge"), maxSurge),
  ];
  if (!isZeroCount(maxUnavailable) && !isZeroCount(maxSurge)) {
    errors.push(
      fieldErrors.invalid(at.child("maxSurge"), maxSurge, "may not be set when maxUnavailable is non-zero"),
    );
  } else if (isZeroCount(maxUnavailable) && isZeroCount(maxSurge)) {
    errors.push(fieldErrors.required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
  }
  return errors;
}
