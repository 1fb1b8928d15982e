import type { FieldPath, LabelSelector } from "../../apimachinery/index.ts";
import { isValidLabelValue } from "../../apimachinery/index.ts";
import type { NodeSelectorTerm } from "../types/core-v1.ts";

const deprecated: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region":
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone":
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type":
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "app.kubernetes.io/created-by": "deprecated since v1.9",
  "scheduler.alpha.kubernetes.io/preferAvoidPods":
    "deprecated since v1.22; use Taints and Tolerations instead",
  "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
};

/** What is said of a label of nodes that should no longer be used. */
export const nodeLabelWarning = (key: string): string | undefined => deprecated[key];

/** Warnings of a term that asks for labels of nodes which should no longer be used, or for values that none has. */
export function nodeTermWarnings(
  term: Pick<NodeSelectorTerm | LabelSelector, "matchExpressions"> | undefined,
  path: FieldPath,
  options: { readonly checkValues: boolean },
): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key, values = [] }, index) => {
    const at = path.child("matchExpressions").index(index);
    const warning = nodeLabelWarning(key);
    return [
      ...(warning === undefined ? [] : [`${at.child("key").text}: ${key} is ${warning}`]),
      ...(options.checkValues ? values : []).flatMap((value, position) =>
        isValidLabelValue(value).map(
          (problem) => `${at.child("values").index(position).text}: ${value} is invalid, ${problem}`,
        ),
      ),
    ];
  });
}
