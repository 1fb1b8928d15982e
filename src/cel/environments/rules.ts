import type { Checked } from "../check/checker.ts";
import { optionalType } from "../check/types.ts";
import type { CostEstimator } from "../cost/estimate.ts";
import { kubernetesEstimator } from "../cost/kubernetes-estimate.ts";
import { declaredProvider, declaredSizes, type DeclaredType } from "../declared/declared-type.ts";
import type { Environment } from "../environment.ts";
import { kubernetesEnvironment } from "../kubernetes.ts";

/** The environment of rules for values of a type: `self`, and `oldSelf` before an update, which may be optional. */
export function ruleEnvironment(
  minorVersion: number,
  self: DeclaredType,
  options: { readonly optionalOldSelf: boolean },
): Environment {
  return kubernetesEnvironment(minorVersion, {
    variables: { self: self.type, oldSelf: options.optionalOldSelf ? optionalType(self.type) : self.type },
    provider: declaredProvider([self]),
  });
}

/** Knows how large the values of a type get. */
export const ruleEstimator = (self: DeclaredType): CostEstimator =>
  kubernetesEstimator(declaredSizes({ self, oldSelf: self }));

/** Whether a rule speaks of the value before. */
export const usesOldSelf = (checked: Checked): boolean =>
  [...checked.references.values()].some(
    (reference) => reference.type === "identifier" && reference.name === "oldSelf",
  );
