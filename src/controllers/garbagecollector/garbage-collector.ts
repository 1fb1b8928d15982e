import type { Milliseconds } from "../../base/index.ts";
import { ApiError, apiVersionOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, ObjectKey, OwnerReference, Resource } from "../../apimachinery/index.ts";
import { settled, watch } from "../framework/index.ts";
import type { CatalogEntry, Controller, ControllerContext, Outcome, Wake } from "../framework/index.ts";
import { OwnerGraph } from "./graph.ts";
import type { GraphNode } from "./graph.ts";
import { foregroundFinalizer, orphanFinalizer, planCollection } from "./plan.ts";
import type { CollectionPlan, OwnerState, Subject } from "./plan.ts";

/** Resources whose objects come and go too fast to be worth following; upstream ignores them too. */
const ignored = new Set(["events", "events.events.k8s.io"]);
const workers = 20;
/** What cannot be seen by then is left out: owners are looked up before anything is deleted. */
const longestSync: Milliseconds = 30_000;

/** Whether objects of a resource are followed: they can be seen, and deleted. */
const isCollected = ({ resource: { group, plural }, verbs }: CatalogEntry): boolean =>
  ["delete", "list", "watch"].every((verb) => verbs.includes(verb)) &&
  !ignored.has(group === "" ? plural : `${plural}.${group}`);

/** Deletes what has lost all its owners, and carries out deletions in the foreground and orphaning. Keys are uids. */
export function garbageCollector(context: ControllerContext): Controller {
  return new GarbageCollector(context);
}

class GarbageCollector implements Controller {
  readonly name = "garbage-collector";
  readonly workers = workers;
  readonly watches;
  private readonly context: ControllerContext;
  private readonly graph = new OwnerGraph();

  constructor(context: ControllerContext) {
    this.context = context;
    this.watches = [
      {
        whenSynced: (signal: AbortSignal) => this.whenSynced(signal),
        connect: (wake: Wake) => this.connect(wake),
      },
    ];
  }

  async reconcile({ name: uid }: ObjectKey): Promise<Outcome> {
    const node = this.graph.get(uid);
    if (!node) return settled;
    if (node.seen === undefined) {
      if (!(await this.exists(node))) this.forget(uid);
      return settled;
    }
    const plan = planCollection(await this.subjectOf(node));
    await this.perform(node, plan);
    return settled;
  }

  private wake: Wake = () => undefined;

  /** Follows every resource that can be listed, watched and deleted, as the catalog changes. */
  private connect(wake: Wake): () => void {
    this.wake = wake;
    const followed = new Map<string, () => void>();
    const { catalog } = this.context.settings;
    const nameOf = (resource: Resource) => `${resource.plural}.${apiVersionOf(resource)}`;
    const follow = (entry: CatalogEntry) => {
      const { resource } = entry;
      const name = nameOf(resource);
      if (isCollected(entry) && !followed.has(name)) followed.set(name, this.follow(resource));
    };
    const leave = (resource: Resource) => {
      const name = nameOf(resource);
      followed.get(name)?.();
      if (followed.delete(name)) this.context.informers.drop(resource);
    };
    const unsubscribe = catalog.onChange(({ type, entry }) => {
      if (type === "added") follow(entry);
      else leave(entry.resource);
    });
    for (const entry of catalog.list()) follow(entry);
    return () => {
      unsubscribe();
      for (const end of followed.values()) end();
    };
  }

  private resources(): readonly Resource[] {
    return this.context.settings.catalog
      .list()
      .filter(isCollected)
      .map(({ resource }) => resource);
  }

  private follow(resource: Resource): () => void {
    const apiVersion = apiVersionOf(resource);
    const source = watch(this.context.informers.informer(resource), ({ type, object }) => {
      const concerned =
        type === "deleted"
          ? this.graph.remove(object.metadata.uid)
          : this.graph.put(resource, object, { apiVersion });
      for (const uid of concerned) this.wake({ name: uid });
    });
    return source.connect(() => undefined);
  }

  private async whenSynced(signal: AbortSignal): Promise<void> {
    const { informers, clock } = this.context;
    const synced = this.resources().map((resource) => informers.informer(resource).whenSynced(signal));
    await new Promise<void>((resolve, reject) => {
      const late = clock.after(longestSync, resolve);
      Promise.all(synced)
        .finally(() => late.cancel())
        .then(() => resolve(), reject);
    });
  }

  private forget(uid: string): void {
    for (const concerned of this.graph.remove(uid)) this.wake({ name: concerned });
  }

