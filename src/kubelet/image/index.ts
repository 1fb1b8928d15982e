export * from "./archive.ts";
export * from "./architecture.ts";
export * from "./busybox.ts";
export * from "./pause.ts";
export * from "./pause-program.ts";
