export * from "./atomic-writer.ts";
export * from "./sub-path.ts";
export type * from "./volume-plugin.ts";
export * from "./volumes.ts";
