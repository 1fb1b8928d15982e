export * from "./default-admission.ts";
export type * from "./plugin.ts";
export { systemPriorityClasses } from "./priority.ts";
