export type * from "./client.ts";
export * from "./definition.ts";
