import { keyOf, keyString } from "../apimachinery/index.ts";
import type { ContainerPort, Node, Pod } from "../api/types/core-v1.ts";
import { addTo, amountsOf, requestOf, type Amounts } from "./resources.ts";

/** A node with the pods bound or about to be bound to it, and their sums kept as they come and go. */
export class NodeInfo {
  readonly name: string;
  readonly requested: Record<string, number> = {};
  readonly scored: Record<string, number> = {};
  private readonly podsByKey = new Map<string, Pod>();
  private readonly ports = new Map<string, number>();
  private current: Node | undefined;
  private currentAllocatable: Amounts = {};

  constructor(name: string) {
    this.name = name;
  }

  /** The node's object; pods may be known before it. */
  get node(): Node | undefined {
    return this.current;
  }

  set node(node: Node | undefined) {
    this.current = node;
    this.currentAllocatable = amountsOf(node?.status.allocatable);
  }

  get allocatable(): Amounts {
    return this.currentAllocatable;
  }

  get pods(): Iterable<Pod> {
    return this.podsByKey.values();
  }

  get podCount(): number {
    return this.podsByKey.size;
  }

  add(pod: Pod): void {
    this.remove(pod);
    this.podsByKey.set(keyString(keyOf(pod)), pod);
    this.count(pod, 1);
  }

  remove(pod: Pod): void {
    const key = keyString(keyOf(pod));
    const present = this.podsByKey.get(key);
    if (present === undefined) return;
    this.podsByKey.delete(key);
    this.count(present, -1);
  }

  /** Whether a port of the host that the pod asks for is in use here. */
  hasPortConflict(wanted: readonly ContainerPort[]): boolean {
    return wanted.some((port) => {
      const address = port.hostIP ?? "";
      const every = address === "" || address === "0.0.0.0" || address === "::";
      const suffix = `/${port.protocol ?? "TCP"}/${port.hostPort}`;
      if (!every) return this.ports.has(address + suffix) || this.ports.has(anyAddress + suffix);
      return this.ports.has(everyUser + suffix);
    });
  }

  /** A copy to try removals on, as preemption does. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name);
    copy.node = this.current;
    for (const pod of this.podsByKey.values()) copy.add(pod);
    return copy;
  }

  private count(pod: Pod, sign: 1 | -1): void {
    const { requested, scored } = requestOf(pod);
    addTo(this.requested, requested, sign);
    addTo(this.scored, scored, sign);
    for (const port of hostPorts(pod)) {
      const address = port.hostIP ?? "";
      const every = address === "" || address === "0.0.0.0" || address === "::";
      const suffix = `/${port.protocol ?? "TCP"}/${port.hostPort}`;
      this.countPort((every ? anyAddress : address) + suffix, sign);
      this.countPort(everyUser + suffix, sign);
    }
  }

  private countPort(key: string, sign: 1 | -1): void {
    const users = (this.ports.get(key) ?? 0) + sign;
    if (users > 0) this.ports.set(key, users);
    else this.ports.delete(key);
  }
}

const anyAddress = "*";
const everyUser = "#";

/** Ports of the host that the pod's containers ask for. */
export function hostPorts(pod: Pod): ContainerPort[] {
  return pod.spec.containers.flatMap(({ ports }) => ports?.filter((port) => (port.hostPort ?? 0) > 0) ?? []);
}
