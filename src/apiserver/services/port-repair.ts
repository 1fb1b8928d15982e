import type { Clock, Logger } from "../../base/index.ts";
import { Service } from "../../api/types/core-v1.ts";
import type { ObjectReader } from "../reader.ts";
import { heldPorts } from "./node-ports.ts";
import type { NodePorts } from "./node-ports.ts";
import type { PortRecord } from "./port-record.ts";

/** Something wrong with a service's ports, for its user. */
export interface PortProblemEvent {
  readonly type: "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface PortRepairOptions {
  readonly reader: ObjectReader;
  readonly ports: NodePorts;
  /** What is recorded for all servers of the store, where there are others. */
  readonly record?: PortRecord | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly report: (service: Service, event: PortProblemEvent) => void;
}

const interval = 180_000;
/** A port that nobody has is free once it was found so this often: a service may be on its way. */
const findingsBeforeRelease = 3;

/** Keeps the ports known to be taken in step with the services that have them, until the signal aborts. */
export async function runPortRepair(options: PortRepairOptions, signal: AbortSignal): Promise<void> {
  const { reader, clock, record, logger } = options;
  const unsubscribe = reader.subscribe(Service, ({ object }) => {
    if (object !== undefined) takeMissing(options, object);
  });
  let leaks: Findings = new Map();
  let recorded: Findings = new Map();
  while (!signal.aborted) {
    leaks = repairPorts(options, leaks);
    if (record) {
      recorded = await repairRecord({ ...options, record }, recorded).catch((error: unknown) => {
        logger.warn("The record of node ports could not be repaired; it is tried again", { error });
        return recorded;
      });
    }
    await clock.sleep(interval, signal).catch(() => undefined);
  }
  unsubscribe();
}

/** How often each port was found with nobody. */
type Findings = ReadonlyMap<number, number>;

/** One pass over all services. */
export function repairPorts(options: Omit<PortRepairOptions, "clock" | "record">, leaks: Findings): Findings {
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
  const { found, free } = sorted(ports.taken, { owned, leaks });
  for (const port of free) {
    logger.warn("A node port belonged to no service and is free again", { port });
    ports.release(port);
  }
  return found;
}

/** One pass over what is recorded for all servers: one that crashed may have claimed ports for services that never were. */
export async function repairRecord(
  options: Pick<PortRepairOptions, "reader" | "ports" | "logger"> & { readonly record: PortRecord },
  leaks: Findings,
): Promise<Findings> {
  const { reader, ports, record, logger } = options;
  const held = reader.list(Service).flatMap(({ spec }) => [...heldPorts(spec)]);
  const owned = new Set(held.filter((port) => ports.includes(port)));
  let pass: ReturnType<typeof sorted> = { found: leaks, free: [] };
  await record.mend((taken) => {
    pass = sorted(taken, { owned, leaks });
    return { missing: [...owned].filter((port) => !taken.has(port)), free: pass.free };
  });
  const { found, free } = pass;
  for (const port of free)
    logger.warn("A recorded node port belonged to no service and is free again", { port });
  return found;
}

/** Ports that nobody has: those that may still be on their way, and those that were found too often for that. */
function sorted(
  taken: Iterable<number>,
  { owned, leaks }: { readonly owned: ReadonlySet<number>; readonly leaks: Findings },
): { readonly found: Findings; readonly free: readonly number[] } {
  const found = new Map<number, number>();
  const free: number[] = [];
  for (const port of taken) {
    if (owned.has(port)) continue;
    const times = (leaks.get(port) ?? 0) + 1;
    if (times <= findingsBeforeRelease) found.set(port, times);
    else free.push(port);
  }
  return { found, free };
}

function takeMissing({ ports, report }: Pick<PortRepairOptions, "ports" | "report">, service: Service): void {
  for (const port of heldPorts(service.spec)) {
    if (!ports.includes(port) || ports.taken.has(port)) continue;
    ports.take(port);
    const message = `Port ${port} is not allocated; repairing`;
    report(service, { type: "Warning", reason: "PortNotAllocated", message });
  }
}
