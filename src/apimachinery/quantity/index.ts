export * from "./quantity.ts";
export * from "./resource-list.ts";
