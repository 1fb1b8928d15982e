export { renderKubeconfig } from "./kubeconfig.ts";
export {
  apiServerService,
  dnsService,
  grantDnsAccess,
  publishService,
  type MachineService,
} from "./bootstrap.ts";
export { runServerEndpoints } from "./server-endpoints.ts";
export { untilAnswered } from "./until-answered.ts";
export { createControlPlane, type ControlPlane, type ControlPlaneOptions } from "./control-plane.ts";
