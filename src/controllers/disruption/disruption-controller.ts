import { ignoreMissing } from "../../api/index.ts";
import { ApiError, keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import { PodDisruptionBudget } from "../../api/types/policy-v1.ts";
import type { PodDisruptionBudgetStatus } from "../../api/types/policy-v1.ts";
import {
  again,
  controllerOf,
  equalJson,
  isReady,
  matchesSelector,
  observed,
  settled,
  watch,
  watchItself,
} from "../framework/index.ts";
import type { Change, Controller, ControllerContext, Outcome, Wake } from "../framework/index.ts";
import { failedStatus, planBudget, selectorText, staleDisruptionAt } from "./plan.ts";
import type { BudgetPlan } from "./plan.ts";
import { Scales } from "./scales.ts";

/** Keeps how many pods of each PodDisruptionBudget may go now. */
export function disruptionController(context: ControllerContext): Controller {
  return new DisruptionController(context);
}

class DisruptionController implements Controller {
  readonly name = "disruption";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly budgets: SharedInformer<PodDisruptionBudget>;
  private readonly pods: SharedInformer<Pod>;
  private readonly scales: Scales;

  constructor(context: ControllerContext) {
    this.context = context;
    this.budgets = context.informers.informer(PodDisruptionBudget);
    this.pods = context.informers.informer(Pod);
    this.scales = new Scales(context);
    this.watches = [
      watchItself(this.budgets),
      watch(this.pods, (change, wake) => this.onPod(change, wake)),
      ...this.scales.views.map((view) =>
        watch(view, (change, wake) => {
          if (change.type !== "updated" || change.object.spec?.replicas === change.old.spec?.replicas) return;
          for (const budget of this.budgets.list(change.object.metadata.namespace)) wake(keyOf(budget));
        }),
      ),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const budget = this.budgets.get(key);
    if (budget === undefined) return settled;
    const { clock } = this.context;
    const pods = this.pods
      .list(key.namespace)
      .filter(({ metadata }) => matchesSelector(budget.spec.selector, metadata.labels));
    await this.scales.prepare(pods, signal);
    const now = clock.now();
    const at = { now, timestamp: timestampOf(now) };
    const plan = planBudget(budget, { pods, scaleOf: (pod) => this.scales.of(pod), ...at });
    if (pods.length === 0)
      this.tell(budget, { type: "Normal", reason: "NoPods", message: "No matching pods found" });
    if (plan.type === "failed") {
      const message = `Failed to calculate the number of expected pods: ${plan.why}`;
      this.tell(budget, { type: "Warning", reason: "CalculateExpectedPodCountFailed", message });
      await this.write(budget, failedStatus(budget, { why: plan.why, timestamp: at.timestamp }), signal);
      throw new ApiError({ code: 500, reason: "InternalError", message: plan.why });
    }
    this.tellFindings(budget, plan);
    await this.write(budget, plan.status, signal);
    return again(plan.wakeIn);
  }

  private onPod(change: Change<Pod>, wake: Wake): void {
    if (change.type === "updated" && !matters(change)) return;
    const labels = [change.object.metadata.labels];
    if (change.type === "updated") labels.push(change.old.metadata.labels);
    for (const budget of this.budgets.list(change.object.metadata.namespace)) {
      if (labels.some((set) => matchesSelector(budget.spec.selector, set))) wake(keyOf(budget));
    }
  }

  private tellFindings(budget: PodDisruptionBudget, plan: BudgetPlan): void {
    const { namespace = "", name } = budget.metadata;
    for (const pod of plan.notDeleted) {
      const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
      const about = { resource: Pod, object: pod };
      this.context.events.event(about, { type: "Warning", reason: "NotDeleted", message });
    }
    if (plan.unmanaged.length === 0) return;
    const selector = selectorText(budget.spec.selector);
    const message =
      `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. ` +
      "As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. " +
      'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
    this.tell(budget, { type: "Warning", reason: "UnmanagedPods", message });
  }

  private tell(
    budget: PodDisruptionBudget,
    event: { type: "Normal" | "Warning"; reason: string; message: string },
  ): void {
    this.context.events.event({ resource: PodDisruptionBudget, object: budget }, event);
  }

  private async write(
    budget: PodDisruptionBudget,
    status: PodDisruptionBudgetStatus,
    signal: AbortSignal,
  ): Promise<void> {
    if (equalJson(status, budget.status)) return;
    const { client, clock } = this.context;
    const next = { ...budget, status };
    const written = await client.update<PodDisruptionBudget>(PodDisruptionBudget, next, {
      subresource: "status",
    });
    await observed(this.budgets, { stored: [written] }, { clock, signal });
  }
}

function matters({ object, old }: { readonly object: Pod; readonly old: Pod }): boolean {
  return (
    isReady(object) !== isReady(old) ||
    object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    controllerOf(object)?.uid !== controllerOf(old)?.uid ||
    !equalJson(object.metadata.labels, old.metadata.labels)
  );
}

/** Takes back the condition DisruptionTarget of pods that were not deleted after all. */
export function stalePodDisruptionController(context: ControllerContext): Controller {
  const { client, clock } = context;
  const pods = context.informers.informer(Pod);
  return {
    name: "stale-pod-disruption",
    watches: [
      watch(pods, ({ type, object }, wake) => {
        const at = type === "deleted" ? undefined : staleDisruptionAt(object);
        if (at !== undefined) wake(keyOf(object), Math.max(0, at - clock.now()));
      }),
    ],
    async reconcile(key) {
      const pod = pods.get(key);
      const at = pod && staleDisruptionAt(pod);
      if (!pod || at === undefined) return settled;
      if (at > clock.now()) return again(at - clock.now());
      const lastTransitionTime = timestampOf(clock.now());
      const conditions = [{ type: "DisruptionTarget", status: "False", lastTransitionTime }];
      const body = { metadata: { uid: pod.metadata.uid }, status: { conditions } };
      await ignoreMissing(client.patch(Pod, key, { type: "strategic", body }, { subresource: "status" }));
      return settled;
    },
  };
}
