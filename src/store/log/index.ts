export { crc32c } from "./checksum.ts";
export { type LogStore, type LogStoreOptions, openLogStore } from "./log-store.ts";
export { type Seed, seedLogStore } from "./seed.ts";
export { checkLog, type LogReport, repairLog, type RepairReport } from "./repair.ts";
