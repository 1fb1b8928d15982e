import type { Node, Pod } from "../api/types/core-v1.ts";
import type { ClusterView, Snapshot } from "./framework.ts";
import { NodeInfo } from "./node-info.ts";
import { PodIndex } from "./pod-index.ts";

/** A cluster without namespaces, owners and volumes. */
export const emptyCluster: ClusterView = {
  namespaceLabels: () => undefined,
  namespacesMatching: () => [],
  spreadSelector: () => undefined,
  claim: () => undefined,
  volume: () => undefined,
  volumes: () => [],
  storageClass: () => undefined,
};

/**
 * Nodes and the pods on them. A pod is assumed on its node from the moment it is chosen until the API server says
 * so, so that the next pod already counts it.
 */
export class SchedulerCache implements Snapshot {
  readonly cluster: ClusterView;
  readonly pods = new PodIndex();
  private readonly infos = new Map<string, NodeInfo>();
  private readonly assumed = new Set<string>();
  /** Where each pod counts now, by its uid. */
  private readonly places = new Map<string, NodeInfo>();
  private readonly affine = new Set<NodeInfo>();
  private readonly averse = new Set<NodeInfo>();
  private readonly images = new Map<string, number>();
  private readonly nominations = new Map<string, Map<string, Pod>>();
  private readonly nominatedTo = new Map<string, string>();
  private softTaints = 0;
  private ordered: readonly NodeInfo[] | undefined;

  constructor(cluster: ClusterView = emptyCluster) {
    this.cluster = cluster;
  }

  /** Nodes whose object is known, in a stable order. */
  get nodes(): readonly NodeInfo[] {
    this.ordered ??= [...this.infos.values()].filter(({ node }) => node !== undefined);
    return this.ordered;
  }

  get nodesWithAffinity(): Iterable<NodeInfo> {
    return this.affine;
  }

  get nodesWithRequiredAntiAffinity(): Iterable<NodeInfo> {
    return this.averse;
  }

  get hasSoftTaints(): boolean {
    return this.softTaints > 0;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.infos.get(name);
    return info?.node === undefined ? undefined : info;
  }

  nodesWithImage(image: string): number {
    return this.images.get(image) ?? 0;
  }

  setNode(node: Node): void {
    const info = this.infoOf(node.metadata.name);
    if (info.node === undefined) this.ordered = undefined;
    this.countNode(info.node, -1);
    this.countNode(node, 1);
    info.node = node;
  }

  removeNode(name: string): void {
    const info = this.infos.get(name);
    if (info === undefined) return;
    this.countNode(info.node, -1);
    info.node = undefined;
    this.ordered = undefined;
    if (info.podCount === 0) this.infos.delete(name);
  }

  /** Counts a pod on its node as the API server shows it. */
  setPod(pod: Pod): void {
    this.assumed.delete(pod.metadata.uid);
    this.place(pod);
  }

  removePod(pod: Pod): void {
    this.assumed.delete(pod.metadata.uid);
    this.displace(pod);
  }

  /** Counts the pod on the node chosen for it; answers the pod with its node set. */
  assume(pod: Pod, nodeName: string): Pod {
    const placed: Pod = { ...pod, spec: { ...pod.spec, nodeName } };
    this.assumed.add(pod.metadata.uid);
    this.place(placed);
    return placed;
  }

  /** Takes back an assumption whose binding failed. */
  forget(pod: Pod): void {
    if (this.assumed.delete(pod.metadata.uid)) this.displace(pod);
  }

  isAssumed(pod: Pod): boolean {
    return this.assumed.has(pod.metadata.uid);
  }

  nominatedOn(node: string): Iterable<Pod> | undefined {
    return this.nominations.size === 0 ? undefined : this.nominations.get(node)?.values();
  }

  /** Notes which node the pod waits for; "" for none. */
  nominate(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata;
    const before = this.nominatedTo.get(uid);
    if (before !== undefined) {
      const there = this.nominations.get(before);
      there?.delete(uid);
      if (there?.size === 0) this.nominations.delete(before);
      this.nominatedTo.delete(uid);
    }
    if (nodeName === "") return;
    let pods = this.nominations.get(nodeName);
    if (pods === undefined) this.nominations.set(nodeName, (pods = new Map()));
    pods.set(uid, pod);
    this.nominatedTo.set(uid, nodeName);
  }

  private place(pod: Pod): void {
    const { uid } = pod.metadata;
    const before = this.places.get(uid);
    const info = this.infoOf(pod.spec.nodeName ?? "");
    if (before === info && info.replace(pod)) return;
    if (before !== undefined) this.take(pod, before);
    this.places.set(uid, info);
    info.add(pod);
    this.pods.change(pod, { node: info, sign: 1 });
    this.track(info);
  }

  private displace(pod: Pod): void {
    const info = this.places.get(pod.metadata.uid);
    if (info === undefined) return;
    this.places.delete(pod.metadata.uid);
    this.take(pod, info);
    if (info.node === undefined && info.podCount === 0) this.infos.delete(info.name);
  }

  private take(pod: Pod, info: NodeInfo): void {
    const counted = info.remove(pod);
    if (counted !== undefined) this.pods.change(counted, { node: info, sign: -1 });
    this.track(info);
  }

  private track(info: NodeInfo): void {
    if (info.podsWithAffinity.size > 0) this.affine.add(info);
    else this.affine.delete(info);
    if (info.podsWithRequiredAntiAffinity.size > 0) this.averse.add(info);
    else this.averse.delete(info);
  }

  private countNode(node: Node | undefined, sign: 1 | -1): void {
    if (node?.spec.taints?.some(({ effect }) => effect === "PreferNoSchedule")) this.softTaints += sign;
    for (const { names = [] } of node?.status.images ?? []) {
      for (const name of names) {
        const count = (this.images.get(name) ?? 0) + sign;
        if (count > 0) this.images.set(name, count);
        else this.images.delete(name);
      }
    }
  }

  private infoOf(name: string): NodeInfo {
    let info = this.infos.get(name);
    if (info === undefined) {
      info = new NodeInfo(name);
      this.infos.set(name, info);
    }
    return info;
  }
}
