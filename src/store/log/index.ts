export { type LogStore, type LogStoreOptions, openLogStore } from "./log-store.ts";
