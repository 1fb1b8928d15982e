export * from "./default-admission.ts";
export type * from "./plugin.ts";
