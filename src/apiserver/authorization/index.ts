export type * from "./authorizer.ts";
export * from "./bootstrap-policy.ts";
export * from "./decide.ts";
export * from "./escalation.ts";
export * from "./node.ts";
export { createRbacAuthorizer } from "./rbac.ts";
export type { HeldRules, RbacAuthorizer } from "./rbac.ts";
export * from "./reviews.ts";
