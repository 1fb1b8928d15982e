import { ignoreMissing } from "../../api/index.ts";
import { cidrContains, parseCIDR, parseIP, timestampOf } from "../../apimachinery/index.ts";
import type { CIDR } from "../../apimachinery/index.ts";
import { isAllocatedAddress } from "../../api/index.ts";
import { IPAddress, ServiceCIDR } from "../../api/types/networking-v1.ts";
import { again, settled, watch } from "../framework/index.ts";
import type { Controller, ControllerContext } from "../framework/index.ts";

const finalizer = "networking.k8s.io/service-cidr-finalizer";
const fieldManager = "service-cidr-controller";
/** Allocators that still take a range for ready get this long to learn that it goes. */
const deletionGrace = 10_000;

const ready = { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" } as const;
const held = {
  status: "False",
  reason: "Terminating",
  message:
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
} as const;

/** What to do with a range: `protect` and `ready` for those that stay, the others for those that shall go. */
export type RangeStep = "protect" | "ready" | "nothing" | "hold" | "wait" | "release";

/** Keeps ranges of service addresses until no address depends on them, and says of each whether it is in use. */
export function serviceCidrController(context: ControllerContext): Controller {
  const { client, informers, clock } = context;
  const ranges = informers.informer(ServiceCIDR);
  const addresses = informers.informer(IPAddress);
  const wakeAll = (wake: (key: { name: string }) => void, wanted: (range: ServiceCIDR) => boolean) => {
    for (const range of ranges.list()) if (wanted(range)) wake({ name: range.metadata.name });
  };
  return {
    name: "service-cidr",
    watches: [
      // Another range that holds the same addresses may free or hold one that shall go.
      watch(ranges, ({ object }, wake) => {
        wake({ name: object.metadata.name });
        wakeAll(wake, isGoing);
      }),
      watch(addresses, ({ type, object }, wake) => {
        if (type === "updated" || !isAllocatedAddress(object)) return;
        wakeAll(wake, (range) => isGoing(range) && holdsAddress(range, object.metadata.name));
      }),
    ],
    async reconcile({ name }) {
      const range = ranges.get({ name });
      if (range === undefined) return settled;
      const now = clock.now();
      const step = planRange(range, { ranges: ranges.list(), addresses: () => addresses.list(), now });
      if (step === "wait") return again(deletionGrace - (now - deletedAt(range)));
      if (step === "protect" || step === "release") {
        const others = (range.metadata.finalizers ?? []).filter((one) => one !== finalizer);
        const finalizers = step === "protect" ? [...others, finalizer] : others;
        const changed = { ...range, metadata: { ...range.metadata, finalizers } };
        await ignoreMissing(client.update<ServiceCIDR>(ServiceCIDR, changed));
      }
      if (step === "ready" || step === "hold") await setReady(name, step === "ready" ? ready : held);
      return settled;
    },
  };

  async function setReady(name: string, state: typeof ready | typeof held): Promise<void> {
    const condition = { type: "Ready", ...state, lastTransitionTime: timestampOf(clock.now()) };
    const body = {
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: { name },
      status: { conditions: [condition] },
    };
    await ignoreMissing(
      client.patch(
        ServiceCIDR,
        { name },
        { type: "apply", body, force: true },
        { fieldManager, subresource: "status" },
      ),
    );
  }
}

/** Decides what a range needs next. */
export function planRange(
  range: ServiceCIDR,
  view: {
    readonly ranges: readonly ServiceCIDR[];
    readonly addresses: () => readonly IPAddress[];
    readonly now: number;
  },
): RangeStep {
  const protectedBy = range.metadata.finalizers?.includes(finalizer) === true;
  const condition = range.status?.conditions?.find(({ type }) => type === "Ready");
  if (!isGoing(range)) {
    if (!protectedBy) return "protect";
    return condition?.status === "True" ? "nothing" : "ready";
  }
  if (!protectedBy) return "nothing";
  const others = view.ranges.filter(
    (other) => other.metadata.name !== range.metadata.name && !isGoing(other),
  );
  const orphans = () =>
    view
      .addresses()
      .some(
        (address) =>
          isAllocatedAddress(address) &&
          holdsAddress(range, address.metadata.name) &&
          !others.some((other) => holdsAddress(other, address.metadata.name)),
      );
  if (!isCovered(range, others) && orphans()) return condition?.status === "False" ? "nothing" : "hold";
  return view.now - deletedAt(range) < deletionGrace ? "wait" : "release";
}

const isGoing = ({ metadata }: ServiceCIDR) => metadata.deletionTimestamp !== undefined;

const deletedAt = ({ metadata }: ServiceCIDR) => Date.parse(metadata.deletionTimestamp ?? "");

const partsOf = ({ spec }: ServiceCIDR): readonly CIDR[] =>
  (spec?.cidrs ?? []).flatMap((text) => parseCIDR(text) ?? []);

/** Whether each part of the range lies within another. */
function isCovered(range: ServiceCIDR, others: readonly ServiceCIDR[]): boolean {
  const covers = others.flatMap(partsOf);
  return partsOf(range).every((part) =>
    covers.some((cover) => cover.prefixLength <= part.prefixLength && cidrContains(cover, part.network)),
  );
}

function holdsAddress(range: ServiceCIDR, text: string): boolean {
  const bytes = parseIP(text);
  return bytes !== undefined && partsOf(range).some((part) => cidrContains(part, bytes));
}
