export { statefulSetController } from "./statefulset-controller.ts";
