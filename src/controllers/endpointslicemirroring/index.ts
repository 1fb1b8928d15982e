export { endpointSliceMirroringController } from "./mirroring-controller.ts";
