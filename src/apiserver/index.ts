export type * from "./reader.ts";
export * from "./server/server.ts";
export { reviewAnswers, tokenRequests, type ReviewOptions } from "./server/reviews.ts";
export { parseRuntimeConfig, type RuntimeConfig } from "./server/runtime-config.ts";
export type { Convert } from "./server/install.ts";
export { ServedTable } from "./registry/served.ts";
export type { ServedResource, ServedVersion, Storage } from "./registry/served.ts";
export type { AnswerHandler, Core, PostHandler, RequestOptions, WriteHook } from "./registry/context.ts";
export type { AnyObject } from "./registry/entry.ts";
