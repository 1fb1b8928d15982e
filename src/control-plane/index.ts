export { renderKubeconfig } from "./kubeconfig.ts";
export { createUnlessPresent, publishFrontend, replace, type ServiceFrontend } from "./bootstrap.ts";
export { createControlPlane, type ControlPlane, type ControlPlaneOptions } from "./control-plane.ts";
