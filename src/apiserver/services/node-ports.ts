import type { Random } from "../../base/index.ts";
import { ApiError, fieldErrors, FieldPath } from "../../apimachinery/index.ts";
import { needsHealthPort } from "../../api/index.ts";
import type { ServicePort, ServiceSpec } from "../../api/types/core-v1.ts";

/** The ports of nodes that services are reached at. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Upstream's words for why a port cannot be had. */
export type PortProblem = string;

const full = "range is full";
const allocated = "provided port is already allocated";

/** Which ports of nodes are taken: handed out by chance from the upper band, so that those who choose find the lower free. */
export class NodePorts {
  readonly text: string;
  readonly taken = new Set<number>();
  private readonly range: PortRange;
  private readonly band: number;
  private readonly random: Random;

  constructor(range: PortRange, random: Random) {
    this.range = range;
    this.random = random;
    this.text = `${range.first}-${range.last}`;
    this.band = range.first + bandOf(range.last - range.first + 1);
  }

  includes(port: number): boolean {
    return port >= this.range.first && port <= this.range.last;
  }

  take(port: number): PortProblem | undefined {
    if (!this.includes(port)) {
      return `provided port is not in the valid range. The range of valid ports is ${this.text}`;
    }
    if (this.taken.has(port)) return allocated;
    this.taken.add(port);
    return undefined;
  }

  /** Takes any free port; undefined when there is none. */
  any(): number | undefined {
    return this.between(this.band, this.range.last) ?? this.between(this.range.first, this.band - 1);
  }

  release(port: number): void {
    this.taken.delete(port);
  }

  private between(from: number, to: number): number | undefined {
    const size = to - from + 1;
    const start = Math.floor(this.random.next() * size);
    for (let step = 0; step < size; step++) {
      const port = from + ((start + step) % size);
      if (this.take(port) === undefined) return port;
    }
    return undefined;
  }
}

/** KEP-3668: none of up to 16 ports, else a thirty-second between 16 and 128. */
const bandOf = (size: number) => (size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128));

/** Ports as one write takes them: given back together, or only once the write has succeeded. */
export interface PortOperation {
  /** The ports that it has taken. */
  readonly own: readonly number[];
  take(port: number): PortProblem | undefined;
  any(): number | undefined;
  /** To be given back when the write has succeeded. */
  releaseLater(port: number): void;
  /** Answers what it gives back. */
  settle(written: boolean): readonly number[];
}

/** Takes ports for good. */
export function portOperation(ports: NodePorts): PortOperation {
  const own: number[] = [];
  const released: number[] = [];
  return {
    own,
    take(port) {
      const problem = ports.take(port);
      if (problem === undefined) own.push(port);
      return problem;
    },
    any() {
      const port = ports.any();
      if (port !== undefined) own.push(port);
      return port;
    },
    releaseLater: (port) => void released.push(port),
    settle(written) {
      const free = written ? released : own;
      for (const port of free) ports.release(port);
      return free;
    },
  };
}

/** Upstream's dry runs answer numbers from above the default range, which nobody has. */
const firstDryPort = 32_769;

/** Says what would be taken. */
export function dryPortOperation(ports: NodePorts): PortOperation {
  const own: number[] = [];
  return {
    own: [],
    take(port) {
      if (ports.taken.has(port) || own.includes(port)) return allocated;
      own.push(port);
      return undefined;
    },
    any() {
      const port = own.length === 0 ? firstDryPort : Math.max(...own) + 1;
      own.push(port);
      return port;
    },
    releaseLater: () => undefined,
    settle: () => [],
  };
}

const path = FieldPath.root("spec");
const portsPath = path.child("ports");

/** An allocation that cannot be: what is wrong with the service, or with the cluster. */
export type Refuse = (error: ReturnType<typeof fieldErrors.invalid>) => ApiError;

export interface PortWrite {
  readonly spec: ServiceSpec;
  readonly old: ServiceSpec | undefined;
  readonly operation: PortOperation;
  readonly refuse: Refuse;
}

const opensPorts = ({ type }: ServiceSpec) => type === "NodePort" || type === "LoadBalancer";

const givesPorts = (spec: ServiceSpec) =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** The node ports that a service names. */
export const nodePortsOf = ({ ports }: Pick<ServiceSpec, "ports">): readonly number[] =>
  (ports ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []));

