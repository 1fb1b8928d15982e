export * from "./assert.ts";
export * from "./clock.ts";
export * from "./hash.ts";
export * from "./heap.ts";
export * from "./logger.ts";
export * from "./metrics.ts";
export * from "./random.ts";
