export * from "./default-admission.ts";
export type * from "./plugin.ts";
export { systemPriorityClasses } from "./priority.ts";
export { quotaMatches, quotaUsage } from "./quota-usage.ts";
