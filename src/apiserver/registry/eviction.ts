import { ApiError, labelSelectorOf, selectorMatches, timestampOf } from "../../apimachinery/index.ts";
import type { Condition, ObjectKey } from "../../apimachinery/index.ts";
import type { DeleteOptions } from "../../api/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import type { PodDisruptionBudget } from "../../api/types/policy-v1.ts";
import type { Core, PostHandler, RequestOptions } from "./context.ts";
import { checkPreconditions, remove } from "./delete.ts";
import { deletionOptions } from "./deletion-options.ts";
import type { SentDeleteOptions } from "./deletion-options.ts";
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
  if (body.metadata.name !== key.name) {
    throw ApiError.badRequest("name in URL does not match name in Eviction object");
  }
  const { deleteOptions = {} } = body as unknown as { readonly deleteOptions?: SentDeleteOptions };
  checkDryRuns(options, deleteOptions);
  const stored = served.storage.cache.get(storageKey(served.storage.prefix, key));
  if (!stored) throw ApiError.notFound({ group: "", resource: "pods" }, key.name);
  const given = deletionOptions(deleteOptions);
  const dryRun = options.dryRun === true || given.dryRun;
  const pod = served.fromStored(stored.object) as unknown as Pod;
  const books = ignoresBudgets(pod) ? undefined : findBudget(core, pod);
  const spared = books !== undefined && (await book(core, { ...books, pod, options, dryRun }));
  // A pod that may go because it is not healthy must still be as it was judged.
  const judged = spared ? { resourceVersion: pod.metadata.resourceVersion ?? "" } : {};
  const preconditions = { ...given.preconditions, ...judged };
  try {
    await markAndRemove(core, served, { key, options, wanted: { ...given, preconditions }, dryRun });
  } catch (error) {
    const isOurs = spared && given.preconditions?.resourceVersion === undefined;
    if (!isOurs || !(error instanceof ApiError) || error.reason !== "Conflict") throw error;
    throw stillProcessed(books.budget.metadata.name);
  }
  return success(201);
};

/** Both the request and what it carries may ask for a dry run, but not in ways that differ. */
function checkDryRuns(options: RequestOptions, { dryRun = [] }: SentDeleteOptions): void {
  if (options.dryRun !== true || dryRun.length === 0 || (dryRun.length === 1 && dryRun[0] === "All")) return;
  const shown = `[All] and [${dryRun.join(" ")}]`;
  // Upstream tells this without a reason.
  throw new ApiError({ message: `Non-matching dry-run options in request and content: ${shown}`, code: 500 });
}

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
  if (!served) return undefined;
  const budgets: PodDisruptionBudget[] = [];
  const inNamespace = storageKey(served.storage.prefix, {
    ...(namespace === undefined ? {} : { namespace }),
    name: "",
  });
  for (const entry of served.storage.cache.range(inNamespace)) {
    const budget = served.fromStored(entry.object) as unknown as PodDisruptionBudget;
    if (selectorMatches(labelSelectorOf(budget.spec.selector), labels ?? {})) budgets.push(budget);
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
  if (observedGeneration < generation) throw stillProcessed(name);
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
  return {
    ...status,
    disruptionsAllowed: disruptionsAllowed - 1,
    disruptedPods: { ...disruptedPods, [pod.metadata.name]: time },
    ...(disruptionsAllowed === 1 ? { conditions: usedUp(conditions, { observedGeneration, time }) } : {}),
  };
}

/** The conditions of a budget that has nothing left. */
function usedUp(
  conditions: readonly Condition[],
  { observedGeneration, time }: { readonly observedGeneration: number; readonly time: string },
): readonly Condition[] {
  const before = conditions.find(({ type }) => type === "DisruptionAllowed");
  const condition = {
    type: "DisruptionAllowed",
    status: "False",
    reason: "InsufficientPods",
    message: "",
    observedGeneration,
    lastTransitionTime: before?.status === "False" ? before.lastTransitionTime : time,
  } as Condition;
  if (before === undefined) return [...conditions, condition];
  return conditions.map((entry) => (entry === before ? condition : entry));
}

const cause = (message: string) => [{ reason: "DisruptionBudget", message }];

const stillProcessed = (name: string) =>
  ApiError.tooManyRequests(
    refusal,
    10,
    cause(`The disruption budget ${name} is still being processed by the server.`),
  );

interface Removal {
  readonly key: ObjectKey;
  readonly options: RequestOptions;
  readonly wanted: DeleteOptions;
  readonly dryRun: boolean;
}

/** Says in the pod's status who ends it, and deletes it. */
async function markAndRemove(core: Core, served: ServedResource, removal: Removal): Promise<void> {
  const { key, options, wanted, dryRun } = removal;
  const { preconditions } = wanted;
  const marked = dryRun ? undefined : await markDisrupted(core, served, removal);
  const request =
    marked === undefined || preconditions?.resourceVersion === undefined
      ? wanted
      : { ...wanted, preconditions: { ...preconditions, resourceVersion: marked } };
  // Admission was asked about the eviction.
  await remove(core, served, { ...options, dryRun, key, delete: request, admission: "none" });
}

/** Answers the version that says so. */
async function markDisrupted(
  core: Core,
  served: ServedResource,
  { key, options, wanted }: Removal,
): Promise<string | undefined> {
  const lastTransitionTime = timestampOf(core.clock.now());
  const written = await modify(core, served, options, {
    key,
    subresource: "status",
    versionGiven: wanted.preconditions?.resourceVersion !== undefined,
    createsMissing: false,
    direct: true,
    change(old) {
      checkPreconditions(served, old as AnyObject, wanted);
      const pod = old as unknown as Pod;
      const conditions = pod.status?.conditions ?? [];
      const before = conditions.find(({ type }) => type === "DisruptionTarget");
      const since = before?.status === "True" ? before.lastTransitionTime : undefined;
      const condition = {
        ...before,
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
        lastTransitionTime: since ?? lastTransitionTime,
      };
      const marked = conditions.map((entry) => (entry === before ? condition : entry));
      return {
        ...(old as AnyObject),
        status: { ...pod.status, conditions: before ? marked : [...conditions, condition] },
      };
    },
  });
  return written.object.metadata.resourceVersion;
}
