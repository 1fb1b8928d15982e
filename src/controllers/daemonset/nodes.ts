import { matchesNodeAffinity, tolerates } from "../../api/index.ts";
import type { Node, PodTemplateSpec, Toleration } from "../../api/types/core-v1.ts";

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
  if (!matchesNodeAffinity(spec, node)) return { run: false, stay: false };
  const tolerations = [
    ...(spec?.tolerations ?? []),
    ...daemonTolerations({ hostNetwork: spec?.hostNetwork === true }),
  ];
  const hurting = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect !== "PreferNoSchedule" && !tolerations.some((entry) => tolerates(entry, taint)),
  );
  return { run: hurting.length === 0, stay: !hurting.some(({ effect }) => effect === "NoExecute") };
}
