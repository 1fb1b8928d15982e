export type * from "./informer.ts";
