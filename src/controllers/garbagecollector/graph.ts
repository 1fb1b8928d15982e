import type { KubernetesObject, ObjectKey, OwnerReference, Resource } from "../../apimachinery/index.ts";

/** An object as the graph knows it: who owns it, and whom it owns. */
export interface GraphNode {
  readonly uid: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly key: ObjectKey;
  /** Absent for an owner that was only named, and not seen yet. */
  readonly seen?: { readonly resource: Resource; readonly object: KubernetesObject };
  readonly dependents: Set<string>;
}

/** Who owns whom, kept by uid as objects come and go. */
export class OwnerGraph {
  private readonly nodes = new Map<string, GraphNode>();

  get(uid: string): GraphNode | undefined {
    return this.nodes.get(uid);
  }

  ownersOf(node: GraphNode): readonly OwnerReference[] {
    return node.seen?.object.metadata.ownerReferences ?? [];
  }

  /** Enters an object; answers the uids that this may concern. */
  put(resource: Resource, object: KubernetesObject, identity: { apiVersion: string }): readonly string[] {
    const { uid, namespace, name } = object.metadata;
    const known = this.nodes.get(uid);
    const key = { ...(namespace ? { namespace } : {}), name };
    const dependents = known?.dependents ?? new Set<string>();
    const concerned = new Set<string>();
    const before = known ? this.ownersOf(known) : [];
    const after = object.metadata.ownerReferences ?? [];
    this.nodes.set(uid, {
      uid,
      ...identity,
      kind: resource.kind,
      key,
      seen: { resource, object },
      dependents,
    });
    const kept = new Set(after.map((owner) => owner.uid));
    for (const owner of before) if (!kept.has(owner.uid)) this.unlink(owner.uid, uid, concerned);
    for (const owner of after) this.link(owner, { uid, namespace }, concerned);
    const changes = known?.seen === undefined || differ(known.seen.object, object);
    if (changes && (after.length > 0 || object.metadata.deletionTimestamp !== undefined)) concerned.add(uid);
    // Whoever waits for this one to unblock it must look again.
    if (changes) for (const owner of after) if (this.isDeleting(owner.uid)) concerned.add(owner.uid);
    return [...concerned];
  }

  /** Takes an object out; answers the uids that this concerns: dependents, and owners that waited. */
  remove(uid: string): readonly string[] {
    const node = this.nodes.get(uid);
    if (!node) return [];
    this.nodes.delete(uid);
    const concerned = new Set(node.dependents);
    for (const owner of this.ownersOf(node)) this.unlink(owner.uid, uid, concerned);
    return [...concerned];
  }

  dependentsOf(uid: string): readonly GraphNode[] {
    const found: GraphNode[] = [];
    for (const dependent of this.nodes.get(uid)?.dependents ?? []) {
      const node = this.nodes.get(dependent);
      if (node) found.push(node);
    }
    return found;
  }

  private isDeleting(uid: string): boolean {
    return this.nodes.get(uid)?.seen?.object.metadata.deletionTimestamp !== undefined;
  }

  private link(
    owner: OwnerReference,
    of: { uid: string; namespace: string | undefined },
    concerned: Set<string>,
  ): void {
    let node = this.nodes.get(owner.uid);
    if (!node) {
      const { uid, apiVersion, kind, name } = owner;
      // The namespace is the dependent's, or none: which of them, the resource tells when it is looked up.
      const key = { ...(of.namespace ? { namespace: of.namespace } : {}), name };
      node = { uid, apiVersion, kind, key, dependents: new Set() };
      this.nodes.set(uid, node);
      concerned.add(uid);
    }
    node.dependents.add(of.uid);
  }

  private unlink(owner: string, dependent: string, concerned: Set<string>): void {
    const node = this.nodes.get(owner);
    if (!node) return;
    node.dependents.delete(dependent);
    if (node.seen === undefined && node.dependents.size === 0) this.nodes.delete(owner);
    else if (this.isDeleting(owner)) concerned.add(owner);
  }
}

/** Whether what garbage collection looks at has changed. */
function differ(a: KubernetesObject, b: KubernetesObject): boolean {
  const { metadata: x } = a;
  const { metadata: y } = b;
  return (
    x.deletionTimestamp !== y.deletionTimestamp ||
    !sameList(x.finalizers, y.finalizers) ||
    JSON.stringify(x.ownerReferences) !== JSON.stringify(y.ownerReferences)
  );
}

function sameList(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
