export type * from "./client.ts";
export * from "./definition.ts";
export * from "./schema.ts";
