export * from "./reader.ts";
export * from "./writer.ts";
export type { BoltEntry } from "./format.ts";
