import { keyOf, keyString } from "../apimachinery/index.ts";
import type { Node, Pod } from "../api/types/core-v1.ts";
import type { Snapshot } from "./framework.ts";
import { NodeInfo } from "./node-info.ts";

/**
 * Nodes and the pods on them. A pod is assumed on its node from the moment it is chosen until the API server says
 * so, so that the next pod already counts it.
 */
export class SchedulerCache implements Snapshot {
  private readonly infos = new Map<string, NodeInfo>();
  private readonly assumed = new Map<string, Pod>();
  /** Where each pod counts now. */
  private readonly places = new Map<string, string>();
  private ordered: readonly NodeInfo[] | undefined;

  /** Nodes whose object is known, in a stable order. */
  get nodes(): readonly NodeInfo[] {
    this.ordered ??= [...this.infos.values()].filter(({ node }) => node !== undefined);
    return this.ordered;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.infos.get(name);
    return info?.node === undefined ? undefined : info;
  }

  setNode(node: Node): void {
    const info = this.infoOf(node.metadata.name);
    if (info.node === undefined) this.ordered = undefined;
    info.node = node;
  }

  removeNode(name: string): void {
    const info = this.infos.get(name);
    if (info === undefined) return;
    info.node = undefined;
    this.ordered = undefined;
    if (info.podCount === 0) this.infos.delete(name);
  }

  /** Counts a pod on its node as the API server shows it. */
  setPod(pod: Pod): void {
    const key = keyString(keyOf(pod));
    this.assumed.delete(key);
    this.place(key, pod);
  }

  removePod(pod: Pod): void {
    const key = keyString(keyOf(pod));
    this.assumed.delete(key);
    this.displace(key, pod);
  }

  /** Counts the pod on the node chosen for it; answers the pod with its node set. */
  assume(pod: Pod, nodeName: string): Pod {
    const placed: Pod = { ...pod, spec: { ...pod.spec, nodeName } };
    const key = keyString(keyOf(pod));
    this.assumed.set(key, placed);
    this.place(key, placed);
    return placed;
  }

  /** Takes back an assumption whose binding failed. */
  forget(pod: Pod): void {
    const key = keyString(keyOf(pod));
    const placed = this.assumed.get(key);
    if (placed === undefined) return;
    this.assumed.delete(key);
    this.displace(key, placed);
  }

  isAssumed(pod: Pod): boolean {
    return this.assumed.has(keyString(keyOf(pod)));
  }

  private place(key: string, pod: Pod): void {
    const nodeName = pod.spec.nodeName ?? "";
    const before = this.places.get(key);
    if (before !== undefined && before !== nodeName) this.infos.get(before)?.remove(pod);
    this.places.set(key, nodeName);
    this.infoOf(nodeName).add(pod);
  }

  private displace(key: string, pod: Pod): void {
    const nodeName = this.places.get(key);
    if (nodeName === undefined) return;
    this.places.delete(key);
    const info = this.infos.get(nodeName);
    info?.remove(pod);
    if (info !== undefined && info.node === undefined && info.podCount === 0) this.infos.delete(nodeName);
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
