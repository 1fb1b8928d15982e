export { serveCustomResources } from "./controller.ts";
