export type * from "./client.ts";
export * from "./definition.ts";
export * from "./schema.ts";
export * from "./registry.ts";
export { convert, servedVersionsOf, storageVersionOf } from "./conversion.ts";
export { ageSince, humanDuration } from "./common/duration.ts";
