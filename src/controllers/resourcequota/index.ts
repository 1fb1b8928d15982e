export { resourceQuotaController } from "./resource-quota-controller.ts";
