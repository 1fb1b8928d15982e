import { ignoreMissing } from "../../api/index.ts";
import { keyOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Endpoints, Service } from "../../api/types/core-v1.ts";
import { EndpointSlice } from "../../api/types/discovery-v1.ts";
import { planSlices } from "../endpointslice/index.ts";
import { controllerReference, equalJson, observed, settled, watch, watchItself } from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import {
  isMirrored,
  managedBy,
  managedByLabel,
  mirroredMetadata,
  mirrorLimit,
  planMirror,
  serviceNameLabel,
} from "./plan.ts";

const sliceIndex = "mirroredService";

/** Shows Endpoints that users keep by hand as EndpointSlices too. */
export function endpointSliceMirroringController(context: ControllerContext): Controller {
  return new MirroringController(context);
}

class MirroringController implements Controller {
  readonly name = "endpointslicemirroring";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly endpoints: SharedInformer<Endpoints>;
  private readonly services: SharedInformer<Service>;
  private readonly slices: SharedInformer<EndpointSlice>;

  constructor(context: ControllerContext) {
    this.context = context;
    this.endpoints = context.informers.informer(Endpoints);
    this.services = context.informers.informer(Service);
    this.slices = context.informers.informer(EndpointSlice);
    if (!this.slices.hasIndex(sliceIndex)) {
      this.slices.addIndex(sliceIndex, ({ metadata: { namespace, labels } }) =>
        labels?.[managedByLabel] === managedBy ? [`${namespace}/${labels[serviceNameLabel]}`] : [],
      );
    }
    this.watches = [
      watchItself(this.endpoints),
      watch(this.services, (change, wake) => {
        const before = change.type === "updated" ? change.old.spec?.selector : null;
        if (!equalJson(before, change.object.spec?.selector)) wake(keyOf(change.object));
      }),
      watch(this.slices, ({ type, object: { metadata } }, wake) => {
        const { namespace, labels } = metadata;
        const name = labels?.[serviceNameLabel];
        if (type === "added" || !name || labels?.[managedByLabel] !== managedBy) return;
        wake({ ...(namespace === undefined ? {} : { namespace }), name });
      }),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const { client, clock } = this.context;
    const endpoints = this.endpoints.get(key);
    const existing = this.slices.byIndex(sliceIndex, `${key.namespace}/${key.name}`);
    if (!isMirrored(endpoints, this.services.get(key))) {
      await this.remove(existing);
      await observed(this.slices, { deleted: existing }, { clock, signal });
      return settled;
    }
    const mirror = planMirror(endpoints);
    this.tell(endpoints, mirror);
    const { IPv4, IPv6 } = mirror;
    const plan = planSlices({ IPv4, IPv6 }, existing, { limit: mirrorLimit, empty: "nothing" });
    const shared = mirroredMetadata(endpoints);
    const stored: EndpointSlice[] = [];
    for (const content of plan.create) {
      const metadata = {
        ...(key.namespace === undefined ? {} : { namespace: key.namespace }),
        generateName: `${key.name}-`,
        ...shared,
        ownerReferences: [controllerReference(Endpoints, endpoints)],
      };
      stored.push(await client.create<EndpointSlice>(EndpointSlice, { metadata, ...content }));
    }
    const contents = new Map(plan.update.map(({ slice, content }) => [slice, content]));
    for (const slice of existing) {
      if (plan.delete.includes(slice)) continue;
      const next = { ...slice, ...contents.get(slice), metadata: { ...slice.metadata, ...shared } };
      const { annotations = {} } = slice.metadata;
      if (equalJson(next, { ...slice, metadata: { ...slice.metadata, annotations } })) continue;
      stored.push(await client.update<EndpointSlice>(EndpointSlice, next));
    }
    await this.remove(plan.delete);
    await observed(this.slices, { stored, deleted: plan.delete }, { clock, signal });
    return settled;
  }

  private tell(endpoints: Endpoints, { skipped, invalid }: { skipped: number; invalid: number }): void {
    const warn = (reason: string, message: string) =>
      this.context.events.event(
        { resource: Endpoints, object: endpoints },
        { type: "Warning", reason, message },
      );
    if (invalid > 0) {
      warn("InvalidIPAddress", `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`);
    }
    if (skipped > 0) {
      const most = `A max of ${mirrorLimit} addresses can be mirrored to EndpointSlices per Endpoints subset.`;
      warn("TooManyAddressesToMirror", `${most} ${skipped} addresses were skipped`);
    }
  }

  private async remove(slices: readonly EndpointSlice[]): Promise<void> {
    for (const slice of slices) {
      await ignoreMissing(this.context.client.delete(EndpointSlice, keyOf(slice)));
    }
  }
}
