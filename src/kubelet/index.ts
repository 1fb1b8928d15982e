export * from "./kubelet.ts";
