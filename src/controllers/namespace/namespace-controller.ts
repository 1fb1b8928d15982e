import { ApiError, timestampOf } from "../../apimachinery/index.ts";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { Client } from "../../api/index.ts";
import { Namespace, Pod } from "../../api/types/core-v1.ts";
import type { NamespaceCondition } from "../../api/types/core-v1.ts";
import { again, equalJson, settled, watch, watchItself } from "../framework/index.ts";
import type { CatalogEntry, Controller, ControllerContext } from "../framework/index.ts";

/** Content that is still there, of one resource. */
export interface Remainder {
  /** `plural.group` as upstream writes it, with a trailing dot for the core group. */
  readonly resource: string;
  readonly count: number;
  readonly finalizers: readonly string[];
}

const recheckAfter = 2_000;

/** Empties namespaces that are being deleted, then lets them go. */
export function namespaceController(context: ControllerContext): Controller {
  const { client, clock } = context;
  const namespaces = context.informers.informer(Namespace);
  const pods = context.informers.informer(Pod);
  return {
    name: "namespace",
    workers: 10,
    watches: [
      watchItself(namespaces),
      watch(pods, ({ type, object }, wake) => {
        const name = object.metadata.namespace ?? "";
        if (type === "deleted" && namespaces.get({ name })?.metadata.deletionTimestamp) wake({ name });
      }),
    ],
    async reconcile(key, signal) {
      const namespace = namespaces.get(key);
      if (namespace?.metadata.deletionTimestamp === undefined) return settled;
      if (!namespace.spec?.finalizers?.includes("kubernetes")) return settled;
      const emptied = await emptyNamespace(namespace, { context, signal });
      const fresh = await client.get(Namespace, key);
      const timestamp = timestampOf(clock.now());
      const conditions = planConditions(fresh.status?.conditions, { ...emptied, timestamp });
      const status = { ...fresh.status, phase: "Terminating" as const, conditions };
      const told = equalJson(status, fresh.status)
        ? fresh
        : await client.update<Namespace>(Namespace, { ...fresh, status }, { subresource: "status" });
      if (!isEmptied(emptied)) return again(recheckAfter);
      const finalizers = (told.spec?.finalizers ?? []).filter((finalizer) => finalizer !== "kubernetes");
      const spec = { ...told.spec, finalizers };
      await client.update<Namespace>(Namespace, { ...told, spec }, { subresource: "finalize" });
      return settled;
    },
  };
}

/** What could not be removed, and why not. */
interface Emptied {
  readonly remaining: readonly Remainder[];
  readonly failures: readonly string[];
  /** Group versions of which nobody knows what they hold. */
  readonly undiscovered: readonly string[];
}

const isEmptied = ({ remaining, failures, undiscovered }: Emptied) =>
  remaining.length === 0 && failures.length === 0 && undiscovered.length === 0;

/** Pods go first: what they use must outlive them. */
async function emptyNamespace(
  { metadata: { name } }: Namespace,
  { context, signal }: { context: ControllerContext; signal: AbortSignal },
): Promise<Emptied> {
  const { catalog } = context.settings;
  const undiscovered = catalog.stale();
  const entries = catalog
    .list()
    .filter(
      ({ resource, verbs }) => resource.namespaced && verbs.includes("delete") && verbs.includes("list"),
    );
  const isPods = ({ resource }: CatalogEntry) => resource.group === "" && resource.plural === "pods";
  const of = { client: context.client, name, signal };
  const first = await emptyAll(
    entries.filter((entry) => isPods(entry)),
    of,
  );
  if (first.remaining.length > 0 || first.failures.length > 0) return { ...first, undiscovered };
  const others = await emptyAll(
    entries.filter((entry) => !isPods(entry)),
    of,
  );
  return { ...others, undiscovered };
}

async function emptyAll(
  entries: readonly CatalogEntry[],
  of: { client: Client; name: string; signal: AbortSignal },
): Promise<Omit<Emptied, "undiscovered">> {
  const remaining: Remainder[] = [];
  const failures: string[] = [];
  for (const entry of entries) {
    try {
      const left = await emptyResource(entry, of);
      if (left) remaining.push(left);
    } catch (error) {
      if (of.signal.aborted) throw error;
      if (!ApiError.is(error, "NotFound") && !ApiError.is(error, "MethodNotAllowed")) {
        failures.push(ApiError.from(error).message);
      }
    }
  }
  return { remaining, failures };
}

