export * from "./ip.ts";
export * from "./labels.ts";
export * from "./names.ts";
export * from "./object-meta.ts";
export { byteLength, type Problems } from "./text.ts";
