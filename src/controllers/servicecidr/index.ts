export { addressRepairController } from "./address-repair.ts";
export { serviceCidrController } from "./service-cidr-controller.ts";
