import type { Client } from "../../api/index.ts";
import {
  entriesFor,
  isTerminating,
  missingStatement,
  negativeEntries,
  quotaMatches,
  quotaUsage,
  scopeMatches,
  scopesOf,
} from "../../api/quota/index.ts";
import type { ScopeRequirement } from "../../api/quota/index.ts";
import { Event, PersistentVolumeClaim, Pod, ResourceQuota, Service } from "../../api/types/core-v1.ts";
import { ResourceClaim } from "../../api/types/resource-v1.ts";
import {
  addResources,
  ApiError,
  compareQuantities,
  parseQuantity,
  subtractResources,
} from "../../apimachinery/index.ts";
import type { KubernetesObject, Resource, ResourceList } from "../../apimachinery/index.ts";
import type { Clock } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";
import { plainError, refused } from "./request.ts";

/** Attempts to write a quota that others write too. */
const attempts = 4;

/** What may be used only where a quota says so. */
export interface LimitedResource {
  readonly group: string;
  readonly resource: string;
  /** Entries with one of these in their name. */
  readonly matchContains?: readonly string[];
  /** Objects of these scopes. */
  readonly matchScopes?: readonly ScopeRequirement[];
}

/** Kinds that no quota counts. */
const uncounted = new Set([Event.plural]);

/** Resources of which an update can take more. */
const growing: readonly Pick<Resource, "group" | "plural">[] = [
  PersistentVolumeClaim,
  Service,
  ResourceClaim,
];

/**
 * Holds a namespace to its quotas, and books what a request takes before it is stored. Requests of one namespace are
 * judged one after the other, so that two of them cannot both take the last of a quota.
 */
export function resourceQuota(options: {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  /** Books usage; without it quotas are only checked. */
  readonly client?: Client | undefined;
  readonly limitedResources?: readonly LimitedResource[];
}): AdmissionPlugin {
  const { reader, client, clock, limitedResources: limited = [] } = options;
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
      const quotas = reader.list(ResourceQuota, request.namespace);
      const bookings = planBookings(request, quotas, { now: clock.now(), limited });
      if (!client || request.dryRun) return;
      try {
        for (const quota of bookings) await client.update(ResourceQuota, quota, { subresource: "status" });
        return;
      } catch (error) {
        const stale = ApiError.is(error, "Conflict") || ApiError.is(error, "NotFound");
        if (!stale || attempt === attempts) throw error;
      }
    }
  };

  return {
    name: "ResourceQuota",
    operations: ["CREATE", "UPDATE"],
    validate(request) {
      if (request.namespace === "" || !request.object || !mayTake(request)) return undefined;
      if (limited.length === 0 && reader.list(ResourceQuota, request.namespace).length === 0)
        return undefined;
      return inTurn(request.namespace, () => judge(request));
    },
  };
}

/** Whether a request of its kind can change what quotas count. */
function mayTake({ operation, resource, subresource, object, old }: AdmissionRequest): boolean {
  const is = ({ group, plural }: Pick<Resource, "group" | "plural">) =>
    group === resource.group && plural === resource.plural;
  if (is(Pod)) {
    if (subresource === "resize") return operation === "UPDATE";
    if (subresource !== "") return false;
    return operation === "CREATE" || isTerminating(object as Pod) !== isTerminating(old as Pod);
  }
  if (subresource !== "" || uncounted.has(resource.plural)) return false;
  return operation === "CREATE" || growing.some(is);
}

/** The quotas with what the request takes booked; throws ApiError `Forbidden` when one would be exceeded. */
export function planBookings(
  request: AdmissionRequest,
  quotas: readonly ResourceQuota[],
  options: { readonly now: number; readonly limited?: readonly LimitedResource[] },
): readonly ResourceQuota[] {
  const { object, resource } = request;
  if (!object) return [];
  const { now, limited = [] } = options;
  const usage = quotaUsage(resource, object, now);
  const matching = quotas.filter(
    (quota) =>
      quotaMatches(quota, { resource, object }) && entriesFor(quota.status?.hard ?? {}, resource).length > 0,
  );
  for (const quota of matching) checkStated(request, quota);
  const negative = negativeEntries(usage);
  if (matching.length > 0 && negative.length > 0) {
    throw refused(request, `quota usage is negative for resource(s): ${negative.join(",")}`);
  }
  if (limited.length > 0) checkCovered(request, { usage, quotas, matching, limited });
  return matching.flatMap((quota) => {
    const taken = takenBy(request, { quota, object, usage, now });
    return Object.keys(taken).length === 0 ? [] : [booked(request, quota, taken)];
  });
}

