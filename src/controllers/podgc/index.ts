export { podGarbageCollector } from "./podgc-controller.ts";
