export * from "./config.ts";
export * from "./containerd.ts";
export * from "./machine.ts";
export * from "./network.ts";
export * from "./processes.ts";
