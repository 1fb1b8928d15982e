export type * from "./informer.ts";
export * from "./informer-factory.ts";
export * from "./shared-informer.ts";
export * from "./work-queue.ts";
export * from "./event-recorder.ts";
export * from "./leader-election.ts";
