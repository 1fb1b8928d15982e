import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodTemplateSpec,
  Taint,
  Toleration,
} from "../../api/types/core-v1.ts";

const tolerated = (key: string, effect: "NoExecute" | "NoSchedule"): Toleration => ({
  key: `node.kubernetes.io/${key}`,
  operator: "Exists",
  effect,
});

/** What daemons live with, whatever their template says. */
export function daemonTolerations({ hostNetwork }: { hostNetwork: boolean }): readonly Toleration[] {
  return [
    tolerated("not-ready", "NoExecute"),
    tolerated("unreachable", "NoExecute"),
    tolerated("disk-pressure", "NoSchedule"),
    tolerated("memory-pressure", "NoSchedule"),
    tolerated("pid-pressure", "NoSchedule"),
    tolerated("unschedulable", "NoSchedule"),
    ...(hostNetwork ? [tolerated("network-unavailable", "NoSchedule")] : []),
  ];
}

/** Whether a daemon is to run on a node, and whether one that does may stay. */
export function fitsNode(template: PodTemplateSpec, node: Node): { run: boolean; stay: boolean } {
  const { spec } = template;
  if (spec?.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false };
  if (!matchesNode(template, node)) return { run: false, stay: false };
  const tolerations = [
    ...(spec?.tolerations ?? []),
    ...daemonTolerations({ hostNetwork: spec?.hostNetwork === true }),
  ];
  const hurting = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect !== "PreferNoSchedule" && !tolerations.some((entry) => tolerates(entry, taint)),
  );
  return { run: hurting.length === 0, stay: !hurting.some(({ effect }) => effect === "NoExecute") };
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key, operator = "Equal", value = "", effect } = toleration;
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === "Exists" || (Boolean(key) && value === (taint.value ?? ""));
}

function matchesNode({ spec }: PodTemplateSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {}))
    if (labels[key] !== value) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((requirement) => meets(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => meets(requirement, node.metadata.name))
  );
}

function meets({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
