export { garbageCollector } from "./garbage-collector.ts";
