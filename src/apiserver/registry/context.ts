import type { Clock, Logger, Random } from "../../base/index.ts";
import { ApiError } from "../../apimachinery/index.ts";
import type { GroupResource, ObjectKey } from "../../apimachinery/index.ts";
import type { RuleObserver, UserInfo } from "../../api/index.ts";
import { StoreError } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import type { AdmissionChain } from "../admission/chain.ts";
import type { Annotate, GivenOptions, RequestLifetime } from "../admission/plugin.ts";
import type { Attributes, Authorizer } from "../authorization/authorizer.ts";
import { forbiddenError } from "../authorization/index.ts";
import type { CacheSet } from "./cache-set.ts";
import type { ConversionUse } from "./conversion-use.ts";
import type { AnyObject, Entry } from "./entry.ts";
import type { ServedResource, ServedTable } from "./served.ts";
import type { SharedLeases } from "./shared-leases.ts";
import type { StorageUse } from "./storage-use.ts";

/** Who hears of what rules of custom resources take; absent: nobody. */
export interface RuleUse {
  observer: RuleObserver | undefined;
}

/** What every operation of the registry works with. */
export interface Core {
  readonly store: Store;
  readonly storageUse: StorageUse;
  readonly conversionUse: ConversionUse;
  readonly ruleUse: RuleUse;
  readonly caches: CacheSet;
  readonly leases: SharedLeases;
  readonly served: ServedTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authorizer: Authorizer;
  readonly admission: AdmissionChain;
  /** By `group/plural`. */
  readonly writeHooks: ReadonlyMap<string, WriteHook>;
  /** By `group/plural/subresource`. */
  readonly postHandlers: ReadonlyMap<string, PostHandler>;
  /** Resources that are answered and never stored, by `group/plural`. */
  readonly answers: ReadonlyMap<string, AnswerHandler>;
}

/** Who asks for what, as far as all operations share it. */
export interface RequestOptions {
  readonly user: UserInfo;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
  /** Hears what the client should be warned of. */
  readonly warn?: (message: string) => void;
  /** Hears what is to be recorded of the request besides. */
  readonly annotate?: Annotate;
  /** What of the manager and the validation the client named itself; absent: all that is said here. */
  readonly asked?: Pick<GivenOptions, "fieldManager" | "fieldValidation">;
  /** Until when it may take, and who waits for it; absent: as long as it likes. */
  readonly lifetime?: RequestLifetime;
}

/** A write on its way to the store, for what must be allocated beside it. */
export interface PendingWrite {
  readonly object: AnyObject | undefined;
  readonly old: AnyObject | undefined;
  readonly dryRun: boolean;
}

/** What is set aside for one write. */
export interface Reservation {
  /** The object with what it was given; undefined where it goes. */
  readonly object: AnyObject | undefined;
  /** Keeps what was set aside and gives back what is no longer needed, or the other way round when nothing was written. */
  settle(written: boolean): Promise<void>;
}

/** Allocates what an object needs before it is checked and written. */
export interface WriteHook {
  prepare(write: PendingWrite): Promise<Reservation>;
}

/** Sets aside what the write of a resource needs; undefined where none of its objects needs anything. */
export function reserve(
  core: Pick<Core, "writeHooks">,
  { resource }: Pick<ServedResource, "resource">,
  write: PendingWrite,
): Promise<Reservation> | undefined {
  return core.writeHooks.get(`${resource.group}/${resource.plural}`)?.prepare(write);
}

/** Answers a create at a subresource, e.g. `pods/binding`. */
export type PostHandler = (request: {
  readonly core: Core;
  readonly served: ServedResource;
  readonly key: ObjectKey;
  readonly body: AnyObject;
  readonly options: RequestOptions;
}) => Promise<object>;

/** Answers a create of a resource that is never stored, e.g. `subjectaccessreviews`. */
export type AnswerHandler = (request: {
  readonly core: Core;
  readonly served: ServedResource;
  readonly namespace: string | undefined;
  readonly body: AnyObject;
  readonly options: RequestOptions;
}) => Promise<object>;

/** What a write leaves: the entry as stored, absent for dry runs and deleted objects. */
export interface Written {
  readonly object: AnyObject;
  readonly entry: Entry | undefined;
  readonly created: boolean;
}

export const lockMessage =
  "the object has been modified; please apply your changes to the latest version and try again";

export function groupResource(served: Pick<ServedResource, "resource">): GroupResource {
  return { group: served.resource.group, resource: served.resource.plural };
}

/** A failed commit as upstream words it. */
export function fromStoreError(error: unknown, about: { served: ServedResource; name: string }): unknown {
  if (!(error instanceof StoreError)) return error;
  switch (error.type) {
    case "conflict":
      return ApiError.conflict(groupResource(about.served), about.name, lockMessage);
    case "compacted":
      return ApiError.expired("The resourceVersion for the provided list is too old.");
    case "future":
      return ApiError.timeout("Too large resource version", 1);
    case "closed":
    case "unavailable":
      return ApiError.serviceUnavailable(`storage is ${error.type}: ${error.message}`);
    case "corrupt":
      return ApiError.internal(error.message);
  }
}

/** Throws `Forbidden` in upstream's words unless the authorizer allows it. */
export function authorize(core: Pick<Core, "authorizer">, attributes: Attributes): void {
  const decision = core.authorizer.authorize(attributes);
  if (decision.type !== "allow") throw forbiddenError(attributes, decision);
}
