import type { AdmissionPlugin } from "../plugin.ts";
import { PolicyCompiler } from "./compile.ts";
import type { PolicyParts } from "./invocations.ts";
import { mutatingPolicies } from "./mutating.ts";
import { validatingPolicies } from "./validating.ts";

export { policyTypeCheck } from "./type-check.ts";

/** The plugins that apply policies. */
export function admissionPolicies(parts: PolicyParts): readonly AdmissionPlugin[] {
  const isServed = parts.served.hasGroupVersion("admissionregistration.k8s.io", "v1");
  if (!isServed) return [];
  const compiler = new PolicyCompiler();
  return [mutatingPolicies({ ...parts, compiler }), validatingPolicies({ ...parts, compiler })];
}
