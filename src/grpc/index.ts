export * from "./client.ts";
export * from "./codec.ts";
export * from "./error.ts";
export type * from "./schema.ts";
export * from "./server.ts";
export * from "./service.ts";
