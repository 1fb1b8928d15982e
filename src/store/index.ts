export * from "./store.ts";
export type * from "./mvcc.ts";
export * from "./memory-store.ts";
export * from "./compactor.ts";
