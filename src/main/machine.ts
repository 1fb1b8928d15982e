import { networkInterfaces } from "node:os";
import { textLogger, type Logger } from "../base/index.ts";

/** Logs to standard error, which `up` points at the log file. */
export function daemonLogger(): Logger {
  return textLogger({ level: "info", write: (line) => void process.stderr.write(line), now: Date.now });
}

/** The machine's first address that others can reach, else the loopback one. */
export function machineAddress(): string {
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(kubets|cni|docker|veth|br-)/.test(name))
    .flatMap(([, entries]) => entries ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}
