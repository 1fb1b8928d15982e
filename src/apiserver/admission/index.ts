export { admissionSelectionProblem, defaultAdmission } from "./default-admission.ts";
export type { AdmissionSelection } from "./default-admission.ts";
export { kindFinder } from "./owner-references.ts";
export type * from "./plugin.ts";
export { admissionPolicies, policyTypeCheck } from "./policies/index.ts";
export { admissionWebhooks } from "./webhooks/index.ts";
