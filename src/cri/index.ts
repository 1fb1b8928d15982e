export * from "./client.ts";
export * from "./error.ts";
export type * from "./message.ts";
export * from "./schema.ts";