async function emptyResource(
  { resource, verbs }: CatalogEntry,
  { client, name: namespace }: { client: Client; name: string },
): Promise<Remainder | undefined> {
  const selection = { namespace };
  const before = (await client.list<KubernetesObject>(resource, selection)).items;
  if (before.length === 0) return undefined;
  if (verbs.includes("deletecollection")) {
    await client.deleteCollection(resource, selection, { propagationPolicy: "Background" });
  } else {
    for (const { metadata } of before) {
      const key = { namespace, name: metadata.name };
      await client.delete(resource, key, { propagationPolicy: "Background" });
    }
  }
  const left = (await client.list<KubernetesObject>(resource, selection)).items;
  if (left.length === 0) return undefined;
  const finalizers = left.flatMap(({ metadata }) => metadata.finalizers ?? []);
  return { resource: `${resource.plural}.${resource.group}`, count: left.length, finalizers };
}

/** The five conditions of a namespace that is going. */
export function planConditions(
  old: readonly NamespaceCondition[] | undefined,
  state: Emptied & { readonly timestamp: string },
): readonly NamespaceCondition[] {
  const { remaining, failures, undiscovered, timestamp } = state;
  const perFinalizer = new Map<string, number>();
  for (const { finalizers } of remaining) {
    for (const finalizer of finalizers) perFinalizer.set(finalizer, (perFinalizer.get(finalizer) ?? 0) + 1);
  }
  const contents = remaining
    .map(({ resource, count }) => `${resource} has ${count} resource instances`)
    .sort();
  const finalizers = [...perFinalizer]
    .map(([name, count]) => `${name} in ${count} resource instances`)
    .sort();
  const wanted: readonly (readonly [string, boolean, string, string])[] = [
    undiscovered.length > 0
      ? ["NamespaceDeletionDiscoveryFailure", true, "DiscoveryFailed", discoveryFailure(undiscovered)]
      : [
          "NamespaceDeletionDiscoveryFailure",
          false,
          "ResourcesDiscovered",
          "All resources successfully discovered",
        ],
    [
      "NamespaceDeletionGroupVersionParsingFailure",
      false,
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ],
    failures.length > 0
      ? [
          "NamespaceDeletionContentFailure",
          true,
          "ContentDeletionFailed",
          `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(", ")}`,
        ]
      : [
          "NamespaceDeletionContentFailure",
          false,
          "ContentDeleted",
          "All content successfully deleted, may be waiting on finalization",
        ],
    contents.length > 0
      ? [
          "NamespaceContentRemaining",
          true,
          "SomeResourcesRemain",
          `Some resources are remaining: ${contents.join(", ")}`,
        ]
      : ["NamespaceContentRemaining", false, "ContentRemoved", "All content successfully removed"],
    finalizers.length > 0
      ? [
          "NamespaceFinalizersRemaining",
          true,
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${finalizers.join(", ")}`,
        ]
      : [
          "NamespaceFinalizersRemaining",
          false,
          "ContentHasNoFinalizers",
          "All content-preserving finalizers finished",
        ],
  ];
  return wanted.map(([type, holds, reason, message]) => {
    const status = holds ? "True" : "False";
    const known = old?.find((condition) => condition.type === type);
    const same = known?.status === status && known.reason === reason && known.message === message;
    return same ? known : { type, status, reason, message, lastTransitionTime: timestamp };
  }) as readonly NamespaceCondition[];
}

/** What upstream's client says of group versions that discovery has, but not their resources. */
function discoveryFailure(groupVersions: readonly string[]): string {
  const errors = groupVersions.map((each) => `${each}: stale GroupVersion discovery: ${each}`).sort();
  const text = `unable to retrieve the complete list of server APIs: ${errors.join(", ")}`;
  return `Discovery failed for some groups, ${errors.length} failing: ${text}`;
}
