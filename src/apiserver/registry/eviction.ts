import { ApiError, labelSelectorOf, selectorMatches, timestampOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { DeleteOptions } from "../../api/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import type { PodDisruptionBudget } from "../../api/types/policy-v1.ts";
import { lockMessage } from "./context.ts";
import type { Core, PostHandler, RequestOptions } from "./context.ts";
import { remove } from "./delete.ts";
import type { AnyObject } from "./entry.ts";
import type { ServedResource } from "./served.ts";
import { success } from "./subresources.ts";
import { storageKey } from "./storage-path.ts";
import { modify } from "./update.ts";

const refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
const budgetResource = { group: "policy", resource: "poddisruptionbudget" };
/** More evictions than this may not wait for the controller to note them. */
const disruptedPodsLimit = 2000;

/** Deletes a pod on behalf of a drain, if its disruption budget allows. */
export const evictPod: PostHandler = async ({ core, served, key, body, options }) => {
  const eviction = body as unknown as { readonly deleteOptions?: DeleteOptions };
  const name = body.metadata?.name;
  if (name && name !== key.name) {
    throw ApiError.badRequest("name in URL does not match name in Eviction object");
  }
  const given = eviction.deleteOptions ?? {};
  const dryRun = options.dryRun === true || given.dryRun === true;
  const stored = served.storage.cache.get(storageKey(served.storage.prefix, key));
  if (!stored) throw ApiError.notFound({ group: "", resource: "pods" }, key.name);
  const pod = served.fromStored(stored.object) as unknown as Pod;
  const books = ignoresBudgets(pod) ? undefined : findBudget(core, pod);
  const spared = books !== undefined && (await book(core, { ...books, pod, options, dryRun }));
  // A pod that may go because it is not healthy must still be as it was judged.
  const judged = spared ? pod.metadata.resourceVersion : undefined;
  const wanted = judged ?? given.preconditions?.resourceVersion;
  const marked = dryRun ? wanted : await markDisrupted(core, served, { key, options, wanted });
  const preconditions =
    wanted === undefined || marked === undefined
      ? given.preconditions
      : { ...given.preconditions, resourceVersion: marked };
  const request = preconditions ? { ...given, preconditions } : given;
  await remove(core, served, { ...options, dryRun, key, delete: request });
  return success(201);
};

/** Pods that run nothing, or that go already, take no part in budgets. */
function ignoresBudgets({ status, metadata }: Pod): boolean {
  const phase = status?.phase;
  return (
    phase === "Succeeded" ||
    phase === "Failed" ||
    phase === "Pending" ||
    metadata.deletionTimestamp !== undefined
  );
}

function findBudget(
  core: Core,
  pod: Pod,
): { readonly served: ServedResource; readonly budget: PodDisruptionBudget } | undefined {
  const served = core.served.find("policy", "v1", "poddisruptionbudgets");
  const { namespace, labels } = pod.metadata;
  if (!served || !labels || Object.keys(labels).length === 0) return undefined;
  const budgets: PodDisruptionBudget[] = [];
  const inNamespace = storageKey(served.storage.prefix, {
    ...(namespace === undefined ? {} : { namespace }),
    name: "",
  });
  for (const entry of served.storage.cache.range(inNamespace)) {
    const budget = served.fromStored(entry.object) as unknown as PodDisruptionBudget;
    if (selectorMatches(labelSelectorOf(budget.spec.selector), labels)) budgets.push(budget);
  }
  if (budgets.length > 1) {
    const message =
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    throw new ApiError({ code: 500, message });
  }
  const [budget] = budgets;
  return budget && { served, budget };
}

/** Takes one disruption from the budget; answers whether the pod was let go without, as it is not healthy. */
async function book(
  core: Core,
  request: {
    readonly served: ServedResource;
    readonly budget: PodDisruptionBudget;
    readonly pod: Pod;
    readonly options: RequestOptions;
    readonly dryRun: boolean;
  },
): Promise<boolean> {
  const { served, budget, pod, options, dryRun } = request;
  const { namespace, name } = budget.metadata;
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  if (!ready) {
    if (budget.spec.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
    if (currentHealthy >= desiredHealthy && desiredHealthy > 0) return true;
  }
  const key: ObjectKey = { ...(namespace === undefined ? {} : { namespace }), name };
  const now = core.clock.now();
  await modify(
    core,
    served,
    { ...options, dryRun },
    {
      key,
      subresource: "status",
      versionGiven: false,
      createsMissing: false,
      direct: true,
      change: (old) => ({
        ...(old as AnyObject),
        status: bookedStatus(old as unknown as PodDisruptionBudget, { pod, time: timestampOf(now) }),
      }),
    },
  );
  return false;
}

/** The status of a budget after the eviction of a pod; refuses when it has none left. */
export function bookedStatus(
  budget: PodDisruptionBudget,
  { pod, time }: { readonly pod: Pod; readonly time: string },
): PodDisruptionBudget["status"] {
  const { metadata, status } = budget;
  const { name, generation = 0 } = metadata;
  const { observedGeneration = 0, disruptionsAllowed = 0, disruptedPods = {}, conditions = [] } = status;
  const cause = (message: string) => [{ reason: "DisruptionBudget", message }];
  if (observedGeneration < generation) {
    const message = `The disruption budget ${name} is still being processed by the server.`;
    throw ApiError.tooManyRequests(refusal, 10, cause(message));
  }
  if (disruptionsAllowed < 0) {
    throw ApiError.forbidden(budgetResource, name, "pdb disruptions allowed is negative");
  }
  if (Object.keys(disruptedPods).length > disruptedPodsLimit) {
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw ApiError.forbidden(budgetResource, name, why);
  }
  const condition = conditions.find(({ type }) => type === "DisruptionAllowed");
  if (disruptionsAllowed === 0) {
    const message =
      condition?.reason === "SyncFailed"
        ? `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${condition.message}`
        : `The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`;
    throw ApiError.tooManyRequests(refusal, 0, cause(message));
  }
  const used = disruptionsAllowed === 1 && condition?.status === "True";
  const spent = { status: "False", reason: "InsufficientPods", lastTransitionTime: time };
  return {
    ...status,
    disruptionsAllowed: disruptionsAllowed - 1,
    disruptedPods: { ...disruptedPods, [pod.metadata.name]: time },
    ...(used
      ? { conditions: conditions.map((entry) => (entry === condition ? { ...entry, ...spent } : entry)) }
      : {}),
  };
}

/** Says in the pod's status who ends it; answers the version that says so. */
async function markDisrupted(
  core: Core,
  served: ServedResource,
  request: {
    readonly key: ObjectKey;
    readonly options: RequestOptions;
    /** The version that the pod must have before. */
    readonly wanted: string | undefined;
  },
): Promise<string | undefined> {
  const { key, options, wanted } = request;
  const lastTransitionTime = timestampOf(core.clock.now());
  const written = await modify(core, served, options, {
    key,
    subresource: "status",
    versionGiven: wanted !== undefined,
    createsMissing: false,
    direct: true,
    change(old) {
      const pod = old as unknown as Pod;
      if (wanted !== undefined && pod.metadata.resourceVersion !== wanted) {
        throw ApiError.conflict({ group: "", resource: "pods" }, key.name, lockMessage);
      }
      const conditions = pod.status?.conditions ?? [];
      const condition = {
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
        lastTransitionTime,
      };
      const others = conditions.filter(({ type }) => type !== condition.type);
      return {
        ...(old as AnyObject),
        status: { ...pod.status, conditions: [...others, condition] },
      };
    },
  });
  return written.object.metadata.resourceVersion;
}
