export * from "./memory-client.ts";
