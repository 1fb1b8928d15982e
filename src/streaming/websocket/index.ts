export * from "./accept.ts";
export * from "./bridge.ts";
export * from "./channels.ts";
export * from "./one-way.ts";
export * from "./events.ts";
