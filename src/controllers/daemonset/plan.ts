import type { Milliseconds } from "../../base/index.ts";
import type { Node, Pod } from "../../api/types/core-v1.ts";
import type { DaemonSet, DaemonSetStatus } from "../../api/types/apps-v1.ts";
import { availableAt, isReady, revisionHashLabel, scaledValue, timeOf } from "../framework/index.ts";
import { fitsNode } from "./nodes.ts";

export interface DaemonPlan {
  /** Names of nodes that lack a daemon. */
  readonly create: readonly string[];
  readonly delete: readonly Pod[];
  readonly status: DaemonSetStatus;
  readonly wakeIn?: Milliseconds;
}

/** The node that a daemon's pod is on, or is meant for. */
export function nodeOf(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const field = matchFields.find(({ key, operator }) => key === "metadata.name" && operator === "In");
    if (field?.values?.length === 1) return field.values[0];
  }
  return undefined;
}

function groupByNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    const name = nodeOf(pod) ?? "";
    const group = groups.get(name);
    if (group) group.push(pod);
    else groups.set(name, [pod]);
  }
  return groups;
}

/** One daemon on each node that is to have one, of the present template as fast as the strategy allows. */
export function planDaemonSet(
  set: DaemonSet,
  state: {
    readonly nodes: readonly Node[];
    readonly pods: readonly Pod[];
    readonly hash: string;
    readonly now: Milliseconds;
  },
): DaemonPlan {
  const { nodes, pods, now } = state;
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const byNode = groupByNode(pods);
  const isAvailable = (pod: Pod) => (availableAt(pod, minReadySeconds) ?? Infinity) <= now;
  const isUpdated = (pod: Pod) => pod.metadata.labels?.[revisionHashLabel] === state.hash;
  const create: string[] = [];
  const remove: Pod[] = [];
  const kept = new Map<string, Pod>();
  const surging = new Map<string, Surging>();
  const surge = surgeOf(set, nodes);
  let wanted = 0;
  let misscheduled = 0;
  for (const node of nodes) {
    const { name } = node.metadata;
    const here = [...(byNode.get(name) ?? [])].sort(
      (a, b) =>
        Number(isReady(b)) - Number(isReady(a)) ||
        timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp),
    );
    const alive = here.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const { run, stay } = fitsNode(set.spec.template, node);
    if (run) wanted++;
    else if (here.length > 0) misscheduled++;
    if (!stay) {
      remove.push(...alive);
      continue;
    }
    const failed = alive.filter(({ status }) => status?.phase === "Failed" || status?.phase === "Succeeded");
    const sound = alive.filter((pod) => !failed.includes(pod));
    const next = surge > 0 ? sound.find((pod) => isUpdated(pod)) : undefined;
    const [first, ...doubles] = surge > 0 ? sound.filter((pod) => !isUpdated(pod)) : sound;
    remove.push(...failed, ...doubles);
    if (surge > 0) remove.push(...sound.filter((pod) => isUpdated(pod) && pod !== next));
    if (first && surge > 0) surging.set(name, { old: first, next });
    else if (first) kept.set(name, first);
    else if (next) kept.set(name, next);
    // A daemon that is going keeps its place until it has gone.
    else if (run && here.length === 0) create.push(name);
  }
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  for (const [name, orphaned] of byNode) {
    if (known.has(name)) continue;
    remove.push(...orphaned.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
  }
  const surged = planSurge(surging, { surge, isAvailable });
  create.push(...surged.create);
  remove.push(...surged.delete);
  remove.push(...planUpdate(set, { kept, wanted, isAvailable, isUpdated }));
  const daemons = nodes
    .filter((node) => fitsNode(set.spec.template, node).run)
    .flatMap(({ metadata }) => byNode.get(metadata.name)?.slice(0, 1) ?? []);
  const available = daemons.filter((pod) => isAvailable(pod)).length;
  const { collisionCount, conditions } = set.status ?? {};
  const waits = daemons
    .map((pod) => (availableAt(pod, minReadySeconds) ?? 0) - now)
    .filter((wait) => wait > 0);
  return {
    create,
    delete: remove,
    ...(waits.length > 0 ? { wakeIn: Math.min(...waits) } : {}),
    status: {
      currentNumberScheduled: daemons.length,
      numberMisscheduled: misscheduled,
      desiredNumberScheduled: wanted,
      numberReady: daemons.filter((pod) => isReady(pod)).length,
      observedGeneration: set.metadata.generation ?? 0,
      updatedNumberScheduled: daemons.filter((pod) => isUpdated(pod)).length,
      numberAvailable: available,
      numberUnavailable: wanted - available,
      ...(collisionCount === undefined ? {} : { collisionCount }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}

interface Surging {
  readonly old: Pod;
  /** Its successor beside it. */
  readonly next: Pod | undefined;
}

/** How many nodes may have two daemons while the template changes; 0 if daemons are replaced one after the other. */
function surgeOf(set: DaemonSet, nodes: readonly Node[]): number {
  if (set.spec.updateStrategy?.type === "OnDelete") return 0;
  const { maxSurge } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const total = nodes.filter((node) => fitsNode(set.spec.template, node).run).length;
  return scaledValue(maxSurge, { total, round: "up" });
}

/** Successors beside old daemons, as many as may surge; an old one goes when its successor is available. */
function planSurge(
  surging: ReadonlyMap<string, Surging>,
  { surge, isAvailable }: { readonly surge: number; readonly isAvailable: (pod: Pod) => boolean },
): { readonly create: readonly string[]; readonly delete: readonly Pod[] } {
  const broken: string[] = [];
  const candidates: string[] = [];
  const remove: Pod[] = [];
  let running = 0;
  for (const [node, { old, next }] of surging) {
    if (next && isAvailable(next)) remove.push(old);
    else if (next) running++;
    else if (isAvailable(old)) candidates.push(node);
    else broken.push(node);
  }
  return { create: [...broken, ...candidates.slice(0, Math.max(0, surge - running))], delete: remove };
}

/** Old daemons that may go now: those unavailable anyway, then as many as may be missing. */
function planUpdate(
  set: DaemonSet,
  state: {
    readonly kept: ReadonlyMap<string, Pod>;
    readonly wanted: number;
    readonly isAvailable: (pod: Pod) => boolean;
    readonly isUpdated: (pod: Pod) => boolean;
  },
): readonly Pod[] {
  if (set.spec.updateStrategy?.type === "OnDelete") return [];
  const { maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const limit = Math.max(1, scaledValue(maxUnavailable, { total: state.wanted, round: "up" }));
  const pods = [...state.kept.values()];
  const old = pods.filter((pod) => !state.isUpdated(pod));
  const broken = old.filter((pod) => !state.isAvailable(pod));
  const missing = state.wanted - pods.filter((pod) => state.isAvailable(pod)).length;
  const allowed = Math.max(0, limit - missing);
  return [...broken, ...old.filter((pod) => state.isAvailable(pod)).slice(0, allowed)];
}
