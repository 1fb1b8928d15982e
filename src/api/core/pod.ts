import type { FieldError, LabelSelector, ObjectMeta } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, hold, rememberShared, sharedText } from "../../apimachinery/index.ts";
import { ipWarnings } from "../common/address-warnings.ts";
import { ageColumn, column, nameColumn } from "../common/columns.ts";
import { mapField, mapList, withField } from "../common/fill.ts";
import type { PrinterColumn, RequestContext } from "../definition.ts";
import { defineResource } from "../definition.ts";
import type { PodAffinityTerm, PodSpec, PodStatus } from "../types/core-v1.ts";
import { Pod } from "../types/core-v1.ts";
import {
  defaultPodOnly,
  defaultPodSpec,
  podWarnings,
  qualityOfService,
  validateAnnotationsUpdate,
  validateImage,
  validatePodAnnotations,
  validatePodSpec,
  validateProfilesMatch,
  withServiceAccount,
} from "./pod-spec/index.ts";
import { summarizePod } from "./pod-status.ts";
import { resized, validatePodResize } from "./pod-resize.ts";
import { validatePodStatusUpdate } from "./pod-status-update.ts";
import { validateEphemeralContainersUpdate, validatePodUpdate } from "./pod-update.ts";

const columns: readonly PrinterColumn<Pod>[] = [
  nameColumn,
  column("Ready", "How many of the pod's containers are ready", {
    value: (pod, now) => summarizePod(pod, now).ready,
  }),
  column("Status", "Where the pod is in its life, or why it does not get on", {
    value: (pod, now) => summarizePod(pod, now).reason,
  }),
  column("Restarts", "How often containers were restarted, and when last", {
    value: (pod, now) => summarizePod(pod, now).restarts,
  }),
  ageColumn,
  column("IP", "The pod's address", {
    wide: true,
    value: (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || "<none>",
  }),
  column("Node", "The node that the pod is bound to", {
    wide: true,
    value: (pod) => pod.spec.nodeName || "<none>",
  }),
  column("Nominated Node", "The node where pods make way for this one", {
    wide: true,
    value: (pod) => pod.status?.nominatedNodeName || "<none>",
  }),
  column("Readiness Gates", "How many of the pod's further conditions of readiness hold", {
    wide: true,
    value: readinessGates,
  }),
];

/** What is made of a spec that others have too, they have too. */
const defaultSpec = rememberShared((spec: PodSpec) => {
  const filled = defaultPodOnly(defaultPodSpec(spec));
  return sharedText(spec) === undefined ? filled : hold(filled);
});

/** Keeps the one address of older clients and the list of addresses in step; of two that differ, the one counts. */
function withAddresses(status: PodStatus): PodStatus {
  const { podIP = "", podIPs } = status;
  const first = podIPs?.[0]?.ip ?? "";
  if (podIP === first) return status;
  return podIP === "" ? { ...status, podIP: first } : { ...status, podIPs: [{ ip: podIP }] };
}

/** The rules of pods. */
export const podDefinition = defineResource<Pod>({
  resource: Pod,
  returnsDeleted: true,
  sharesSpec: true,
  defaults: (pod) =>
    mapField({ ...pod, spec: defaultSpec(pod.spec ?? { containers: [] }) }, "status", withAddresses),
  validate,
  validateUpdate: (pod, old, context) => [
    ...validateAnnotations(pod, old),
    ...validateChange(pod, old, context),
  ],
  prepareForCreate,
  prepareForUpdate,
  prepareForStatusUpdate,
  warnings: (pod, old) => (old === undefined ? podWarnings(pod) : []),
  statusWarnings: addressWarnings,
  columns,
  selectableFields: {
    "spec.nodeName": (pod) => pod.spec.nodeName ?? "",
    "spec.restartPolicy": (pod) => pod.spec.restartPolicy ?? "",
    "spec.schedulerName": (pod) => pod.spec.schedulerName ?? "",
    "spec.serviceAccountName": (pod) => pod.spec.serviceAccountName ?? "",
    "spec.hostNetwork": (pod) => String(pod.spec.hostNetwork ?? false),
    "status.phase": (pod) => pod.status?.phase ?? "",
    "status.podIP": (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "",
    // Upstream knows the name, and no pod's value.
    "status.podIPs": () => "",
    "status.nominatedNodeName": (pod) => pod.status?.nominatedNodeName ?? "",
  },
  tracksGeneration: true,
  gracePeriodSeconds,
});

function prepareForUpdate(pod: Pod, old: Pod, { subresource }: RequestContext): Pod {
  switch (subresource) {
    case "ephemeralcontainers":
      return {
        ...old,
        metadata: { ...old.metadata, resourceVersion: pod.metadata.resourceVersion },
        spec: withField(old.spec, "ephemeralContainers", pod.spec.ephemeralContainers),
      };
    case "resize":
      return resized(pod, old);
    default:
      return { ...pod, spec: withServiceAccount(pod.spec) };
  }
}

/** Warnings of how a pod's addresses and its node's are written. */
function addressWarnings({ status }: Pod): readonly string[] {
  return (["podIPs", "hostIPs"] as const).flatMap((field) =>
    (status?.[field] ?? []).flatMap(({ ip }, index) =>
      ip ? ipWarnings(ip, FieldPath.root("status").child(field).index(index).child("ip")) : [],
    ),
  );
}

function prepareForStatusUpdate(pod: Pod, old: Pod): Pod {
  const status = pod.status ?? {};
  return {
    ...pod,
    metadata: withField(pod.metadata, "ownerReferences", old.metadata.ownerReferences),
    spec: old.spec,
    status:
      status.qosClass === undefined && old.status?.qosClass !== undefined
        ? { ...status, qosClass: old.status.qosClass }
        : status,
  };
}

function validateChange(pod: Pod, old: Pod, { subresource }: RequestContext): readonly FieldError[] {
  switch (subresource) {
    case undefined:
      return validatePodUpdate(pod, old);
    case "ephemeralcontainers":
      return validateEphemeralContainersUpdate(pod, old);
    case "resize":
      return validatePodResize(pod, old);
    case "status":
      return validatePodStatusUpdate(pod, old);
    default:
      return [];
  }
}

function gracePeriodSeconds(pod: Pod, requested: number | undefined): number {
  const period = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  if (!pod.spec.nodeName) return 0;
  if (pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded") return 0;
  return period < 0 ? 1 : period;
}

const qualityOfShared = rememberShared(qualityOfService);

function prepareForCreate(pod: Pod): Pod {
  const spec = mergeMatchLabelKeys(withServiceAccount(pod.spec), pod.metadata.labels ?? {});
  const gated = (spec.schedulingGates ?? []).length > 0;
  return {
    ...pod,
    spec,
    status: {
      phase: "Pending",
      ...(gated
        ? {
            conditions: [
              {
                type: "PodScheduled",
                status: "False",
                reason: "SchedulingGated",
                message: "Scheduling is blocked due to non-empty scheduling gates",
              },
            ],
          }
        : {}),
      qosClass: qualityOfShared(spec),
    },
  };
}

const annotationsPath = FieldPath.root("metadata").child("annotations");
const specPath = FieldPath.root("spec");

function validate(pod: Pod, context: RequestContext): readonly FieldError[] {
  const { metadata, spec } = pod;
  const errors = [
    ...validatePodAnnotations(metadata.annotations, spec, annotationsPath),
    ...(dependsOnPod(spec) ? validateSpec(spec, metadata) : validateSharedSpec(spec)),
  ];
  if (context.operation !== "create") return errors;
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(fieldErrors.forbidden(specPath.child("ephemeralContainers"), "cannot be set on create"));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    const why = "cannot be set until all schedulingGates have been cleared";
    errors.push(fieldErrors.forbidden(specPath.child("nodeName"), why));
  }
  return [...errors, ...validateProfilesMatch(metadata, spec, specPath)];
}

/** Whether it depends on the pod's metadata what the spec may say. */
const dependsOnPod = ({ resourceClaims = [], volumes = [] }: PodSpec): boolean =>
  resourceClaims.length > 0 || volumes.some(({ ephemeral }) => ephemeral !== undefined);

const validateSharedSpec = rememberShared((spec: PodSpec) => validateSpec(spec, {}));

function validateSpec(spec: PodSpec, pod: Partial<ObjectMeta>): readonly FieldError[] {
  const errors = [...validatePodSpec(spec, specPath, { pod }), ...validateTokens(spec)];
  for (const list of ["containers", "initContainers"] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      errors.push(...validateImage(container, specPath.child(list).index(index)));
    }
  }
  return errors;
}

/** Tokens are of an account: one must be named by then. */
function validateTokens(spec: PodSpec): FieldError[] {
  if (spec.serviceAccountName) return [];
  return (spec.volumes ?? []).flatMap((volume, index) =>
    (volume.projected?.sources ?? []).flatMap((source, position) => {
      if (!source.serviceAccountToken) return [];
      const at = specPath.child("volumes").index(index).child("projected", "sources").index(position);
      const why = "must not be specified when serviceAccountName is not set";
      return [fieldErrors.forbidden(at.child("serviceAccountToken"), why)];
    }),
  );
}

function validateAnnotations(pod: Pod, old: Pod): FieldError[] {
  const [next, before] = [pod.metadata.annotations, old.metadata.annotations];
  return next === before
    ? []
    : [
        ...validateAnnotationsUpdate(next, before, annotationsPath),
        ...validatePodAnnotations(next, pod.spec, annotationsPath),
      ];
}

/** Turns `matchLabelKeys` into requirements on the pod's own values of these labels. */
function mergeMatchLabelKeys(spec: PodSpec, labels: Readonly<Record<string, string>>): PodSpec {
  const merge = (term: PodAffinityTerm): PodAffinityTerm => {
    if (term.labelSelector === undefined) return term;
    const requirements = [
      ...requirementsFor(term.matchLabelKeys, { operator: "In", labels }),
      ...requirementsFor(term.mismatchLabelKeys, { operator: "NotIn", labels }),
    ];
    return requirements.length === 0
      ? term
      : { ...term, labelSelector: withRequirements(term.labelSelector, requirements) };
  };
  const spread = mapField(spec, "topologySpreadConstraints", (constraints) =>
    mapList(constraints, (constraint) => {
      const requirements = requirementsFor(constraint.matchLabelKeys, { operator: "In", labels });
      return constraint.labelSelector === undefined || requirements.length === 0
        ? constraint
        : { ...constraint, labelSelector: withRequirements(constraint.labelSelector, requirements) };
    }),
  );
  return mapField(spread, "affinity", (affinity) => {
    let result = affinity;
    for (const field of ["podAffinity", "podAntiAffinity"] as const) {
      result = mapField(result, field, (rules) =>
        mapField(
          mapField(rules, "requiredDuringSchedulingIgnoredDuringExecution", (terms) => mapList(terms, merge)),
          "preferredDuringSchedulingIgnoredDuringExecution",
          (terms) => mapList(terms, (weighted) => mapField(weighted, "podAffinityTerm", merge)),
        ),
      );
    }
    return result;
  });
}

type Requirements = NonNullable<LabelSelector["matchExpressions"]>;

function requirementsFor(
  keys: readonly string[] | undefined,
  options: { operator: "In" | "NotIn"; labels: Readonly<Record<string, string>> },
): Requirements {
  return (keys ?? []).flatMap((key) => {
    const value = options.labels[key];
    return value === undefined ? [] : [{ key, operator: options.operator, values: [value] }];
  });
}

function withRequirements(selector: LabelSelector, requirements: Requirements): LabelSelector {
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...requirements] };
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const fulfilled = gates.filter((gate) =>
    (pod.status?.conditions ?? []).some(
      (condition) => condition.type === gate.conditionType && condition.status === "True",
    ),
  );
  return `${fulfilled.length}/${gates.length}`;
}
