export type * from "./client.ts";
export * from "./definition.ts";
export * from "./schema.ts";
export * from "./registry.ts";
export { convert, servedVersionsOf, storageVersionOf } from "./conversion.ts";
export { eventTimeToLive } from "./core/event.ts";
export { namespaceNameLabel } from "./core/namespace.ts";
export { needsHealthPort, needsNodePort } from "./core/service-update.ts";
export { ageSince, humanDuration } from "./common/duration.ts";
