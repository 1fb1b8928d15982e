import { networkInterfaces } from "node:os";
import { textLogger, type Logger } from "../base/index.ts";

/** Logs to standard error, which `up` points at the log file; how much is counted as upstream's flag `-v` does. */
export function daemonLogging(): {
  readonly logger: Logger;
  readonly setVerbosity: (verbosity: number) => void;
} {
  let level: "info" | "debug" = "info";
  const write = (line: string) => void process.stderr.write(line);
  return {
    logger: textLogger({ level: () => level, write, now: Date.now }),
    setVerbosity: (verbosity) => {
      level = verbosity >= debugVerbosity ? "debug" : "info";
    },
  };
}

/** From here on upstream tells what helps to find faults. */
const debugVerbosity = 4;

/** The machine's first address that others can reach, else the loopback one. */
export function machineAddress(): string {
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(kubets|cni|docker|veth|br-)/.test(name))
    .flatMap(([, entries]) => entries ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}
