export * from "./reader.ts";
export * from "./writer.ts";
export { type BoltEntry, viewOf } from "./format.ts";