  private async subjectOf(node: GraphNode): Promise<Subject> {
    const { metadata } = node.seen?.object ?? { metadata: undefined };
    const deleting = metadata?.deletionTimestamp !== undefined;
    const owners: { reference: OwnerReference; state: OwnerState }[] = [];
    if (!deleting) {
      for (const reference of this.graph.ownersOf(node)) {
        owners.push({ reference, state: await this.stateOf(node, reference) });
      }
    }
    const dependents = this.graph.dependentsOf(node.uid);
    const blockers = dependents.filter((dependent) =>
      this.graph
        .ownersOf(dependent)
        .some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion),
    );
    return {
      finalizers: metadata?.finalizers ?? [],
      deleting,
      owners,
      hasDependents: dependents.length > 0,
      dependentWaits: dependents.some(({ seen }) => seen && waits(seen.object)),
      blockers: blockers.map(({ uid, seen }) => ({
        uid,
        deleting: seen?.object.metadata.deletionTimestamp !== undefined,
      })),
    };
  }

  private async stateOf(dependent: GraphNode, reference: OwnerReference): Promise<OwnerState> {
    const node = this.graph.get(reference.uid);
    const { seen } = node ?? {};
    const fits =
      seen && seen.resource.kind === reference.kind && seen.object.metadata.name === reference.name;
    if (node && seen && fits && this.reaches(dependent, node)) {
      return waits(seen.object) ? "waitingForDependents" : "present";
    }
    const { namespace } = dependent.key;
    const key = { ...(namespace === undefined ? {} : { namespace }), name: reference.name };
    return (await this.exists({ ...reference, key })) ? "present" : "absent";
  }

  /** Owners are of the dependent's namespace, or of none. */
  private reaches(dependent: GraphNode, owner: GraphNode): boolean {
    return owner.key.namespace === undefined || owner.key.namespace === dependent.key.namespace;
  }

  /** Asks the server whether an owner is there. Of an unknown kind nothing can be said: the throw means ask again. */
  private async exists(owner: {
    apiVersion: string;
    kind: string;
    key: ObjectKey;
    uid: string;
  }): Promise<boolean> {
    const resource = this.resourceOf(owner);
    if (resource === undefined) {
      throw ApiError.internal(`unable to get REST mapping for ${owner.apiVersion}/${owner.kind}.`);
    }
    const { namespace, name } = owner.key;
    if (resource.namespaced && namespace === undefined) return false;
    try {
      const found = await this.context.client.get(
        resource,
        resource.namespaced ? { namespace, name } : { name },
      );
      return found.metadata.uid === owner.uid;
    } catch (error) {
      if (ApiError.is(error, "NotFound")) return false;
      throw error;
    }
  }

  private resourceOf(owner: { apiVersion: string; kind: string }): Resource | undefined {
    const group = owner.apiVersion.includes("/") ? owner.apiVersion.split("/")[0] : "";
    const ofKind = this.context.settings.catalog
      .list()
      .filter(({ resource }) => resource.kind === owner.kind && resource.group === group)
      .map(({ resource }) => resource);
    return ofKind.find((resource) => apiVersionOf(resource) === owner.apiVersion) ?? ofKind[0];
  }

  private async perform(node: GraphNode, plan: CollectionPlan): Promise<void> {
    switch (plan.type) {
      case "keep":
        return;
      case "disown":
        return this.disown(node, plan.uids);
      case "unblockOwners":
        return this.unblockOwners(node);
      case "delete":
        return this.delete(node, plan.policy);
      case "orphanDependents":
        for (const dependent of this.graph.dependentsOf(node.uid)) await this.disown(dependent, [node.uid]);
        return this.removeFinalizer(node, orphanFinalizer);
      case "finishForeground":
        return this.removeFinalizer(node, foregroundFinalizer);
      case "deleteBlockers":
        for (const uid of plan.uids) this.wake({ name: uid });
        return;
    }
  }

  private disown(node: GraphNode, uids: readonly string[]): Promise<void> {
    return this.rewrite(node, ({ ownerReferences = [] }) => {
      const kept = ownerReferences.filter(({ uid }) => !uids.includes(uid));
      return kept.length === ownerReferences.length
        ? undefined
        : { ownerReferences: kept.length ? kept : null };
    });
  }

  private unblockOwners(node: GraphNode): Promise<void> {
    return this.rewrite(node, ({ ownerReferences = [] }) =>
      ownerReferences.some(({ blockOwnerDeletion }) => blockOwnerDeletion)
        ? { ownerReferences: ownerReferences.map((owner) => ({ ...owner, blockOwnerDeletion: false })) }
        : undefined,
    );
  }

  private removeFinalizer(node: GraphNode, finalizer: string): Promise<void> {
    return this.rewrite(node, ({ finalizers = [] }) => {
      const kept = finalizers.filter((entry) => entry !== finalizer);
      return kept.length === finalizers.length ? undefined : { finalizers: kept.length ? kept : null };
    });
  }

  /** Patches metadata as last seen by the server, so that nothing others wrote is lost. */
  private async rewrite(
    node: GraphNode,
    change: (metadata: KubernetesObject["metadata"]) => object | undefined,
  ): Promise<void> {
    const { client } = this.context;
    if (node.seen === undefined) return;
    const { resource } = node.seen;
    try {
      const { metadata } = await client.get(resource, node.key);
      const changed = metadata.uid === node.uid ? change(metadata) : undefined;
      if (changed === undefined) return;
      const { uid, resourceVersion } = metadata;
      const body = { metadata: { uid, resourceVersion, ...changed } };
      await client.patch(resource, node.key, { type: "merge", body });
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
    }
  }

  private async delete(
    node: GraphNode,
    propagationPolicy: "Orphan" | "Background" | "Foreground",
  ): Promise<void> {
    if (node.seen === undefined) return;
    const { resource } = node.seen;
    try {
      // The view may be old: an owner added meanwhile changes the version, and the deletion is refused.
      const live = await this.context.client.get(resource, node.key);
      const same =
        JSON.stringify(live.metadata.ownerReferences) === JSON.stringify(this.graph.ownersOf(node));
      if (live.metadata.uid !== node.uid || !same) return;
      const preconditions = { uid: node.uid, resourceVersion: live.metadata.resourceVersion };
      await this.context.client.delete(resource, node.key, { propagationPolicy, preconditions });
    } catch (error) {
      if (!ApiError.is(error, "NotFound")) throw error;
    }
  }
}

/** Whether the object is going and waits for its dependents. */
function waits({ metadata: { deletionTimestamp, finalizers = [] } }: KubernetesObject): boolean {
  return deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer);
}
