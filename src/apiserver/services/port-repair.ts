import type { Clock, Logger } from "../../base/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import type { ObjectReader } from "../reader.ts";
import { heldPorts } from "./node-ports.ts";
import type { NodePorts } from "./node-ports.ts";

/** Something wrong with a service's ports, for its user. */
export interface PortProblemEvent {
  readonly type: "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface PortRepairOptions {
  readonly reader: ObjectReader;
  readonly ports: NodePorts;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly report: (service: Service, event: PortProblemEvent) => void;
}

const interval = 180_000;
/** A port that nobody has is free once it was found so this often: a service may be on its way. */
const findingsBeforeRelease = 3;

/** Keeps the ports known to be taken in step with the services that have them, until the signal aborts. */
export async function runPortRepair(options: PortRepairOptions, signal: AbortSignal): Promise<void> {
  const { reader, clock } = options;
  const unsubscribe = reader.subscribe(Service, ({ object }) => {
    if (object !== undefined) takeMissing(options, object);
  });
  let leaks: ReadonlyMap<number, number> = new Map();
  while (!signal.aborted) {
    leaks = repairPorts(options, leaks);
    await clock.sleep(interval, signal).catch(() => undefined);
  }
  unsubscribe();
}

/** One pass over all services; answers how often each port was found with nobody. */
export function repairPorts(
  options: Omit<PortRepairOptions, "clock">,
  leaks: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  const { reader, ports, logger, report } = options;
  const owned = new Set<number>();
  for (const service of reader.list(Service)) {
    takeMissing(options, service);
    for (const port of heldPorts(service.spec)) {
      if (owned.has(port)) {
        const message = `Port ${port} was assigned to multiple services; please recreate service`;
        report(service, { type: "Warning", reason: "PortAlreadyAllocated", message });
      } else if (!ports.includes(port)) {
        const message = `Port ${port} is not within the port range ${ports.text}; please recreate service`;
        report(service, { type: "Warning", reason: "PortOutOfRange", message });
      }
      owned.add(port);
    }
  }
  const found = new Map<number, number>();
  for (const port of ports.taken) {
    if (owned.has(port)) continue;
    const times = (leaks.get(port) ?? 0) + 1;
    if (times <= findingsBeforeRelease) {
      found.set(port, times);
      continue;
    }
    logger.warn("A node port belonged to no service and is free again", { port });
    ports.release(port);
  }
  return found;
}

function takeMissing({ ports, report }: Pick<PortRepairOptions, "ports" | "report">, service: Service): void {
  for (const port of heldPorts(service.spec)) {
    if (!ports.includes(port) || ports.taken.has(port)) continue;
    ports.take(port);
    const message = `Port ${port} is not allocated; repairing`;
    report(service, { type: "Warning", reason: "PortNotAllocated", message });
  }
}
