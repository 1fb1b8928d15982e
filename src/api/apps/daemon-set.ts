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
import { semanticallyEqual } from "../common/equal.ts";
import { fill, fillMissing } from "../common/fill.ts";
import { internalForm } from "../common/internal-form.ts";
import { validateRunning } from "../common/running.ts";
import { validateSelected } from "../common/selected.ts";
import { isEmptySelector, shownSelector, validateLabelSelector } from "../common/selectors.ts";
import { updateChecks } from "../common/updates.ts";
import { isNewIntent } from "../common/warnings.ts";
import { defaultPodTemplate, podTemplateWarnings, validatePodTemplate } from "../core/pod-spec/index.ts";
import type { PrinterColumn } from "../definition.ts";
import { defineResource } from "../definition.ts";
import type { DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy } from "../types/apps-v1.ts";
import { DaemonSet } from "../types/apps-v1.ts";
import type { CountRules } from "../common/status-counts.ts";
import { countChecks } from "../common/status-counts.ts";

/** How often the template has changed: a field once, which no version that is served has. */
const templateGeneration = "deprecated.daemonset.template.generation";

const statusRules: CountRules<DaemonSetStatus> = {
  counts: [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ],
};

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
    const { rollingUpdate } = strategy;
    return {
      ...withTemplateGeneration(daemonSet, templateGenerationOf(daemonSet)),
      spec: {
        ...spec,
        template: defaultPodTemplate(spec.template),
        updateStrategy:
          strategy.type === "RollingUpdate"
            ? { ...strategy, rollingUpdate: fillMissing(rollingUpdate, { maxUnavailable: 1, maxSurge: 0 }) }
            : rollingUpdate
              ? { ...strategy, rollingUpdate: fillMissing(rollingUpdate, { maxUnavailable: 0, maxSurge: 0 }) }
              : strategy,
      },
    };
  },
  repeatsChecks: true,
  validate,
  validateUpdate: updateChecks<DaemonSet>({
    other: ({ spec }, old) =>
      immutable(FieldPath.root("spec").child("selector"), shownSelector(spec.selector), old.spec.selector),
    status: countChecks(statusRules),
  }),
  prepareForCreate: (daemonSet) =>
    withTemplateGeneration(daemonSet, Math.max(1, templateGenerationOf(daemonSet))),
  prepareForUpdate: (daemonSet, old) =>
    withTemplateGeneration(
      daemonSet,
      templateGenerationOf(old) + (semanticallyEqual(daemonSet.spec.template, old.spec.template) ? 0 : 1),
    ),
  prepareForStatusUpdate: (daemonSet, old) =>
    withTemplateGeneration({ ...daemonSet, spec: old.spec }, templateGenerationOf(old)),
  warnings: (daemonSet, old) =>
    isNewIntent(daemonSet, old) ? podTemplateWarnings(daemonSet.spec.template) : [],
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
  fieldAnnotations: [templateGeneration],
  tracksGeneration: true,
});

function templateGenerationOf({ metadata }: DaemonSet): number {
  return Number.parseInt(metadata.annotations?.[templateGeneration] ?? "", 10) || 0;
}

function withTemplateGeneration(daemonSet: DaemonSet, generation: number): DaemonSet {
  const { annotations } = daemonSet.metadata;
  const text = String(generation);
  if (annotations?.[templateGeneration] === text) return daemonSet;
  return {
    ...daemonSet,
    metadata: { ...daemonSet.metadata, annotations: { ...annotations, [templateGeneration]: text } },
  };
}

function validate({ spec }: DaemonSet): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const at = path.child("selector");
  const { selector, template } = spec;
  const problems = validateLabelSelector(selector, at);
  const isEmpty = Boolean(selector) && isEmptySelector(selector);
  return [
    ...problems,
    ...(problems.length === 0 ? validateSelected(selector, template, path.child("template")) : []),
    ...(isEmpty ? [fieldErrors.invalid(at, selector, "empty selector is invalid for daemonset")] : []),
    ...validatePodTemplate(template, path.child("template")),
    ...validateRunning(template.spec, path.child("template", "spec"), { templateOwner: "DaemonSet" }),
    ...nonNegative(path.child("minReadySeconds"), spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy, path.child("updateStrategy")),
    ...nonNegative(path.child("revisionHistoryLimit"), spec.revisionHistoryLimit),
  ];
}

function validateStrategy(strategy: DaemonSetUpdateStrategy, path: FieldPath): FieldError[] {
  if (strategy.type === "OnDelete") return [];
  if (strategy.type !== "RollingUpdate") {
    const shown = internalForm(strategy, ["type", "rollingUpdate"]);
    return [fieldErrors.notSupported(path, shown, ["RollingUpdate", "OnDelete"])];
  }
  const at = path.child("rollingUpdate");
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate ?? {};
  const errors = [
    ...countOrPercent(at.child("maxUnavailable"), maxUnavailable),
    ...countOrPercent(at.child("maxSurge"), maxSurge),
    ...atMostFullPercent(at.child("maxUnavailable"), maxUnavailable),
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
