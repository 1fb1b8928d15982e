export { namespaceController } from "./namespace-controller.ts";
