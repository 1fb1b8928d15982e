import { addResources, compareQuantities, parseQuantity } from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource, ResourceList } from "../../apimachinery/index.ts";
import { countedResource, quotaMatches, quotaUsage } from "../../api/quota/index.ts";
import type { ResourceQuota } from "../../api/types/core-v1.ts";

/** The objects of one resource in the quota's namespace. */
export interface Counted {
  readonly resource: Resource;
  readonly objects: readonly KubernetesObject[];
}

/** The status that the quota should have; undefined when it has it. Of what cannot be counted the last known stays. */
export function planQuotaStatus(
  quota: ResourceQuota,
  { counted, now }: { readonly counted: readonly Counted[]; readonly now: number },
): { readonly hard: ResourceList; readonly used: ResourceList } | undefined {
  const hard = quota.spec?.hard ?? {};
  const used: Record<string, string> = {};
  for (const name of Object.keys(hard)) {
    const known = quota.status?.used?.[name];
    if (known !== undefined) used[name] = known;
  }
  for (const { resource, objects } of counted) {
    const names = Object.keys(hard).filter((name) => counts(name, resource));
    const sum = usageOf(quota, { resource, objects, now });
    for (const name of names) used[name] = sum[name] ?? "0";
  }
  const same = sameAmounts(quota.status?.hard, hard) && sameAmounts(quota.status?.used, used);
  return same ? undefined : { hard, used };
}

/** Whether an entry of a quota counts objects of the resource. */
export function counts(entry: string, resource: Pick<Resource, "group" | "plural">): boolean {
  const counted = countedResource(entry);
  return counted?.group === resource.group && counted.plural === resource.plural;
}

function usageOf(
  quota: ResourceQuota,
  { resource, objects, now }: Counted & { readonly now: number },
): ResourceList {
  let sum: ResourceList = {};
  for (const object of objects) {
    if (quotaMatches(quota, { resource, object })) sum = addResources(sum, quotaUsage(resource, object, now));
  }
  return sum;
}

function sameAmounts(one: ResourceList | undefined, other: ResourceList): boolean {
  const names = Object.keys(other);
  return (
    one !== undefined &&
    Object.keys(one).length === names.length &&
    names.every((name) => {
      const amount = one[name];
      return (
        amount !== undefined &&
        compareQuantities(parseQuantity(amount), parseQuantity(other[name] ?? "0")) === 0
      );
    })
  );
}