/** Throws when the quota cannot judge: the object leaves out what it counts, or it was never counted itself. */
function checkStated(request: AdmissionRequest, quota: ResourceQuota): void {
  const { resource, object } = request;
  const { hard = {}, used = {} } = quota.status ?? {};
  const entries = entriesFor(hard, resource);
  const { name } = quota.metadata;
  const isPod = resource.group === "" && resource.plural === Pod.plural;
  const missing = isPod ? missingStatement(object as Pod, entries) : undefined;
  if (missing !== undefined) throw refused(request, `failed quota: ${name}: ${missing}`);
  if (entries.every((entry) => used[entry] !== undefined)) return;
  throw refused(request, `status unknown for quota: ${name}, resources: ${[...entries].sort().join(",")}`);
}

/** Throws when the request takes what needs a quota, and none says that it may. */
function checkCovered(
  request: AdmissionRequest,
  given: {
    readonly usage: ResourceList;
    readonly quotas: readonly ResourceQuota[];
    readonly matching: readonly ResourceQuota[];
    readonly limited: readonly LimitedResource[];
  },
): void {
  const { resource, object } = request;
  if (!object) return;
  const { usage, quotas, matching, limited } = given;
  const own = limited.filter((one) => one.group === resource.group && one.resource === resource.plural);
  const covered = new Set(matching.flatMap((quota) => entriesFor(quota.status?.hard ?? {}, resource)));
  const uncovered = Object.keys(usage).filter(
    (entry) =>
      exceeds(usage[entry], "0") &&
      !covered.has(entry) &&
      own.some(({ matchContains = [] }) => matchContains.some((part) => entry.includes(part))),
  );
  if (uncovered.length > 0) {
    throw refused(request, `insufficient quota to consume: ${uncovered.sort().join(",")}`);
  }
  const scoped = { resource, object };
  const matched = (requirements: readonly ScopeRequirement[]) =>
    requirements.filter((requirement) => scopeMatches(requirement, scoped));
  const granted = new Set(matched(quotas.flatMap(scopesOf)).map(({ scopeName }) => scopeName));
  const open = matched(limited.flatMap(({ matchScopes = [] }) => matchScopes)).filter(
    ({ scopeName }) => !granted.has(scopeName),
  );
  if (open.length === 0) return;
  const shown = open.map(
    ({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(" ")}]}`,
  );
  throw plainError(`insufficient quota to match these scopes: [${shown.join(" ")}]`);
}

/** What the request adds to what the quota counts: all of a new object, what a changed one has more. */
function takenBy(
  { resource, old }: AdmissionRequest,
  given: {
    readonly quota: ResourceQuota;
    readonly object: KubernetesObject;
    readonly usage: ResourceList;
    readonly now: number;
  },
): ResourceList {
  const { quota, usage, now } = given;
  const hard = quota.status?.hard ?? {};
  const before = old && quotaMatches(quota, { resource, object: old }) ? old : undefined;
  const more = before ? subtractResources(usage, quotaUsage(resource, before, now)) : usage;
  return Object.fromEntries(
    Object.entries(more).filter(([name, amount]) => hard[name] !== undefined && exceeds(amount, "0")),
  );
}

function booked(request: AdmissionRequest, quota: ResourceQuota, taken: ResourceList): ResourceQuota {
  const { hard = {}, used = {} } = quota.status ?? {};
  const total = addResources(used, taken);
  const exceeded = Object.keys(taken)
    .filter((name) => exceeds(total[name], hard[name]))
    .sort();
  if (exceeded.length > 0) {
    const show = (list: ResourceList) => exceeded.map((name) => `${name}=${list[name] ?? "0"}`).join(",");
    throw refused(
      request,
      `exceeded quota: ${quota.metadata.name}, requested: ${show(taken)}, used: ${show(used)}, limited: ${show(hard)}`,
    );
  }
  return { ...quota, status: { ...quota.status, hard, used: total } };
}

const exceeds = (amount: string | undefined, bound: string | undefined): boolean =>
  amount !== undefined &&
  bound !== undefined &&
  compareQuantities(parseQuantity(amount), parseQuantity(bound)) > 0;
