import type { ContainerPort, Node, Pod } from "../api/types/core-v1.ts";
import { addTo, amountsOf, requestOf, type Amounts } from "./resources.ts";

/** A node with the pods bound or about to be bound to it, and their sums kept as they come and go. */
export class NodeInfo {
  readonly name: string;
  readonly requested: Record<string, number> = {};
  readonly scored: Record<string, number> = {};
  private readonly podsByUid = new Map<string, Pod>();
  private readonly ports = new Map<string, number>();
  private readonly affine = new Map<string, Pod>();
  private readonly averse = new Map<string, Pod>();
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
    if (node?.status.allocatable !== this.current?.status.allocatable || this.current === undefined)
      this.currentAllocatable = amountsOf(node?.status.allocatable);
    this.current = node;
  }

  get allocatable(): Amounts {
    return this.currentAllocatable;
  }

  get pods(): Iterable<Pod> {
    return this.podsByUid.values();
  }

  get podCount(): number {
    return this.podsByUid.size;
  }

  /** Pods with affinity or anti-affinity to pods, required or preferred. */
  get podsWithAffinity(): ReadonlyMap<string, Pod> {
    return this.affine;
  }

  get podsWithRequiredAntiAffinity(): ReadonlyMap<string, Pod> {
    return this.averse;
  }

  add(pod: Pod): void {
    this.remove(pod);
    this.podsByUid.set(pod.metadata.uid, pod);
    this.count(pod, 1);
  }

  /** Answers the version of the pod that was counted. */
  remove({ metadata: { uid } }: Pod): Pod | undefined {
    const present = this.podsByUid.get(uid);
    if (present === undefined) return undefined;
    this.podsByUid.delete(uid);
    this.count(present, -1);
    return present;
  }

  /** Takes the new version of a pod if it counts the same as the one before; answers whether it did. */
  replace(pod: Pod): boolean {
    const { uid } = pod.metadata;
    const present = this.podsByUid.get(uid);
    if (present === undefined || !countsAlike(present, pod)) return false;
    this.podsByUid.set(uid, pod);
    if (this.affine.has(uid)) this.affine.set(uid, pod);
    if (this.averse.has(uid)) this.averse.set(uid, pod);
    return true;
  }

  /** Whether a port of the host that the pod asks for is in use here. */
  hasPortConflict(wanted: readonly ContainerPort[]): boolean {
    return wanted.some((port) => {
      const { address, suffix } = portKey(port);
      if (address === anyAddress) return this.ports.has(everyUser + suffix);
      return this.ports.has(address + suffix) || this.ports.has(anyAddress + suffix);
    });
  }

  /** A copy to try additions and removals on, as preemption does. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.name);
    copy.node = this.current;
    for (const pod of this.podsByUid.values()) copy.add(pod);
    return copy;
  }

  private count(pod: Pod, sign: 1 | -1): void {
    const { requested, scored } = requestOf(pod);
    addTo(this.requested, requested, sign);
    addTo(this.scored, scored, sign);
    for (const port of hostPorts(pod)) {
      const { address, suffix } = portKey(port);
      this.countPort(address + suffix, sign);
      this.countPort(everyUser + suffix, sign);
    }
    const { uid } = pod.metadata;
    const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
    if (podAffinity !== undefined || podAntiAffinity !== undefined) track(this.affine, { uid, pod, sign });
    if (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length)
      track(this.averse, { uid, pod, sign });
  }

  private countPort(key: string, sign: 1 | -1): void {
    const users = (this.ports.get(key) ?? 0) + sign;
    if (users > 0) this.ports.set(key, users);
    else this.ports.delete(key);
  }
}

function track(pods: Map<string, Pod>, { uid, pod, sign }: { uid: string; pod: Pod; sign: 1 | -1 }): void {
  if (sign === 1) pods.set(uid, pod);
  else pods.delete(uid);
}

/** Most versions of a pod differ in status only and share the rest. */
function countsAlike(one: Pod, other: Pod): boolean {
  return (
    one.spec.containers === other.spec.containers &&
    one.spec.initContainers === other.spec.initContainers &&
    one.spec.affinity === other.spec.affinity &&
    one.spec.resources === other.spec.resources &&
    one.spec.overhead === other.spec.overhead &&
    one.metadata.labels === other.metadata.labels &&
    one.metadata.deletionTimestamp === other.metadata.deletionTimestamp
  );
}

const anyAddress = "*";
const everyUser = "#";

function portKey({ hostIP = "", hostPort, protocol = "TCP" }: ContainerPort) {
  const every = hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::";
  return { address: every ? anyAddress : hostIP, suffix: `/${protocol}/${hostPort}` };
}

const noPorts: readonly ContainerPort[] = [];

/** Ports of the host that the pod's containers and sidecars ask for. */
export function hostPorts({ spec }: Pod): readonly ContainerPort[] {
  const sidecars = spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always") ?? [];
  let found: ContainerPort[] | undefined;
  for (const { ports } of [...spec.containers, ...sidecars]) {
    for (const port of ports ?? []) if ((port.hostPort ?? 0) > 0) (found ??= []).push(port);
  }
  return found ?? noPorts;
}
