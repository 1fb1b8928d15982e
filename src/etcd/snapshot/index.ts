export * from "./read.ts";
export * from "./records.ts";
export * from "./revision-key.ts";
export * from "./status.ts";
export * from "./write.ts";
