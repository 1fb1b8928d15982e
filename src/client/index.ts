export type * from "./informer.ts";
export * from "./informer-factory.ts";
export * from "./shared-informer.ts";
export * from "./work-queue.ts";
