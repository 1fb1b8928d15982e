import type { Client } from "../../api/index.ts";
import { Pod, ResourceQuota } from "../../api/types/core-v1.ts";
import {
  ApiError,
  addResources,
  compareQuantities,
  parseQuantity,
  subtractResources,
} from "../../apimachinery/index.ts";
import type { KubernetesObject, ResourceList } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { missingStatement, quotaMatches, quotaUsage } from "../../api/quota/index.ts";
import { concerns, refused } from "./request.ts";

/** Attempts to write a quota that others write too. */
const attempts = 4;

/**
 * Holds a namespace to its quotas, and books what a request takes before it is stored. Requests of one namespace are
 * judged one after the other, so that two of them cannot both take the last of a quota.
 */
export function resourceQuota(options: {
  readonly reader: ObjectReader;
  /** Books usage; without it quotas are only checked. */
  readonly client?: Client | undefined;
}): AdmissionPlugin {
  const { reader, client } = options;
  const turns = new Map<string, Promise<void>>();

  const inTurn = async (namespace: string, action: () => Promise<void>): Promise<void> => {
    const before = turns.get(namespace) ?? Promise.resolve();
    const turn = before.then(action);
    const settled = turn.catch(() => undefined);
    turns.set(namespace, settled);
    try {
      await turn;
    } finally {
      if (turns.get(namespace) === settled) turns.delete(namespace);
    }
  };

  const judge = async (request: AdmissionRequest): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      const bookings = planBookings(request, reader.list(ResourceQuota, request.namespace));
      if (!client || request.dryRun) return;
      try {
        for (const quota of bookings) await client.update(ResourceQuota, quota, { subresource: "status" });
        return;
      } catch (error) {
        if (!ApiError.is(error, "Conflict") || attempt === attempts) throw error;
      }
    }
  };

  return {
    name: "ResourceQuota",
    operations: ["CREATE", "UPDATE"],
    validate(request) {
      if (request.subresource !== "" || request.namespace === "" || !request.object) return;
      if (concerns(request, ResourceQuota) && request.operation === "UPDATE") return;
      if (reader.list(ResourceQuota, request.namespace).length === 0) return;
      return inTurn(request.namespace, () => judge(request));
    },
  };
}

/** The quotas with what the request takes booked; throws ApiError `Forbidden` when one would be exceeded. */
export function planBookings(
  request: AdmissionRequest,
  quotas: readonly ResourceQuota[],
): readonly ResourceQuota[] {
  const { object, old, resource } = request;
  if (!object) return [];
  const bookings: ResourceQuota[] = [];
  for (const quota of quotas) {
    if (!quotaMatches(quota, { resource, object })) continue;
    const hard = quota.status?.hard ?? {};
    const taken = mask(positive(takenBy(request, { quota, object, old })), hard);
    if (request.operation === "CREATE" && concerns(request, Pod)) {
      const missing = missingStatement(object as Pod, hard);
      if (missing !== undefined) throw refused(request, `failed quota: ${quota.metadata.name}: ${missing}`);
    }
    if (Object.keys(taken).length === 0) continue;
    const used = quota.status?.used ?? {};
    const unknown = Object.keys(taken).filter((name) => used[name] === undefined);
    if (unknown.length > 0) {
      throw refused(
        request,
        `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.sort().join(",")}`,
      );
    }
    const total = addResources(used, taken);
    const exceeded = Object.keys(taken).filter((name) => exceeds(total[name], hard[name]));
    if (exceeded.length > 0) {
      const show = (list: ResourceList) =>
        exceeded
          .sort()
          .map((name) => `${name}=${list[name] ?? "0"}`)
          .join(",");
      throw refused(
        request,
        `exceeded quota: ${quota.metadata.name}, requested: ${show(taken)}, used: ${show(used)}, limited: ${show(hard)}`,
      );
    }
    bookings.push({ ...quota, status: { ...quota.status, hard, used: total } });
  }
  return bookings;
}

/** What the request adds: all of a new object, the difference of a changed one. */
function takenBy(
  { resource }: AdmissionRequest,
  objects: {
    readonly quota: ResourceQuota;
    readonly object: KubernetesObject;
    readonly old: KubernetesObject | undefined;
  },
): ResourceList {
  const { quota, object, old } = objects;
  const usage = quotaUsage(resource, object);
  if (!old || !quotaMatches(quota, { resource, object: old })) return usage;
  return subtractResources(usage, quotaUsage(resource, old));
}

const exceeds = (amount: string | undefined, bound: string | undefined): boolean =>
  amount !== undefined &&
  bound !== undefined &&
  compareQuantities(parseQuantity(amount), parseQuantity(bound)) > 0;

const positive = (list: ResourceList): ResourceList =>
  Object.fromEntries(Object.entries(list).filter(([, amount]) => exceeds(amount, "0")));

const mask = (list: ResourceList, names: ResourceList): ResourceList =>
  Object.fromEntries(Object.entries(list).filter(([name]) => names[name] !== undefined));