/** All ports of nodes that a service has; none of them is someone else's. */
export function heldPorts(spec: ServiceSpec): ReadonlySet<number> {
  const health = needsHealthPort(spec) ? (spec.healthCheckNodePort ?? 0) : 0;
  return new Set([...nodePortsOf(spec), ...(health > 0 ? [health] : [])]);
}

/** Gives the service's ports numbers on the nodes, and one to ask for its health where balancers do. */
export function allocatePorts(write: PortWrite): ServiceSpec {
  const { old, operation } = write;
  let { spec } = write;
  if (old !== undefined && opensPorts(old) && !opensPorts(spec)) {
    for (const port of nodePortsOf(old)) operation.releaseLater(port);
  }
  if (opensPorts(spec))
    spec = { ...spec, ...portsOf(old === undefined ? initial(write) : changed(write, old)) };
  const needed = old !== undefined && needsHealthPort(old);
  if (needsHealthPort(spec) && !needed) return withHealthPort(spec, operation);
  if (needed && !needsHealthPort(spec) && old.healthCheckNodePort)
    operation.releaseLater(old.healthCheckNodePort);
  return spec;
}

const portsOf = (ports: readonly ServicePort[]) => (ports.length === 0 ? {} : { ports });

/** Takes any port of the range, or says that there is none left. */
function anyPort(operation: PortOperation): number {
  const port = operation.any();
  if (port === undefined) throw ApiError.internal(`failed to allocate a nodePort: ${full}`);
  return port;
}

/** Takes the port that one of the service's ports asks for, or says why it cannot be had. */
function takePort({ operation, refuse }: PortWrite, nodePort: number, index: number): number {
  const problem = operation.take(nodePort);
  if (problem === undefined) return nodePort;
  throw refuse(fieldErrors.invalid(portsPath.index(index).child("nodePort"), nodePort, problem));
}

/** The ports of a new service: one number serves the same port over several protocols, as of DNS. */
function initial(write: PortWrite): readonly ServicePort[] {
  const { spec, operation } = write;
  const given = spec.ports ?? [];
  const numbers = new Map<number, number>();
  return given.map((port, index) => {
    const { port: number, nodePort = 0 } = port;
    if (nodePort === 0 && !givesPorts(spec)) return port;
    const known = numbers.get(number);
    if (known === undefined) {
      const wanted = given.find((other) => other.port === number && other.nodePort)?.nodePort;
      const chosen = wanted ? takePort(write, wanted, index) : anyPort(operation);
      numbers.set(number, chosen);
      return { ...port, nodePort: chosen };
    }
    if (nodePort === 0) return { ...port, nodePort: known };
    if (nodePort !== known) takePort(write, nodePort, index);
    return port;
  });
}

/** The ports of a service that was there: what it had stays its own. */
function changed(write: PortWrite, old: ServiceSpec): readonly ServicePort[] {
  const { spec, operation } = write;
  const before = new Set(nodePortsOf(old));
  const claimed = new Set<number>();
  const seen = new Set<string>();
  const ports = (spec.ports ?? []).map((port, index) => {
    let { nodePort = 0 } = port;
    if (nodePort === 0 && !givesPorts(spec)) return port;
    if (nodePort === 0) nodePort = anyPort(operation);
    else if (!before.has(nodePort) && !claimed.has(nodePort)) {
      claimed.add(takePort(write, nodePort, index));
    }
    const use = `{${port.protocol} ${nodePort}}`;
    if (seen.has(use)) {
      throw new ApiError({ message: `duplicate nodePort: ${use}`, reason: "", code: 500 });
    }
    seen.add(use);
    return port.nodePort === nodePort ? port : { ...port, nodePort };
  });
  const kept = new Set(nodePortsOf({ ports }));
  for (const port of before) if (!kept.has(port)) operation.releaseLater(port);
  return ports;
}

function withHealthPort(spec: ServiceSpec, operation: PortOperation): ServiceSpec {
  const wanted = spec.healthCheckNodePort ?? 0;
  if (wanted === 0) {
    const port = operation.any();
    if (port === undefined) throw ApiError.internal(`failed to allocate a HealthCheck NodePort 0: ${full}`);
    return { ...spec, healthCheckNodePort: port };
  }
  const problem = operation.take(wanted);
  if (problem === undefined) return spec;
  throw ApiError.internal(`failed to allocate requested HealthCheck NodePort ${wanted}: ${problem}`);
}
