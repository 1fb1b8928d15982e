export * from "./kubelet.ts";
export { kubernetesVersion } from "./node/version.ts";
