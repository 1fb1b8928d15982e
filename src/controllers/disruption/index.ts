export { disruptionController, stalePodDisruptionController } from "./disruption-controller.ts";
