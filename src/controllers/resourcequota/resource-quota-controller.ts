import type { Milliseconds } from "../../base/index.ts";
import { keyOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, ObjectKey, Resource } from "../../apimachinery/index.ts";
import { quotaUsage } from "../../api/quota/index.ts";
import { ResourceQuota } from "../../api/types/core-v1.ts";
import { again, equalJson, settled, watch } from "../framework/index.ts";
import type { Change, Controller, ControllerContext, Outcome, Wake } from "../framework/index.ts";
import { counts, planQuotaStatus } from "./plan.ts";

/** A deletion frees quota at once; deletions in a row are counted together. */
const releaseDelay: Milliseconds = 100;
/** A new object was booked when it was admitted: counting it again only mends what went wrong. */
const mendingDelay: Milliseconds = 5_000;
const resyncPeriod: Milliseconds = 300_000;

/** Counts what each quota's namespace holds, and says so in its status. */
export function resourceQuotaController(context: ControllerContext): Controller {
  return new ResourceQuotaController(context);
}

class ResourceQuotaController implements Controller {
  readonly name = "resourcequota";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly quotas;
  /** What ends the watch of each resource that some quota counts. */
  private readonly followed = new Map<object, () => void>();
  private wake: Wake = () => undefined;

  constructor(context: ControllerContext) {
    this.context = context;
    this.quotas = context.informers.informer(ResourceQuota);
    const own = watch(this.quotas, (change, wake) => {
      const changed = change.type !== "updated" || !equalJson(change.object.spec, change.old.spec);
      if (changed && change.type !== "deleted") wake(keyOf(change.object));
    });
    this.watches = [own, { whenSynced: async () => undefined, connect: (wake: Wake) => this.connect(wake) }];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const { client, informers } = this.context;
    const quota = this.quotas.get(key);
    if (!quota) return settled;
    const resources = this.resourcesOf(quota);
    for (const resource of resources) this.follow(resource);
    const counted = await Promise.all(
      resources.map(async (resource) => {
        const informer = informers.informer(resource);
        await informer.whenSynced(signal);
        return { resource, objects: informer.list(key.namespace) };
      }),
    );
    const status = planQuotaStatus(quota, { counted, now: this.context.clock.now() });
    if (status) await client.update(ResourceQuota, { ...quota, status }, { subresource: "status" });
    return again(resyncPeriod);
  }

  private connect(wake: Wake): () => void {
    this.wake = wake;
    return () => {
      for (const end of this.followed.values()) end();
      this.followed.clear();
    };
  }

  /** The resources that the quota's entries count, as far as they are served. */
  private resourcesOf(quota: ResourceQuota): readonly Resource[] {
    const entries = Object.keys(quota.spec?.hard ?? {});
    return this.context.settings.catalog
      .list()
      .filter(
        ({ resource, verbs }) =>
          resource.namespaced &&
          verbs.includes("list") &&
          verbs.includes("watch") &&
          entries.some((entry) => counts(entry, resource)),
      )
      .map(({ resource }) => resource);
  }

  private follow(resource: Resource): void {
    const informer = this.context.informers.informer(resource);
    // One that was dropped with its resource is not that of the resource which came back.
    if (this.followed.has(informer)) return;
    const source = watch(informer, (change) => this.onChange(resource, change));
    this.followed.set(informer, source.connect(this.wake));
  }

  private onChange(resource: Resource, change: Change<KubernetesObject>): void {
    const quotas = this.quotas.list(change.object.metadata.namespace);
    const counting = quotas.filter((quota) =>
      Object.keys(quota.spec?.hard ?? {}).some((entry) => counts(entry, resource)),
    );
    if (counting.length === 0) return;
    const delay = delayOf(change, { resource, now: this.context.clock.now() });
    if (delay !== undefined) for (const quota of counting) this.wake(keyOf(quota), delay);
  }
}

/** When a change is to be counted; undefined when it takes and frees nothing. */
function delayOf(
  change: Change<KubernetesObject>,
  { resource, now }: { readonly resource: Resource; readonly now: number },
): Milliseconds | undefined {
  switch (change.type) {
    case "added":
      return mendingDelay;
    case "deleted":
      return releaseDelay;
    case "updated": {
      const { object, old } = change;
      return equalJson(quotaUsage(resource, object, now), quotaUsage(resource, old, now))
        ? undefined
        : releaseDelay;
    }
  }
}
