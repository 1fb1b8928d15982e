import { timestampOf } from "../../apimachinery/index.ts";
import { fill, mapField, mapList, omit } from "../common/fill.ts";
import type { Device, DeviceAttribute, DeviceRequest, DeviceTaint } from "../types/resource-v1.ts";

interface Amount {
  readonly allocationMode?: string;
  readonly count?: number;
}
type DeviceRequests = readonly (DeviceRequest & Amount)[];

/** `object` with the amounts of requests for devices filled in, which are beneath a path. */
export function withAmounts<T extends object>(object: T, path: readonly string[]): T {
  const [first, ...rest] = path;
  if (first === undefined) {
    return mapField(object as { readonly requests?: DeviceRequests }, "requests", (requests) =>
      mapList(requests, defaultRequest),
    ) as T;
  }
  const value = (object as Readonly<Record<string, unknown>>)[first];
  if (typeof value !== "object" || value === null) return object;
  const changed = withAmounts(value, rest);
  return changed === value ? object : { ...object, [first]: changed };
}

function defaultRequest(request: DeviceRequest & Amount): DeviceRequest & Amount {
  const subrequests = mapField(request, "firstAvailable", (list) => mapList(list, defaultAmount));
  const exactly = mapField(subrequests, "exactly", defaultAmount);
  // The first beta's requests are flat; those for alternatives name no class.
  const isFlat = Boolean((exactly as { readonly deviceClassName?: string }).deviceClassName);
  return isFlat ? defaultAmount(exactly) : exactly;
}

function defaultAmount<R extends Amount>(request: R): R {
  const filled: Amount = fill<Amount>(request, { allocationMode: "ExactCount" });
  return (filled.allocationMode === "ExactCount" && !filled.count ? { ...filled, count: 1 } : filled) as R;
}

/** A taint that says since when it is there. */
export const timedTaint = <T extends Pick<DeviceTaint, "timeAdded">>(taint: T, now: number): T =>
  fill<Pick<DeviceTaint, "timeAdded">>(taint, { timeAdded: timestampOf(now) }) as T;

/** Devices of which all taints say since when they are there. */
export function withTaintTimes(devices: readonly Device[], now: number): readonly Device[] {
  return mapList(devices, (device) =>
    mapField(device, "taints", (taints) => mapList(taints, (taint) => timedTaint(taint, now))),
  );
}

/** Devices without what belongs to gates that are closed: attributes with lists, and resources of nodes. */
export function withoutClosedGates(
  devices: readonly Device[],
  old: readonly Device[] | undefined,
): readonly Device[] {
  const keepsLists = old?.some(hasLists) ?? false;
  const keepsMappings = old?.some((device) => device.nodeAllocatableResourceMappings !== undefined) ?? false;
  return mapList(devices, (device) => {
    const single =
      keepsLists || !hasLists(device)
        ? device
        : mapField(device, "attributes", (attributes) =>
            Object.fromEntries(
              Object.entries(attributes).map(([name, attribute]) => [
                name,
                omit(attribute, "ints", "bools", "strings", "versions"),
              ]),
            ),
          );
    return keepsMappings ? single : omit(single, "nodeAllocatableResourceMappings");
  });
}

const isList = ({ ints, bools, strings, versions }: DeviceAttribute) =>
  [ints, bools, strings, versions].some((list) => list !== undefined);

/** Whether an attribute of a device has several values. */
export const hasLists = ({ attributes }: Device): boolean => Object.values(attributes ?? {}).some(isList);
