import type { AdmissionPlugin } from "../plugin.ts";
import { validatingPolicies } from "./validating.ts";
import type { PolicyParts } from "./validating.ts";

/** The plugins that apply policies. */
export function admissionPolicies(parts: PolicyParts): readonly AdmissionPlugin[] {
  const isServed = parts.served.hasGroupVersion("admissionregistration.k8s.io", "v1");
  return isServed ? [validatingPolicies(parts)] : [];
}
