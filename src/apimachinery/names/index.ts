export * from "./ip.ts";
export * from "./labels.ts";
export * from "./names.ts";
export * from "./object-meta.ts";
export type { Problems } from "./text.ts";
